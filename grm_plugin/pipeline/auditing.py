"""Whether a scalar RM is still as right as it claims: audits of groups of which it is sure.

A scalar RM that a policy has learned to please is sure and wrong, so its sureness says nothing of
that. What does is the judge's word on a random share of the groups it is sure of. A sequential
test compares how often the judge agrees with what the scalar RM claims under its own Bradley-Terry
model. Where agreement falls short of the claim, all groups are judged: what is surely wrong is so
at every threshold. Back down it goes in two steps, each only where as strong a test says that
agreement holds in the groups that the lower threshold would let through.

Both tests are e-detectors (Shin, Ramdas and Rinaldo, 2023): bets whose stakes can not grow on
average while the hypothesis holds, begun anew whenever they are lost. So the chance that a scalar
RM is found wanting within n audits though it keeps its claim is at most n / EVIDENCE, whatever the
claims, when the audits come, and however often one looks; and likewise of coming down too early.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean

EVIDENCE = 1000.0
"""How many times its stake a test must have won to be believed."""
TOLERANCE = 0.05
"""By how much agreement may stay below the claim: a scalar RM need not be calibrated that well."""
_STAKES = (0.25, 0.5, 1.0)  # shares of the stake, for small shortfalls and for large ones
_ALL = 2  # the level at which all groups are judged
_EVEN = (1.0,) * len(_STAKES)


@dataclass(frozen=True, slots=True)
class Audit:
    """A group of which the scalar RM was sure, and what the judge says of it.

    Args:
        sureness: of the group, 0.5..1.
        claim: share of its pairs, 0.5..1, on which a scalar RM as right as it claims would agree
            with the judge.
        agreement: the share, 0..1, on which it does.
    """

    sureness: float
    claim: float
    agreement: float


@dataclass(frozen=True, slots=True)
class Auditing:
    """What all audits so far come to.

    Args:
        sure: the threshold of sureness, 0.5..1, that holds while there is nothing against it.
        level: 0 while that holds, 2 where all groups are judged, 1 on the way back.
        against: what bets against the claim have become, by stake; from even on.
        favour: the same of bets that it holds at the next lower level.
    """

    sure: float
    level: int = 0
    against: tuple[float, ...] = _EVEN
    favour: tuple[float, ...] = _EVEN

    @property
    def thresholds(self) -> tuple[float, ...]:
        """By level: as set, half as far from 1, and 1."""
        return self.sure, (1 + self.sure) / 2, 1.0

    @property
    def threshold(self) -> float:
        """The sureness from which on groups go without the judge now."""
        return self.thresholds[self.level]

    def is_sure(self, sureness: float | None) -> bool:
        """Whether a group of that sureness needs no judge now."""
        return sureness is not None and self.threshold < 1 and sureness >= self.threshold

    def claims(self, sureness: float | None) -> bool:
        """Whether a group of that sureness needs no judge while nothing speaks against it."""
        return Auditing(self.sure).is_sure(sureness)

    def told(self, audit: Audit) -> Auditing:
        """The state after one more group of which the scalar RM was sure was judged.

        Groups below the threshold that a lower level would let through count for that level.

        >>> state, hacked = Auditing(0.8), Audit(sureness=0.95, claim=0.95, agreement=0.5)
        >>> for _ in range(25):
        ...     state = state.told(hacked)
        >>> state.threshold
        1.0
        """
        short = audit.claim - TOLERANCE - audit.agreement
        state = self
        if self.level < _ALL and audit.sureness >= self.threshold:
            state = replace(state, against=_after(self.against, short))
        if self.level > 0 and audit.sureness >= self.thresholds[self.level - 1]:
            state = replace(state, favour=_after(self.favour, -short))
        return state._moved()

    def _moved(self) -> Auditing:
        """To the top, or one level down, where a test has won; both begin anew then."""
        if fmean(self.against) >= EVIDENCE:
            return Auditing(self.sure, _ALL)
        if fmean(self.favour) >= EVIDENCE:
            return Auditing(self.sure, self.level - 1)
        return self


def _after(bets: Sequence[float], gain: float) -> tuple[float, ...]:
    """Bets after one outcome; what has fallen below even begins anew."""
    return tuple(
        max(1.0, bet * (1 + stake * gain)) for bet, stake in zip(bets, _STAKES, strict=True)
    )
