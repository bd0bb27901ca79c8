"""The values a study of more samples comes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from grm_plugin.evaluation.resampling import Difference
from grm_plugin.evaluation.statistics import Estimate

GREEDY = "greedy"


@dataclass(frozen=True)
class Cost:
    """What the judgments of one group cost on average, dropped samples included.

    Args:
        samples: drawn.
        read, written: tokens of prompts and of judgments.
        seconds: of the requests, added up, however many ran at a time.
        scalar_read: tokens that a scalar RM read, where the scheme asks one and it tells.
    """

    samples: float
    read: float
    written: float
    seconds: float
    scalar_read: float = 0.0


@dataclass(frozen=True)
class Point:
    """One scheme at one k, over the groups of a part; shares are 0..1.

    Args:
        scheme: its name; ``greedy`` for a judgment at temperature 0.
        k: samples that may be drawn.
        accuracy: how often the right response wins, ties counted as asked.
        random, half, strict: the same with ties broken at random, counted one half, or nothing.
        ties: how often the top is a tie.
        unscored: how often there is no reward, which counts as not right.
        cost: of a group.
        against: paired differences of the accuracy, by what it is compared with: ``one`` sample;
            ``greedy``; the ``mean`` of the same k; ``uniform``, the mean of as many samples as were
            drawn on average. What tells nothing is left out.
    """

    scheme: str
    k: int
    accuracy: Estimate
    random: float
    half: float
    strict: float
    ties: float
    unscored: float
    cost: Cost
    against: Mapping[str, Difference]


@dataclass(frozen=True)
class Part:
    """Groups that are reported together.

    Args:
        name: ``overall``, ``N = 4``, ``subset chat``.
        groups: how many.
        clusters: of each kind that groups are clustered by, how many there are.
        chance: accuracy of a blind choice, 0..1.
        points: of every scheme at every k, schemes in their order, k ascending.
        greedy: one judgment at temperature 0; None where there is none.
    """

    name: str
    groups: int
    clusters: Mapping[str, int]
    chance: float
    points: tuple[Point, ...]
    greedy: Point | None = None

    @property
    def schemes(self) -> list[str]:
        """Their names, in order."""
        return list(dict.fromkeys(one.scheme for one in self.points))

    def of(self, scheme: str) -> list[Point]:
        """The points of one scheme, by k."""
        return [one for one in self.points if one.scheme == scheme]
