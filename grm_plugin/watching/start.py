"""What is usual at the start of a run: the distributions that later rewards are held against."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from grm_plugin.correlation import Correlation
from grm_plugin.types import Control
from grm_plugin.watching.compared import Compared
from grm_plugin.watching.moments import Moments

FEWEST_GROUPS = 40
"""Groups of the control judge that a start needs at least, however many rounds they take."""


ROUNDS = "watch_start"
"""What the origin of a control judge calls the rounds of the start, so that a page finds them."""


def rounds_of(control: Control | None) -> int | None:
    """Rounds of the start of a run, as its record tells; None where it does not."""
    told = control.origin.get(ROUNDS) if control else None
    return told if isinstance(told, int) and not isinstance(told, bool) and told > 0 else None


class Start(NamedTuple):
    """The start distributions of a run, over responses.

    Args:
        reward, reward_sd: mean and standard deviation of rewards.
        control, control_sd: of the control judge's.
        correlation: of the two, over responses.
        gap_sd: standard deviation over groups of the mean z of rewards less that of controls.
        groups: that were counted.
        inside: correlation of the two inside groups; NaN where one never differs there.
    """

    reward: float
    reward_sd: float
    control: float
    control_sd: float
    correlation: float
    gap_sd: float
    groups: int
    inside: float = math.nan

    def z(self, group: Compared) -> tuple[float, float]:
        """The mean reward of a group and the control judge's, as z-scores."""
        reward, control = group.means
        return (reward - self.reward) / self.reward_sd, (control - self.control) / self.control_sd


@dataclass
class Starting:
    """Gathers the first groups of a run until they tell what is usual.

    Args:
        rounds: that are needed; those without groups of the control judge do not count.
    """

    rounds: int
    _seen: int = 0
    _responses: Moments = field(default_factory=Moments)
    _groups: Moments = field(default_factory=Moments)
    _inside: Correlation = field(default_factory=Correlation)

    def add(self, groups: Iterable[Compared]) -> None:
        """Count one round."""
        groups = list(groups)
        self._seen += bool(groups)
        for group in groups:
            self._groups.add(*group.means)
            self._inside += group.inside
            for pair in group.pairs:
                self._responses.add(*pair)

    @property
    def lacks(self) -> str:
        """Why it is not known yet what is usual; empty when it is."""
        both, groups = self._responses, self._groups.count
        if self._seen < self.rounds or groups < FEWEST_GROUPS:
            return (
                f"the control judge gave {groups} groups rewards in {self._seen} rounds, and "
                f"{FEWEST_GROUPS} in {self.rounds} are needed"
            )
        if not both.x_sd > 0:
            return "the rewards are the same for every response"
        return "" if both.y_sd > 0 else "the control judge says the same of every response"

    @property
    def start(self) -> Start | None:
        """What is usual; None while too little is known, or nothing has differed yet."""
        if self.lacks:
            return None
        both, means = self._responses, self._groups
        x_sd, y_sd = both.x_sd, both.y_sd
        apart = means.xx / x_sd**2 + means.yy / y_sd**2 - 2 * means.xy / (x_sd * y_sd)
        gap_sd = math.sqrt(max(0.0, apart) / (means.count - 1))
        return Start(
            both.x,
            x_sd,
            both.y,
            y_sd,
            both.correlation,
            gap_sd,
            means.count,
            self._inside.value,
        )
