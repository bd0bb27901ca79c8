"""Every verdict as one JSON line: written at once, read back whole."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from pydantic import TypeAdapter, ValidationError

from grm_plugin.errors import RecordError, quoted
from grm_plugin.moved import refuse_old_name
from grm_plugin.plain import finite, told
from grm_plugin.types import SURROGATE, Cost, Failure, Group, Judgment, Sample, Verdict

VERSION = 2
MAX_LINE_BYTES = 256 << 20
"""The longest line that is read, and so the longest that is written."""


@dataclass(frozen=True, slots=True)
class Added:
    """What sources added for the judge to see: the whole of it, the group's own included."""

    principles: tuple[str, ...]
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a record: a verdict with its version and its group's fingerprint.

    ``Verdict`` says what its fields mean; ``shown`` is what the judge saw besides the group.
    """

    version: int
    id: str
    fingerprint: str
    rewards: tuple[float | None, ...] | None
    unscored: str
    unscored_responses: Mapping[int, str]
    group: Group
    shown: Added | None
    judgments: tuple[Judgment, ...]
    failures: tuple[Failure, ...]
    cost: Cost
    origin: Mapping[str, Any]


_LINES = TypeAdapter(Line)


def to_line(verdict: Verdict) -> bytes:
    """``verdict`` as one line of JSON, with its newline.

    Characters that are no Unicode text (lone surrogates) become U+FFFD, values of metadata that are
    no JSON their ``repr``, and logarithms of a probability that are not finite the least number.

    Raises:
        ValueError: it can not be written as JSON.
    """
    try:
        return _LINES.dump_json(_line(verdict), ensure_ascii=True, fallback=repr) + b"\n"
    except ValueError:
        text = json.dumps(to_record(verdict), ensure_ascii=False)
        return json.dumps(json.loads(SURROGATE.sub("\ufffd", text))).encode() + b"\n"


def to_record(verdict: Verdict) -> dict[str, Any]:
    """``verdict`` as JSON values; :func:`from_record` is its inverse."""
    line = _line(verdict)
    try:
        record: dict[str, Any] = _LINES.dump_python(line, mode="json", fallback=repr)
    except ValueError:  # bytes that are no text, or a circle
        metadata = {str(name): told(value) for name, value in line.group.metadata.items()}
        line = replace(line, group=replace(line.group, metadata=metadata))
        record = _LINES.dump_python(line, mode="json", fallback=repr)
    return record


def _line(verdict: Verdict) -> Line:
    group, shown = verdict.group, verdict.shown
    return Line(
        version=VERSION,
        id=group.id,
        fingerprint=group.fingerprint,
        rewards=verdict.rewards,
        unscored=verdict.unscored,
        unscored_responses=verdict.unscored_responses,
        group=group,
        shown=Added(shown.principles, shown.evidence) if shown else None,
        judgments=tuple(map(finite, verdict.judgments)),
        failures=tuple(map(finite, verdict.failures)),
        cost=verdict.cost,
        origin=verdict.origin,
    )


def from_record(record: Mapping[str, Any]) -> Verdict:
    """The verdict that :func:`to_record` wrote.

    Raises:
        RecordError: it is of another version, a field is missing or of the wrong kind, or what it
            says can not be: an order that is no permutation, a number that is not finite, a group
            that has been edited.
    """
    if not isinstance(record, Mapping):
        raise RecordError(f"not a recorded verdict: expected an object, got {quoted(record)}")
    _check_version(record.get("version"))
    try:
        return _verdict(_LINES.validate_python(dict(record)))
    except ValidationError as error:
        raise RecordError(_not_a_verdict(error)) from None


def from_line(line: bytes) -> Verdict:
    """The verdict in one line of a record file.

    Raises:
        RecordError: as :func:`from_record`, or it is no JSON.
    """
    try:
        return _verdict(_LINES.validate_json(line))
    except ValidationError as error:
        _check_version(_version_in(line))
        raise RecordError(_not_a_verdict(error)) from None


def _not_a_verdict(error: ValidationError) -> str:
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"])
    return (
        f"not a recorded verdict: {place or 'line'}: {first['msg']}, got {quoted(first['input'])}"
    )


def _version_in(line: bytes) -> object:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return VERSION  # what is no JSON has no version
    return record.get("version") if isinstance(record, Mapping) else VERSION


def _check_version(version: object) -> None:
    if version is None:
        raise RecordError("not a recorded verdict: it has no version")
    if version != VERSION:
        raise RecordError(
            f"a record of version {quoted(version)}, and this release reads version {VERSION}; "
            "judge these groups again, or read it with the release that wrote it"
        )


def _verdict(line: Line) -> Verdict:
    _check_version(line.version)
    group, shown = line.group, line.shown
    if line.fingerprint != group.fingerprint:
        raise RecordError(
            f"group {group.label} has the fingerprint {group.fingerprint}, the record says "
            f"{quoted(line.fingerprint)}; was its text edited?"
        )
    added = replace(group, principles=shown.principles, evidence=shown.evidence) if shown else None
    _check(line)
    return Verdict(
        group=group,
        rewards=line.rewards,
        judgments=line.judgments,
        failures=line.failures,
        unscored=line.unscored,
        cost=line.cost,
        origin=line.origin,
        shown=added,
        unscored_responses=line.unscored_responses,
    )


def _check(line: Line) -> None:
    """Raises RecordError for what pydantic can not know."""
    n = len(line.group.responses)
    if line.rewards is not None and not _are_scores(line.rewards, n):
        raise RecordError(f"expected {n} finite rewards, got {quoted(line.rewards)}")
    samples: list[Sample] = [*line.judgments, *line.failures]
    for one in samples:
        if len(set(one.order)) != len(one.order) or not set(one.order) <= set(range(n)):
            raise RecordError(
                f"sample {one.sample}: expected an order of some of {n} responses, got "
                f"{quoted(one.order)}"
            )
    for judgment in line.judgments:
        if not _are_scores(judgment.scores, n):
            raise RecordError(
                f"sample {judgment.sample}: expected {n} finite scores, got "
                f"{quoted(judgment.scores)}"
            )
        if judgment.meta_score is not None and not math.isfinite(judgment.meta_score):
            raise RecordError(
                f"sample {judgment.sample}: expected a finite meta-score, got {judgment.meta_score}"
            )


def _are_scores(scores: Sequence[float | None], n: int) -> bool:
    return len(scores) == n and all(score is None or math.isfinite(score) for score in scores)


def read_verdicts(path: Path) -> Iterator[Verdict]:
    """The verdicts of a record file, one at a time; a torn last line (a kill) is left out.

    Raises:
        RecordError: the file can not be read, or a line that is not the last is no verdict.
    """
    for number, line in enumerate(read_lines(path), start=1):
        try:
            yield from_line(line)
        except RecordError as error:
            raise RecordError(f"{path}, line {number}: {error}") from error


def read_lines(path: Path) -> Iterator[bytes]:
    """The lines of a record file with their newlines, but for a torn last one.

    Raises:
        RecordError: the file can not be read, or a line is longer than any record.
    """
    try:
        with path.open("rb") as lines:
            yield from _whole_lines(path, lines)
    except OSError as error:
        raise RecordError(f"record {path} can not be read: {error}") from error


def _whole_lines(path: Path, lines: BinaryIO) -> Iterator[bytes]:
    for number in itertools.count(1):
        line = lines.readline(MAX_LINE_BYTES + 1)
        if line.endswith(b"\n"):
            yield line
        elif len(line) <= MAX_LINE_BYTES or not _goes_on(lines):
            return
        else:
            raise RecordError(
                f"{path}, line {number}: expected at most {MAX_LINE_BYTES >> 20} MB, got more"
            )


def _goes_on(lines: BinaryIO) -> bool:
    """Whether the line that is too long ends somewhere; else it is torn."""
    while block := lines.read(1 << 20):
        if b"\n" in block:
            return True
    return False


if not TYPE_CHECKING:  # checkers know the names that are there

    def __getattr__(name: str) -> Any:
        raise refuse_old_name(name, __name__, "grm_plugin.running.recorder", ("Recorder",))
