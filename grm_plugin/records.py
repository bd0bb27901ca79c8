"""Every verdict as one JSON line: written at once, read back whole."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python

from grm_plugin.errors import RecordError, quoted
from grm_plugin.moved import refuse_old_name
from grm_plugin.types import SURROGATE, Cost, Failure, Group, Judgment, Sample, Token, Verdict

VERSION = 2
S = TypeVar("S", Judgment, Failure)


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
        told = {str(name): _told(value) for name, value in line.group.metadata.items()}
        line = replace(line, group=replace(line.group, metadata=told))
        record = _LINES.dump_python(line, mode="json", fallback=repr)
    return record


def _told(value: object) -> object:
    """``value`` of metadata as JSON, or its ``repr``."""
    try:
        return to_jsonable_python(value, fallback=repr)
    except ValueError:
        return repr(value)


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
        judgments=tuple(map(_finite, verdict.judgments)),
        failures=tuple(map(_finite, verdict.failures)),
        cost=verdict.cost,
        origin=verdict.origin,
    )


def _finite(sample: S) -> S:
    """``sample`` with probabilities that JSON can tell: the logarithm of none has no number in it.

    They keep their place: what an engine did not tell and what it told as impossible are two.
    """
    if all(math.isfinite(log) for token in sample.tokens for log in _logs(token)):
        return sample
    tokens = (
        Token(one.text, _number(one.logprob), {text: _number(log) for text, log in one.top.items()})
        for one in sample.tokens
    )
    return replace(sample, tokens=tuple(tokens))


def _logs(token: Token) -> Iterator[float]:
    yield token.logprob
    yield from token.top.values()


def _number(log: float) -> float:
    return log if math.isfinite(log) else -sys.float_info.max


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
    try:
        with path.open("rb") as lines:
            yield from _verdicts(path, lines)
    except OSError as error:
        raise RecordError(f"record {path} can not be read: {error}") from error


def _verdicts(path: Path, lines: BinaryIO) -> Iterator[Verdict]:
    for number, line in enumerate(lines, start=1):
        if not line.endswith(b"\n"):
            return
        try:
            yield from_line(line)
        except RecordError as error:
            raise RecordError(f"{path}, line {number}: {error}") from error


if not TYPE_CHECKING:  # checkers know the names that are there

    def __getattr__(name: str) -> Any:
        raise refuse_old_name(name, __name__, "grm_plugin.running.recorder", ("Recorder",))
