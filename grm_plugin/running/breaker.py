"""Stops a run whose judge is dead, instead of letting it train on nothing."""

from __future__ import annotations

import math
import threading
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


class Breaker:
    """Counts groups in a row without a reward, and for how long the judge was asked in vain.

    A group that was refused says nothing about the judge.

    Args:
        groups: so many of them, and
        seconds: so long since the first of them was asked: the judge counts as dead.
    """

    def __init__(self, groups: int, seconds: float) -> None:
        self._most, self._limit_s = groups, seconds
        self._groups, self._since = 0, math.inf
        self._lock = threading.Lock()

    def count(self, *judged: Judged) -> None:
        """Count verdicts; what matters is how it stands after the last of them.

        Raises:
            JudgeDeadError: the judge is dead; says for how long, and why the last has no reward.
        """
        with self._lock:
            asked = sorted((one for one in judged if not one.refusal), key=lambda one: one.at)
            for one in asked:
                self._add(one)
            if asked and self._groups >= self._most:
                self._check(asked[-1])

    def _add(self, judged: Judged) -> None:
        if judged.verdict.scored:
            self._groups, self._since = 0, math.inf
            return
        self._groups += 1
        self._since = min(self._since, judged.at - judged.verdict.cost.seconds)

    def _check(self, last: Judged) -> None:
        seconds = last.at - self._since
        if seconds >= self._limit_s:
            groups = "1 group" if self._groups == 1 else f"{self._groups} groups in a row"
            raise JudgeDeadError(
                f"{groups} came back without one reward in {seconds:.0f} s; "
                f"the last says: {last.verdict.unscored}"
            )
