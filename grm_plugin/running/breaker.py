"""Stops a run whose judge is dead, instead of letting it train on nothing."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from grm_plugin.errors import InputError, JudgeDeadError, JudgeRefusedError, TemplateError
from grm_plugin.types import Reason, Verdict


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict, when it came (``time.monotonic()``), and why its group was refused, if it was."""

    verdict: Verdict
    at: float
    refusal: InputError | TemplateError | None = None

    def check_not_refused(self) -> None:
        """Stop at the first group that is lost because the judge takes no request like ours.

        Raises:
            JudgeRefusedError: says why, and what to change.
        """
        if self.verdict.scored:
            return
        lost, scalar = self.verdict.failures, self.verdict.scalar
        why = next((one.detail for one in lost if one.reason == Reason.REFUSED), "")
        if why:
            raise JudgeRefusedError(f"the judge takes no request of ours: {why}")
        if scalar and scalar.refused:
            told = next(iter(scalar.failures.values()))
            raise JudgeRefusedError(f"the scalar RM takes no request of ours: {told}")


class Outcome:
    """What became of one group: the first that is said of it, from whatever thread."""

    def __init__(self) -> None:
        self._said: dict[str, Judged] = {}

    def settle(self, judged: Judged) -> bool:
        """Whether this is the first; later ones do not count."""
        return self._said.setdefault("first", judged) is judged  # atomic

    @property
    def known(self) -> Judged | None:
        """What was said first; None while nothing was."""
        return self._said.get("first")

    @property
    def judged(self) -> Judged:
        """What was said first; something must have been."""
        return self._said["first"]


_Answered = Callable[[Verdict], bool | None]  # None: it says nothing of that


class _Streak:
    """Groups in a row in which one model was asked in vain, and since when."""

    def __init__(self) -> None:
        self.groups, self.since = 0, math.inf

    def add(self, judged: Judged, *, in_vain: bool) -> None:
        """Count one more; a model that answered begins anew."""
        if not in_vain:
            self.groups, self.since = 0, math.inf
            return
        self.groups += 1
        self.since = min(self.since, judged.at - judged.verdict.cost.seconds)


class Breaker:
    """Counts groups in a row without a reward, and for how long the judge was asked in vain.

    A scalar RM is counted apart, so that no group that it decides hides a judge that is dead, and
    no judge that of a scalar RM. A group that was refused says nothing about either.

    Args:
        groups: so many of them, and
        seconds: so long since the first of them was asked: the judge counts as dead.
    """

    def __init__(self, groups: int, seconds: float) -> None:
        self._most, self._limit_s = groups, seconds
        self._judge, self._scalar = _Streak(), _Streak()
        self._lock = threading.Lock()

    def count(self, *judged: Judged) -> None:
        """Count verdicts; what matters is how it stands after the last of each model.

        Raises:
            JudgeDeadError: one is dead; says for how long, and why the last has no reward.
        """
        with self._lock:
            asked = sorted((one for one in judged if not one.refusal), key=lambda one: one.at)
            self._count(self._judge, asked, _judge_answered)
            self._count(self._scalar, asked, _scalar_answered)

    def _count(self, streak: _Streak, asked: Sequence[Judged], answered: _Answered) -> None:
        told = [(one, known) for one in asked if (known := answered(one.verdict)) is not None]
        for one, known in told:
            streak.add(one, in_vain=not known)
        if told and streak.groups >= self._most:
            self._check(streak, told[-1][0])

    def _check(self, streak: _Streak, last: Judged) -> None:
        seconds = last.at - streak.since
        if seconds >= self._limit_s:
            groups = "1 group" if streak.groups == 1 else f"{streak.groups} groups in a row"
            raise JudgeDeadError(
                f"{groups} came back without one reward in {seconds:.0f} s; "
                f"the last says: {last.verdict.unscored}"
            )


def _judge_answered(verdict: Verdict) -> bool | None:
    scalar = verdict.scalar
    if scalar and not scalar.judged and (scalar.sure is not None or not verdict.scored):
        return None  # a cascade did not ask it, or the scalar RM failed
    return verdict.scored


def _scalar_answered(verdict: Verdict) -> bool | None:
    return any(one is not None for one in verdict.scalar.scores) if verdict.scalar else None
