"""What a control judge's opinion is compared with: the rewards of a group, beside its own."""

from __future__ import annotations

import statistics
from typing import NamedTuple

from grm_plugin.correlation import Correlation
from grm_plugin.types import Verdict
from grm_plugin.types.groups import chance


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

    @property
    def pairs(self) -> tuple[tuple[float, float], ...]:
        """Reward and control of each response."""
        return tuple(zip(self.rewards_N, self.controls_N, strict=True))

    @property
    def inside(self) -> Correlation:
        """How the two go together among its responses."""
        return Correlation.of(self.pairs)


def is_chosen(fingerprint: str, seed: int, share: float) -> bool:
    """Whether a group belongs to the share that the control judge judges, too.

    The same groups are chosen whenever a run is repeated, and in every process of it.

    >>> sum(is_chosen(str(n), 0, 0.25) for n in range(4000)) / 4000
    0.2485
    """
    return chance(f"control {seed} {fingerprint}") < share
