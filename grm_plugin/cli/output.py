"""Where ``grm score`` writes: a file that is this run's alone from the first look to the end."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Protocol

from grm_plugin.cli.earlier import Again, Earlier, lacks_samples, lost
from grm_plugin.cli.merging import drop_standing, is_paid, merge
from grm_plugin.cli.written import (
    RESTART,
    RETRY,
    close_beside,
    file_beside,
    holds,
    locked,
    recorder_beside,
    verdicts,
)
from grm_plugin.config import GRMConfig
from grm_plugin.report.terminal import say
from grm_plugin.running.recorder import Durability, Recorder
from grm_plugin.types import LOST, Group, Verdict

_REPLACE = "choose another -o, or --restart to replace it"
_REPLACE_ALL = "choose another -o, or --restart a whole file, without --limit and --append"


class Output(Protocol):
    """Where verdicts go, and what is there already.

    Args:
        earlier: which groups need no judge, as :meth:`standing` found.
        origin: how the verdicts were made that new ones will stand beside; empty without any.
        advice: what to do where new ones are made in another way.
        missing: how many groups had their judgments lost on the way, in this run.
        why_missing: what happened to the last of them.
    """

    earlier: Earlier
    origin: Mapping[str, Any]
    advice: str
    missing: int
    why_missing: str

    @property
    def places(self) -> str:
        """The files that hold verdicts, for people; empty where none is kept."""

    def standing(self) -> Iterator[Verdict]:
        """The verdicts that stand; to be read whole before the first is written."""

    def unasked(self) -> Iterator[Verdict]:
        """The verdicts that would have been replaced, had their groups been asked for."""

    def drops(self, groups: Iterable[Group]) -> list[str]:
        """The ids of verdicts that would be gone at the end, since their groups are not these."""

    def write(self, verdict: Verdict) -> None:
        """Keep one verdict.

        Raises:
            RecordError: it can not be written.
        """

    def finish(self) -> bool:
        """Put everything in its place, once there is no more; whether everything could be.

        Raises:
            RecordError: a file can not be written anew.
        """

    def close(self) -> None:
        """Let go of it; may be called twice."""


class Continued:
    """A file that is gone on with: what is new stands at its end, what is renewed in its place.

    A verdict for a group that has one already waits in a file beside until :meth:`finish`; so
    nothing is dropped before the judge has answered, and the file never holds two for one group.
    A judgment that was lost again is no answer, and the old verdict stays; what it cost is kept.

    Args:
        path: the file; made when it is not there.
        beside: how the name of the file beside ends; in ``RESTART`` may be new verdicts for any
            group, in ``RETRY`` only for those without rewards, or to be judged again.
        again: whether the group of a verdict in the file is to be judged again.
        lost: whether a verdict is no answer.
        durability: as in :class:`Recorder`.

    Raises:
        RecordError: the file can not be opened, or another process is writing it.
    """

    def __init__(
        self, path: Path, beside: str, again: Again, lost: Again, durability: Durability
    ) -> None:
        self._path, self._beside = path, file_beside(path, beside)
        self._is_old = is_any if beside == RESTART else lambda one: is_unscored(one) or again(one)
        self._lost, self._durability = lost, durability
        self.missing, self.why_missing = 0, ""
        self.earlier = Earlier(again, self._is_old)
        self.origin: Mapping[str, Any] = {}
        self.advice = _REPLACE if beside == RETRY else _REPLACE_ALL
        self._file = locked(path, durability)
        self._new: Recorder | None = None

    @property
    def places(self) -> str:
        return f"{self._path} and {self._beside.name}" if holds(self._beside) else str(self._path)

    def standing(self) -> Iterator[Verdict]:
        if holds(self._beside):
            drop_standing(self._path, self._beside, self._is_old)
        for verdict in verdicts(self._beside):
            if self._lost(verdict):
                self.earlier.pay(verdict)
                continue
            self.earlier.renew(verdict)
            self._stays(verdict)
            yield verdict
        for verdict in verdicts(self._path):
            stands = self.earlier.take(verdict)
            if stands or verdict.scored:
                self._stays(verdict)
            if stands:
                yield verdict
        if self.earlier.to_replace or self._beside.exists():
            self._new = recorder_beside(self._path, self._beside, self._durability)

    def _stays(self, verdict: Verdict) -> None:
        self.origin = self.origin or verdict.origin

    def unasked(self) -> Iterator[Verdict]:
        return self.earlier.old(verdicts(self._path))

    def drops(self, groups: Iterable[Group]) -> list[str]:
        return []

    def write(self, verdict: Verdict) -> None:
        is_lost = self._lost(verdict)
        if is_lost:
            self.miss(verdict)
        if not self.earlier.replaces(verdict):
            self._file.write(verdict)
        elif self._new and (not is_lost or is_paid(verdict.cost)):
            self._new.write(verdict)

    def miss(self, verdict: Verdict) -> None:
        """Count a verdict whose judgments were lost on the way."""
        self.missing += 1
        details = [one.detail for one in verdict.failures if one.reason in LOST]
        self.why_missing = details[-1] if details else verdict.unscored

    def finish(self) -> bool:
        if holds(self._beside):
            merge(self._path.resolve(), self._beside, self._is_old, self._lost)
        return True

    def close(self) -> None:
        if self._new:
            close_beside(self._new, self._beside)
        self._file.close()


def continued(
    path: Path, config: GRMConfig, *, unscored: bool, each_sample: bool = False
) -> Output:
    """``path``, where lost groups are judged again.

    Args:
        path: the file.
        config: how.
        unscored: also all that have no reward.
        each_sample: a group is lost where one of its judgments is, whatever the others say.
    """
    is_lost = loss(config, each_sample=each_sample)
    again = is_unscored if unscored else is_lost
    if holds(waiting := file_beside(path, RESTART)):
        say(f"a restart of {path} has not ended; --restart goes on with {waiting.name}")
    return Continued(path, RETRY, again, is_lost, config.durability)


def loss(config: GRMConfig, *, each_sample: bool = False) -> Again:
    """Whether a verdict is no answer, with these settings; else as in :func:`continued`."""
    return functools.partial(
        lacks_samples if each_sample else lost, enough=config.enough(config.size)
    )


def is_unscored(verdict: Verdict) -> bool:
    """Whether no response has a reward."""
    return not verdict.known_rewards


def is_any(verdict: Verdict) -> bool:
    """Whether it is a verdict."""
    return True
