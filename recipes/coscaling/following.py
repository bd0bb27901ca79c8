"""How reward follows true quality over the responses of a run, as moments that add up."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import reduce
from operator import add
from typing import Any

from grm_plugin.evaluation.truth import Ratings, truth_of
from grm_plugin.types import Verdict
from grm_plugin.watching.moments import Moments

Pairs = Sequence[tuple[float, float]]
"""True quality and reward of responses."""

_PREFIX = "follows/"


def rated(verdict: Verdict) -> Pairs:
    """The responses of a group that have a reward, with what its metadata says of them.

    Raises:
        InputError: it says no ratings.
    """
    truth = truth_of(verdict.group)
    known = truth.values_N if isinstance(truth, Ratings) else ()
    return rewarded(verdict, known)


def rewarded(verdict: Verdict, qualities_N: Sequence[float]) -> Pairs:
    """The responses of a group that have a reward, with the quality of each."""
    both = zip(qualities_N, verdict.rewards or (), strict=False)  # none of a group without rewards
    return [(quality, reward) for quality, reward in both if reward is not None]


def logged(pairs: Iterable[tuple[float, float]]) -> dict[str, float]:
    """What a line of the log says of responses; nothing of none."""
    moments = Moments()
    for pair in pairs:
        moments.add(*pair)
    found = {f"{_PREFIX}{name}": value for name, value in asdict(moments).items()}
    return found if moments.count else {}


def slope(rows: Iterable[Mapping[str, Any]]) -> float:
    """Of the regression of reward on true quality over the responses of some lines of a log.

    True quality is known without an error, so noise of the reward leaves the slope where it is.
    NaN where true quality never differs, or nothing was logged.

    >>> round(slope([logged([(0.0, 0.2), (1.0, 0.6)]), {}, logged([(0.5, 0.4)])]), 9)
    0.4
    """
    moments = reduce(add, map(_read, rows), Moments())
    return moments.xy / moments.xx if moments.xx > 0 else math.nan


def _read(row: Mapping[str, Any]) -> Moments:
    found = {name.removeprefix(_PREFIX): row[name] for name in row if name.startswith(_PREFIX)}
    return Moments(**found)
