"""What an output file holds already, so that ``grm score`` can go on with it."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from grm_plugin.errors import InputError, RecordError
from grm_plugin.pipeline.origin import ALTERED
from grm_plugin.records import read_verdicts
from grm_plugin.running.recorder import Recorder, cut_torn_line
from grm_plugin.types import Group, Verdict


class Earlier:
    """The verdicts an output file holds already: which groups need no judge any more.

    A verdict is a group's when id and content agree; of equal groups each needs its own.

    Args:
        path: the file; one that is not there holds nothing.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._left: Counter[tuple[str, str]] = Counter()

    def verdicts(self) -> Iterator[Verdict]:
        """The verdicts in the file; each counts as done once it was given out.

        Raises:
            RecordError: the file holds something else than verdicts.
        """
        if self._path is None or not self._path.is_file():
            return
        for verdict in read_verdicts(self._path):
            self._left[self._key(verdict.group)] += 1
            yield verdict

    def has(self, group: Group) -> bool:
        """Whether a verdict is there for ``group``; the answer uses that verdict up."""
        key = self._key(group)
        if not self._left[key]:
            del self._left[key]
            return False
        self._left[key] -= 1
        return True

    @property
    def strangers(self) -> int:
        """Verdicts nobody has asked for."""
        return self._left.total()

    def _key(self, group: Group) -> tuple[str, str]:
        return group.id, group.fingerprint


class Replacement:
    """Replaces a file with the first verdict that is written; until then it stays as it is.

    Args:
        path: the file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path.resolve()  # of a link, what it leads to
        self._recorder: Recorder | None = None

    def write(self, verdict: Verdict) -> None:
        """Append one verdict.

        Raises:
            RecordError: it can not be written; before the first one, the file is as it was.
        """
        if self._recorder is None:
            self._recorder = self._begun(verdict)
        else:
            self._recorder.write(verdict)

    def _begun(self, first: Verdict) -> Recorder:
        fresh = self._path.with_name(f"{self._path.name}.restart")
        fresh.unlink(missing_ok=True)  # of a run that was killed
        recorder = Recorder(fresh)
        try:
            recorder.write(first)
            fresh.replace(self._path)
        except (OSError, RecordError) as error:
            recorder.close()
            fresh.unlink(missing_ok=True)
            raise RecordError(f"{self._path} can not be replaced: {error}") from error
        recorder.path = self._path
        return recorder

    def close(self) -> None:
        """Close the file; may be called twice."""
        if self._recorder:
            self._recorder.close()


def check_same_settings(path: Path, now: Mapping[str, Any]) -> None:
    """Refuse to mix verdicts of two settings in one file.

    Args:
        path: the file; its first verdict tells how it was made.
        now: origin of the verdicts to come; a model that is not known yet is not compared.

    Raises:
        InputError: names each setting that differs, what it was and what it is.
        RecordError: the file holds something else than verdicts.
    """
    first = next(read_verdicts(path), None) if path.is_file() else None
    if first is None:
        return
    before, current = dict(first.origin), json.loads(json.dumps(dict(now)))
    if not current.get("model"):
        before["model"] = current["model"] = ""
    before.pop(ALTERED, None)  # no setting, and not known before the judge has answered
    current.pop(ALTERED, None)
    names = [name for name in {**before, **current} if before.get(name) != current.get(name)]
    if names:
        changes = [f"{name} was {before.get(name)!r}, is {current.get(name)!r}" for name in names]
        raise InputError(
            f"{path} was made with other settings ({'; '.join(changes)}); choose another -o, "
            "or --restart to replace it"
        )


def drop_unscored(path: Path) -> int:
    """Take the unscored verdicts out of the file ``path``, at once or not at all.

    Returns:
        How many were taken out.

    Raises:
        RecordError: the file can not be rewritten; it is as it was then.
    """
    fresh = path.with_name(f"{path.name}.retry")
    try:
        cut_torn_line(path)
        with path.open("rb") as lines, fresh.open("wb") as kept:
            dropped = _copy_scored(lines, kept)
        fresh.replace(path)
    except OSError as error:
        with suppress(OSError):
            fresh.unlink()
        raise RecordError(f"{path} can not be rewritten: {error}; it is as it was") from error
    return dropped


def _copy_scored(lines: BinaryIO, kept: BinaryIO) -> int:
    dropped = 0
    for line in lines:
        if json.loads(line)["rewards"] is None:
            dropped += 1
        else:
            kept.write(line)
    kept.flush()
    os.fsync(kept.fileno())
    return dropped
