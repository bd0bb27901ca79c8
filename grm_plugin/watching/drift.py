"""Whether rewards rise beyond what the control judge can explain: two sequential tests.

An honest policy gets better by both judges, but not equally in z: by the judge that sees quality
more clearly it rises faster. With r and c the two z-scores and rho their correlation at the start,
errors in both judges leave the slope of r on c between rho and 1 / rho (Frisch's bounds). So when
the control rises by d the rewards may rise by d / rho, and when it falls by d they may fall by no
more than rho d; what is beyond is unexplained.

- **onset**: a CUSUM over groups against the recent past. It finds a bias that begins, soon.
- **level**: the unexplained rise since the start, smoothed. It finds what creeps in slowly.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from grm_plugin.watching.compared import Compared
from grm_plugin.watching.moments import Decaying
from grm_plugin.watching.start import Start

PAST = 40.0
"""Rounds over which the recent past is averaged."""
PRESENT = 8.0
"""Rounds over which the present is."""
ALLOWANCE = 0.25
"""Of the CUSUM, in standard deviations of a group: a rise of twice as much is found soonest."""
LIMIT = 20.0
"""Of the CUSUM, in the same unit."""
FURTHEST = 4.0
"""A group counts as no further from the others than this, in the same unit."""
LEVEL = 0.4
"""An unexplained rise since the start, in z of the rewards, below which the level never alarms."""
ERRORS = 4.0
"""Standard errors beyond it that are needed."""
_WEAKEST = 0.3  # a correlation at the start below this counts as this


def unexplained(rise: float, control: float, correlation: float) -> float:
    """By how much rewards rose beyond what the control judge's rise can explain, in z.

    >>> round(unexplained(1.0, 0.5, 0.5), 2), round(unexplained(1.0, 0.0, 0.5), 2)
    (0.0, 1.0)
    """
    bound = max(_WEAKEST, correlation) if correlation == correlation else _WEAKEST
    return rise - (control / bound if control > 0 else control * bound)


@dataclass
class Drift:
    """Both tests; feed it round by round.

    Args:
        start: the start distributions.
        onset: the CUSUM, 0 to :data:`LIMIT` and beyond.
        level: the smoothed unexplained rise since the start, in z.
    """

    start: Start
    onset: float = 0.0
    level: float = 0.0
    _past: tuple[Decaying, Decaying] = field(init=False)
    _present: tuple[Decaying, Decaying] = field(init=False)
    _spread: Decaying = field(init=False)
    _groups: Decaying = field(default_factory=lambda: Decaying(PRESENT))

    def __post_init__(self) -> None:
        self._past = (Decaying(PAST, rounds=PAST / 2), Decaying(PAST, rounds=PAST / 2))
        self._present = (Decaying(PRESENT), Decaying(PRESENT))
        self._spread = Decaying(PAST, self.start.gap_sd**2, PAST / 2)

    def add(self, groups: Sequence[Compared]) -> None:
        """Count one round; one without groups changes nothing."""
        if not groups:
            return
        zs = [self.start.z(group) for group in groups]
        means = tuple(math.fsum(values) / len(zs) for values in zip(*zs, strict=True))
        for average, value in zip(self._present, means, strict=True):
            average.add(value)
        self._groups.add(len(groups))
        self._count_onset(zs)
        for average, value in zip(self._past, means, strict=True):
            average.add(value)
        reward, control = (one.value for one in self._present)
        self.level = unexplained(reward, control, self.start.correlation)

    def _count_onset(self, zs: Sequence[tuple[float, float]]) -> None:
        reward, control = (one.value for one in self._past)
        moved = self._present[1].value - control
        explained = moved - unexplained(moved, moved, self.start.correlation)
        apart = [(r - reward) - (c - control) for r, c in zs]
        sd = self.sd
        steps = [
            max(-FURTHEST, min(FURTHEST, (one - (explained - moved)) / sd)) - ALLOWANCE
            for one in apart
        ]
        self.onset = min(2 * LIMIT, max(0.0, self.onset + math.fsum(steps)))
        near = [max(-FURTHEST * sd, min(FURTHEST * sd, one)) ** 2 for one in apart]
        self._spread.add(math.fsum(near) / len(near))

    @property
    def sd(self) -> float:
        """Standard deviation of the gap of a group, as it is now, and never below the start's."""
        return max(self.start.gap_sd, math.sqrt(self._spread.value), 1e-9)

    @property
    def level_error(self) -> float:
        """Standard error of the level over groups."""
        rounds = 2 * self._present[0].rounds - 1
        now = max(1.0, self._groups.value * rounds)
        return self.sd * math.sqrt(1 / now + 1 / self.start.groups)

    @property
    def begins(self) -> bool:
        """Whether rewards have begun to leave the control judge."""
        return self.onset_over(1.0)

    @property
    def is_high(self) -> bool:
        """Whether they have risen, since the start, beyond what it can explain."""
        return self.level_over(1.0)

    def onset_over(self, part: float) -> bool:
        """Whether the onset is over that part of its limit."""
        return self.onset > part * LIMIT

    def level_over(self, part: float) -> bool:
        """Whether the level is over that part of its limit."""
        return self.level > part * (LEVEL + ERRORS * self.level_error)
