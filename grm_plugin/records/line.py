"""One line of a record: a verdict as JSON, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from grm_plugin.errors import RecordError, placed, quoted
from grm_plugin.plain import finite, told
from grm_plugin.problems import wrong
from grm_plugin.records.checking import check_verdict
from grm_plugin.types import SURROGATE, Control, Cost, Failure, Group, Judgment, Scalar, Verdict

VERSION = 2


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

    # also of the values in it: a text is no number, and ``true`` is no 1
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(strict=True)

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
    scalar: Scalar | None = None
    control: Control | None = None  # earlier releases knew none


_LINES = TypeAdapter(Line)
_SHOWN = 80


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
        scalar=verdict.scalar,
        control=verdict.control,
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
    try:
        line = json.dumps(dict(record)).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise RecordError(f"not a recorded verdict: it is no JSON ({error})") from None
    return from_line(line)


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
    place = placed(first["loc"]) or "line"
    return f"not a recorded verdict: {place}: {wrong(first, _shown)}"


def _shown(given: object) -> str:
    return quoted(given[:_SHOWN] if isinstance(given, bytes) else given)


def _version_in(line: bytes) -> object:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return VERSION  # what is no JSON has no version
    return record.get("version") if isinstance(record, Mapping) else VERSION


def _check_version(version: object) -> None:
    if version is None:
        raise RecordError("not a recorded verdict: it has no version")
    if type(version) is not int:
        raise RecordError(
            f"not a recorded verdict: version: expected the number {VERSION}, got {quoted(version)}"
        )
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
    verdict = Verdict(
        group=group,
        rewards=line.rewards,
        judgments=line.judgments,
        failures=line.failures,
        unscored=line.unscored,
        cost=line.cost,
        origin=line.origin,
        shown=added,
        unscored_responses=line.unscored_responses,
        scalar=line.scalar,
        control=line.control,
    )
    check_verdict(verdict)
    return verdict
