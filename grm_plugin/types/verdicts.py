"""What a group comes to: its rewards, and everything they came from."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from grm_plugin.types.groups import Group
from grm_plugin.types.samples import Failure, Judgment, Sample
from grm_plugin.types.scalars import Scalar


@dataclass(frozen=True, slots=True)
class Cost:
    """What a verdict, or several, cost; of one that replaced another in a record, both.

    Args:
        prompt_tokens, output_tokens: that the judge read and wrote.
        seconds: wall seconds of the whole group.
        money: US dollars of the samples whose price is known; None when it is of none.
        unpriced: samples whose price is not known; where there are any, ``money`` is the least.
        flops: of the judge and all other models that were asked; None: what one of them took is
            not known. Tokens of which no FLOPs are told took some.
    """

    prompt_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0
    money: float | None = None
    unpriced: int = 0
    flops: float | None = 0.0

    def __post_init__(self) -> None:
        if not self.flops and (self.prompt_tokens or self.output_tokens):
            object.__setattr__(self, "flops", None)

    @classmethod
    def of(
        cls, samples: Iterable[Sample], seconds: float = 0.0, flops: float | None = None
    ) -> Cost:
        """Of samples together; no samples cost nothing that is known."""
        found = list(samples)
        known = _known(one.money for one in found)
        return cls(
            sum(one.prompt_tokens for one in found),
            sum(one.output_tokens for one in found),
            seconds,
            _total(known),
            len(found) - len(known),
            flops,
        )

    def share(self, share: float) -> Cost:
        """A part of it, 0..1.

        >>> Cost(prompt_tokens=6, money=3.0).share(1 / 2)
        Cost(prompt_tokens=3, output_tokens=0, seconds=0.0, money=1.5, unpriced=0, flops=None)
        """
        return Cost(
            round(self.prompt_tokens * share),
            round(self.output_tokens * share),
            self.seconds * share,
            None if self.money is None else self.money * share,
            round(self.unpriced * share),
            None if self.flops is None else self.flops * share,
        )

    def __add__(self, other: Cost) -> Cost:
        """Of both together."""
        return Cost(
            self.prompt_tokens + other.prompt_tokens,
            self.output_tokens + other.output_tokens,
            self.seconds + other.seconds,
            _total(_known((self.money, other.money))),
            self.unpriced + other.unpriced,
            all_together((self.flops, other.flops)),
        )


def all_together(amounts: Iterable[float | None]) -> float | None:
    """The sum; None where one of them is not known.

    >>> all_together([1e9, 2e9]), all_together([1e9, None]), all_together([])
    (3000000000.0, None, 0.0)
    """
    found = list(amounts)
    known = _known(found)
    return _total([0.0, *known]) if len(known) == len(found) else None


def _known(amounts: Iterable[float | None]) -> list[float]:
    return [one for one in amounts if one is not None and math.isfinite(one)]


def _total(known: Sequence[float]) -> float | None:
    """All together, as far as a float can hold it; None of none."""
    if not known:
        return None
    try:
        return math.fsum(known)
    except OverflowError:
        return math.copysign(sys.float_info.max, sum(known))


@dataclass(frozen=True, slots=True)
class Control:
    """What the control judge says of a group; it has no weight in any reward.

    Args:
        rewards: N in the group's order, by the control judge's own vote; None: it gave none.
        unscored: why there are none; empty when there are.
        cost: tokens, seconds and, where prices are known, money, beside those of the verdict.
        origin: what produced it, as that of a verdict.
    """

    rewards: tuple[float | None, ...] | None
    unscored: str = ""
    cost: Cost = Cost()
    origin: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """The rewards of one group and everything they came from.

    Args:
        group: what was asked.
        rewards: N rewards in the group's order, or None: the group is unscored. A None among them
            is a response that alone is unscored; ``unscored_responses`` says why.
        judgments: every readable sample, whether it voted or not.
        failures: every dropped sample.
        unscored: why there are no rewards; empty when there are.
        cost: tokens, seconds and, where prices are known, money.
        origin: what produced it, for the record: engine, model, template hash, sampling, vote,
            select.
        shown: the group with what sources added to it (evidence, principles); None when nothing.
        unscored_responses: why single responses have no reward, by their index.
        scalar: what a scalar RM says of the group; None where there is none. A group of which it
            is sure has rewards and no judgments.
        control: what the control judge says of it; None: it was not asked about this group.
    """

    group: Group
    rewards: tuple[float | None, ...] | None
    judgments: tuple[Judgment, ...] = ()
    failures: tuple[Failure, ...] = ()
    unscored: str = ""
    cost: Cost = Cost()
    origin: Mapping[str, Any] = field(default_factory=dict)
    shown: Group | None = None
    unscored_responses: Mapping[int, str] = field(default_factory=dict)
    scalar: Scalar | None = None
    control: Control | None = None

    @property
    def scored(self) -> bool:
        """Whether this group has rewards."""
        return self.rewards is not None

    @property
    def spent(self) -> Cost:
        """The cost, with what the control judge cost in the same seconds.

        Records of releases that knew no money say of no sample what it cost.
        """
        cost = self.cost
        if cost.money is None:
            cost = replace(cost, unpriced=len(self.judgments) + len(self.failures))
        return cost + replace(self.control.cost, seconds=0.0) if self.control else cost

    @property
    def known_rewards(self) -> tuple[float, ...]:
        """The rewards of the responses that have one."""
        return tuple(reward for reward in self.rewards or () if reward is not None)

    @property
    def drawn(self) -> int:
        """How many samples of each run were drawn, dropped ones included."""
        samples: list[Sample] = [*self.judgments, *self.failures]
        return max((one.sample + 1 for one in samples), default=0)

    @property
    def ended_early(self) -> bool:
        """Whether a stopper had enough before all k samples were drawn."""
        k = self.origin.get("k")
        return isinstance(k, int) and 0 < self.drawn < k

    @property
    def failures_by_reason(self) -> dict[str, int]:
        """How many samples were dropped, by reason; only reasons that occurred."""
        counts: dict[str, int] = {}
        for failure in self.failures:
            counts[failure.reason] = counts.get(failure.reason, 0) + 1
        return counts
