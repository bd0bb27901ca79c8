"""Every verdict as one JSON line: written at once, read back whole."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

from grm_plugin.errors import RecordError, quoted
from grm_plugin.types import Cost, Failure, Group, Judgment, Principle, Reason, Verdict

VERSION = 1
_BLOCK_BYTES = 1 << 16


def to_record(verdict: Verdict) -> dict[str, Any]:
    """``verdict`` as JSON values; :func:`from_record` is its inverse."""
    return {
        "version": VERSION,
        "id": verdict.group.id,
        "fingerprint": verdict.group.fingerprint,
        "rewards": verdict.rewards,
        "unscored": verdict.unscored,
        "group": _group_record(verdict.group),
        "judgments": [_flat(judgment) for judgment in verdict.judgments],
        "failures": [_flat(failure) for failure in verdict.failures],
        "cost": _flat(verdict.cost),
        "origin": dict(verdict.origin),
    }


def _group_record(group: Group) -> dict[str, Any]:
    return {
        "conversation": [
            {"role": turn.role, "content": turn.content} for turn in group.conversation
        ],
        "responses": group.responses,
        "id": group.id,
        "reference": group.reference,
        "principles": group.principles,
        "evidence": group.evidence,
        "metadata": dict(group.metadata),
    }


def _flat(value: Judgment | Failure | Cost) -> dict[str, Any]:
    record = {name: getattr(value, name) for name in value.__dataclass_fields__}
    if isinstance(value, Judgment):
        record["principles"] = [
            {"text": principle.text, "weight": principle.weight} for principle in value.principles
        ]
    return record


def from_record(record: Mapping[str, Any]) -> Verdict:
    """The verdict that :func:`to_record` wrote.

    Raises:
        RecordError: a field is missing or of the wrong kind.
    """
    try:
        rewards = record["rewards"]
        return Verdict(
            group=_group(record["group"]),
            rewards=None if rewards is None else tuple(float(reward) for reward in rewards),
            judgments=tuple(_judgment(item) for item in record["judgments"]),
            failures=tuple(_failure(item) for item in record["failures"]),
            unscored=str(record["unscored"]),
            cost=Cost(**record["cost"]),
            origin=record.get("origin", {}),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise RecordError(f"not a recorded verdict: {quoted(error)} in {quoted(record)}") from error


def _group(item: Mapping[str, Any]) -> Group:
    group = Group.of(item["conversation"], item["responses"])
    return replace(
        group,
        id=str(item["id"]),
        reference=item["reference"],
        principles=tuple(item["principles"]),
        evidence=tuple(item["evidence"]),
        metadata=dict(item["metadata"]),
    )


def _judgment(item: Mapping[str, Any]) -> Judgment:
    read = {
        "order": tuple(item["order"]),
        "scores": tuple(item["scores"]),
        "principles": tuple(Principle(**principle) for principle in item["principles"]),
    }
    return Judgment(**{**item, **read})


def _failure(item: Mapping[str, Any]) -> Failure:
    failure = Failure(**item)
    return replace(failure, order=tuple(failure.order), reason=Reason(failure.reason))


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
            yield from_record(json.loads(line))
        except (ValueError, RecursionError, RecordError) as error:
            raise RecordError(f"{path}, line {number}: {error}") from error


class Recorder:
    """Appends verdicts to a JSONL file, each line whole and flushed before the next.

    Args:
        path: the file; made with its folders, appended to when there. A torn last line, left by
            a kill, is cut off first.

    Raises:
        RecordError: the file can not be opened or written (disk full), or another process is
            writing it; the lines before are intact and the torn one is removed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("ab", buffering=0)
            _reserve(self._file)
            cut_torn_line(path)
        except OSError as error:
            raise RecordError(f"record {path} can not be opened: {error}") from error

    def write(self, verdict: Verdict) -> None:
        """Append one line; metadata that is not JSON is written as its ``repr``."""
        try:
            line = json.dumps(to_record(verdict), default=repr).encode() + b"\n"
            self._append(line)
        except (OSError, TypeError, ValueError) as error:
            raise RecordError(
                f"verdict of group {verdict.group.label} can not be recorded to {self.path}: "
                f"{error}; the lines before it are intact"
            ) from error

    def _append(self, line: bytes) -> None:
        start = self._file.seek(0, os.SEEK_END)
        try:
            written = self._file.write(line)
            if written != len(line):
                raise OSError(f"{written} of {len(line)} bytes written; is the disk full?")
        except OSError:
            with contextlib.suppress(OSError):  # a device can not be cut
                self._file.truncate(start)
            raise

    def close(self) -> None:
        """Close the file; may be called twice."""
        self._file.close()

    def __enter__(self) -> Recorder:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _reserve(file: FileIO) -> None:
    """Two processes that append to one file would cut each other's open lines."""
    try:
        import fcntl
    except ImportError:  # not a POSIX system
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise OSError(
            "another process is writing it; give each process a file of its own"
        ) from None


def cut_torn_line(path: Path) -> None:
    """Remove what stands after the last newline of ``path``, if there is such a file."""
    if not path.exists() or not path.stat().st_size:
        return
    with path.open("rb+") as file:
        end = _end_of_lines(file)
        if end != file.seek(0, os.SEEK_END):
            file.truncate(end)


def _end_of_lines(file: BinaryIO) -> int:
    end = file.seek(0, os.SEEK_END)
    while end:
        start = max(0, end - _BLOCK_BYTES)
        file.seek(start)
        newline = file.read(end - start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0
