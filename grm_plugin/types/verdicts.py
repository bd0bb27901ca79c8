"""What a group comes to: its rewards, and everything they came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from grm_plugin.types.groups import Group
from grm_plugin.types.samples import Failure, Judgment


@dataclass(frozen=True, slots=True)
class Cost:
    """What a verdict cost: judge tokens in and out, wall seconds of the whole group."""

    prompt_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0


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
        cost: tokens and seconds.
        origin: what produced it, for the record: engine, model, template hash, sampling, vote,
            select.
        shown: the group with what sources added to it (evidence, principles); None when nothing.
        unscored_responses: why single responses have no reward, by their index.
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

    @property
    def scored(self) -> bool:
        """Whether this group has rewards."""
        return self.rewards is not None

    @property
    def known_rewards(self) -> tuple[float, ...]:
        """The rewards of the responses that have one."""
        return tuple(reward for reward in self.rewards or () if reward is not None)

    @property
    def failures_by_reason(self) -> dict[str, int]:
        """How many samples were dropped, by reason; only reasons that occurred."""
        counts: dict[str, int] = {}
        for failure in self.failures:
            counts[failure.reason] = counts.get(failure.reason, 0) + 1
        return counts
