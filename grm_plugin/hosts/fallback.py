"""A number for every response, for trainers that know no "no opinion".

TRL leaves an unscored group out. OpenRLHF wants a number: these are numbers from which an
estimator that compares the responses of a group learns nothing. One that compares with others, or
with a critic, does learn from them, so that whoever hands them on has to take their weight away.
"""

from __future__ import annotations

import math
import statistics
from collections import deque
from dataclasses import dataclass

from grm_plugin.hosts import watch_metrics
from grm_plugin.hosts.counting import Tally
from grm_plugin.hosts.metrics import METRICS, Described, numbers
from grm_plugin.types import Verdict
from grm_plugin.watching.watch import Watch

PREFIX = "grm/"
_OF_A_GROUP = tuple(one.described for one in METRICS if one.described.in_a_group is not None)
OWN = (
    Described(
        "reward_mean",
        "reward",
        "0 to 1, unless `vote: sum`",
        "mean of the responses that have a reward; in an unscored group what they got instead",
    ),
    Described(
        "filled_rate",
        "",
        "0 to 1",
        "share of the responses that got the mean of their scored group in place of a reward",
    ),
    Described("seconds", "seconds", "0 or more", "of judging a group"),
)


@dataclass(frozen=True, slots=True)
class Filled:
    """The numbers a trainer gets for one group.

    Args:
        rewards: N finite rewards in the group's order.
        filled: how many responses were left unscored and got the mean of the scored ones.
        unscored: whether the whole group was, and all its responses got one and the same value.
    """

    rewards: tuple[float, ...]
    filled: int = 0
    unscored: bool = False

    @property
    def mean(self) -> float:
        """The mean reward: the number for a response that missed the judging of its group."""
        return statistics.fmean(self.rewards)


class Fallback:
    """Turns verdicts into numbers and remembers recent rewards. Not for several threads at once.

    A response left unscored (its reward is None) gets the mean of the scored ones of its
    group. A group left unscored gets the mean of recent rewards for all its responses, or a better
    number that the caller knows.

    Args:
        window: how many recent rewards of responses, filled ones not counted, the mean is over.
        start: the value as long as there was no reward yet; 0.5 is the middle of 0..1.

    Raises:
        ValueError: ``window`` is below 1 or ``start`` is not finite.

    >>> from grm_plugin import Group
    >>> fallback, group = Fallback(), Group.of("2 + 2?", ["4", "5"])
    >>> fallback.fill(Verdict(group, (1.0, 0.5))).rewards
    (1.0, 0.5)
    >>> fallback.fill(Verdict(group, None, unscored="the judge is away")).rewards
    (0.75, 0.75)
    """

    def __init__(self, window: int = 512, start: float = 0.5) -> None:
        if window < 1 or not math.isfinite(start):
            raise ValueError(
                f"expected a window of 1 or more and a finite start, got {window} and {start}"
            )
        self._recent: deque[float] = deque(maxlen=window)
        self._start = start

    @property
    def value(self) -> float:
        """What the responses of an unscored group get now: the mean of recent rewards."""
        return statistics.fmean(self._recent) if self._recent else self._start

    def fill(self, verdict: Verdict, otherwise: float | None = None) -> Filled:
        """The numbers for the responses of ``verdict``; its own rewards join the recent ones.

        Args:
            verdict: of one group.
            otherwise: what its responses get when it is unscored; None is the mean of recent
                rewards.
        """
        scored = verdict.known_rewards
        if verdict.rewards is None or not scored:
            value = self.value if otherwise is None else otherwise
            return Filled((value,) * len(verdict.group.responses), unscored=True)
        self._recent.extend(scored)
        mean = statistics.fmean(scored)
        rewards = tuple(mean if reward is None else reward for reward in verdict.rewards)
        return Filled(rewards, filled=len(rewards) - len(scored))


def extra_logs(verdict: Verdict, filled: Filled, watch: Watch | None = None) -> dict[str, float]:
    """What a host logs beside each reward of a group: always the same names, always finite.

    OpenRLHF averages them over samples, so a flag such as ``grm/unscored_rate`` becomes the share
    of responses. What does not exist, such as the spread of votes where nobody voted, is 0;
    ``grm/money`` is so where ``grm/unpriced_rate`` is 1.
    """
    judged = numbers(Tally.of([verdict]))
    found = {
        "reward_mean": filled.mean,
        "filled_rate": filled.filled / len(filled.rewards),
        "seconds": verdict.cost.seconds,
        **{one.name: judged[one.name] for one in _OF_A_GROUP},
        **watch_metrics.numbers(watch),
    }
    return {
        PREFIX + name: number if math.isfinite(number) else 0.0 for name, number in found.items()
    }


def described() -> tuple[Described, ...]:
    """What :func:`extra_logs` gives, one by one."""
    return (*OWN, *map(_of_a_group, _OF_A_GROUP))


def _of_a_group(one: Described) -> Described:
    return one._replace(meaning=f"{one.meaning}; {one.in_a_group}") if one.in_a_group else one
