"""Rewards rounded to a step, so that responses of equal quality tie in the trainer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from grm_plugin.errors import ConfigError
from grm_plugin.grm import GRM
from grm_plugin.hosts.recorded import ROUND_TO
from grm_plugin.hosts.reward_range import UNIT, Range, ranges, reward_range
from grm_plugin.types import Verdict
from grm_plugin.types.training import PHASE


def check_step(owner: str, step: float | None, judge: GRM) -> None:
    """Refuse a step by which all rewards would tie, such as 5 for 0.05.

    Args:
        owner: whose option it is, say ``adapter 'trl'``.
        step: None: nothing is rounded.
        judge: whose rewards are rounded.

    Raises:
        ConfigError: it is larger than half of the range of rewards, at the smallest size.
    """
    if step is None or not (known := ranges(judge)):
        return
    low, high = min(known, key=_width)
    most = _width((low, high)) / 2
    if step > most:
        raise ConfigError(
            f"{owner}: round_to: expected at most {most:g}, half of the range of rewards with "
            f"vote: {judge.config.vote} ({low:g} to {high:g}), got {step:g}"
        )


def rounded(
    rewards: Sequence[float | None] | None, step: float | None, within: Range | None
) -> tuple[float | None, ...] | None:
    """Rewards at the nearest multiples of ``step``; as they are when there is no step.

    Args:
        rewards: of a group; None, for one and for all, stays None.
        step: what they are rounded to.
        within: lowest and highest reward, where that is known; none is rounded out of 0..1.

    >>> a, b, c, d = rounded([0.77, 0.83, 0.8, None], 0.1, UNIT)
    >>> (a == b == c, d)
    (True, None)
    >>> rounded([1.0], 0.35, UNIT)
    (1.0,)
    >>> rounded([0.77], None, UNIT)
    (0.77,)
    """
    if rewards is None:
        return None
    return tuple(None if one is None else _nearest(one, step, within) for one in rewards)


def rounded_to(step: float | None, verdict: Verdict) -> Verdict:
    """A verdict with its rewards rounded to ``step``; as it is when there is none."""
    within = reward_range(verdict.origin)
    return replace(verdict, rewards=rounded(verdict.rewards, step, within))


def as_trained(verdict: Verdict) -> Verdict:
    """A verdict with the rewards that its trainer got.

    A record holds those of the judge, from which other votes can be taken. Where a trainer rounds,
    the group says to what; rounded rewards stay as they are.
    """
    step = verdict.group.metadata.get(ROUND_TO)
    if not isinstance(step, float) or not 0 < step < math.inf:
        return verdict
    if PHASE not in verdict.group.metadata:  # it is no trainer's word
        return verdict
    return rounded_to(step, verdict)


def as_judged(verdict: Verdict) -> Verdict:
    """A verdict whose rewards stay those of the judge, whatever its trainer rounded them to."""
    if ROUND_TO not in verdict.group.metadata or PHASE not in verdict.group.metadata:
        return verdict
    rest = {name: one for name, one in verdict.group.metadata.items() if name != ROUND_TO}
    return replace(verdict, group=replace(verdict.group, metadata=rest))


def _width(within: Range) -> float:
    low, high = within
    return high - low


def _nearest(reward: float, step: float | None, within: Range | None) -> float:
    if step is None or not math.isfinite(reward / step):
        return reward
    nearest = round(reward / step) * step
    return min(1.0, max(0.0, nearest)) if within == UNIT else nearest
