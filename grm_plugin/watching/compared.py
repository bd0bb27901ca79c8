"""What a control judge's opinion is compared with: the rewards of a group, beside its own."""

from __future__ import annotations

import math
import statistics
from typing import NamedTuple

from grm_plugin.types import Verdict, digest

_HEX = 13  # digits of a fingerprint's hash: 52 bits, all of which a float holds


class Compared(NamedTuple):
    """One group that the control judge judged as well.

    Args:
        fingerprint: of the group.
        rewards_N: of the responses that both judges gave one.
        controls_N: the control judge's rewards of the same.
    """

    fingerprint: str
    rewards_N: tuple[float, ...]
    controls_N: tuple[float, ...]

    @classmethod
    def of(cls, verdict: Verdict) -> Compared | None:
        """What both judges say of a group; None where one of them says nothing."""
        theirs = verdict.control.rewards if verdict.control else None
        if verdict.rewards is None or theirs is None:
            return None
        both = [
            (reward, control)
            for reward, control in zip(verdict.rewards, theirs, strict=True)
            if reward is not None and control is not None
        ]
        if not both:
            return None
        rewards, controls = zip(*both, strict=True)
        return cls(verdict.group.fingerprint, rewards, controls)

    @property
    def means(self) -> tuple[float, float]:
        """Mean reward, and mean reward of the control judge."""
        return statistics.fmean(self.rewards_N), statistics.fmean(self.controls_N)


def is_chosen(fingerprint: str, seed: int, share: float) -> bool:
    """Whether a group belongs to the share that the control judge judges, too.

    The same groups are chosen whenever a run is repeated, and in every process of it.

    >>> sum(is_chosen(str(n), 0, 0.25) for n in range(4000)) / 4000
    0.24525
    """
    drawn = int(digest(f"control {seed} {fingerprint}")[:_HEX], 16)
    return drawn < share * 16.0**_HEX


class Linked(NamedTuple):
    """Sums of deviations from group means: of rewards, of controls, and of their products."""

    rewards: float
    controls: float
    both: float

    def plus(self, other: Linked) -> Linked:
        """Of both together."""
        return Linked(*map(math.fsum, zip(self, other, strict=True)))

    @property
    def correlation(self) -> float:
        """Inside groups, -1..1; NaN where one of the two never differs there."""
        spread = math.sqrt(self.rewards) * math.sqrt(self.controls)
        return max(-1.0, min(1.0, self.both / spread)) if spread else math.nan

    @classmethod
    def of(cls, group: Compared) -> Linked:
        """Of the responses of one group; all 0 for one response."""
        reward, control = group.means
        apart = [
            (one - reward, other - control)
            for one, other in zip(group.rewards_N, group.controls_N, strict=True)
        ]
        return cls(
            math.fsum(x * x for x, _ in apart),
            math.fsum(y * y for _, y in apart),
            math.fsum(x * y for x, y in apart),
        )


NOTHING = Linked(0.0, 0.0, 0.0)
"""Of no group."""
