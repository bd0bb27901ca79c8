"""What each sample of a group alone comes to: what stoppers that go by rewards look at."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from pydantic import Field, field_validator

from grm_plugin.options import Options
from grm_plugin.pipeline.case import Case
from grm_plugin.pipeline.settling import Rule, settle
from grm_plugin.size import Size
from grm_plugin.types import Judgment

Row = Mapping[int, float]
"""What one sample alone comes to: rewards by the index of the response."""


class RoundOptions(Options):
    """How samples are drawn before anybody looks.

    Args:
        min_samples: fewest samples to draw.
        round: samples to draw before looking again; even, so that an order comes with its reverse.
    """

    min_samples: int = Field(4, ge=2)
    round: int = Field(2, ge=2)

    @field_validator("round")
    @classmethod
    def _even(cls, value: int) -> int:
        if value % 2:
            raise ValueError(f"expected an even number, got {value}")
        return value


@dataclass(frozen=True)
class Drawn:
    """What was drawn of a group so far.

    Args:
        case: the group; ``case.size.k`` may be drawn.
        judgments: the valid samples.
        number: samples drawn, failed ones included.
        rule: how judgments become rewards.
    """

    case: Case
    judgments: Sequence[Judgment]
    number: int
    rule: Rule

    @property
    def k(self) -> int:
        """Samples that may be drawn."""
        return self.case.size.k

    @functools.cached_property
    def members(self) -> list[int]:
        """The responses that are judged, by index; a copy of another is not."""
        return sorted({n for run in self.case.runs for n in run})

    @property
    def gives_rewards(self) -> bool:
        """Whether every response would have the judge's reward if the drawing ended here."""
        settled = settle(self.judgments, self.case.judge_alone, self.rule)
        return settled.rewards is not None and None not in settled.rewards

    @functools.cached_property
    def width(self) -> float:
        """From the lowest reward that a sample can give to the highest."""
        low, high = self.rule.scale
        top, bottom = self.rule.voter([(high, low)], self.rule.scale)
        return top - bottom

    @functools.cached_property
    def rows(self) -> list[Row]:
        """What each sample alone comes to; without those that come to nothing."""
        alone = replace(self.case.judge_alone, size=Size(k=1), min_valid=1)
        found = []
        for sample in sorted({one.sample for one in self.judgments}):
            settled = settle(
                [one for one in self.judgments if one.sample == sample], alone, self.rule
            )
            rewards = enumerate(settled.rewards or ())
            found.append({n: reward for n, reward in rewards if reward is not None})
        return [row for row in found if row]

    @functools.cached_property
    def offsets(self) -> Row:
        """What a scalar RM adds to the sum of the samples' rewards, where it votes."""
        offsets = enumerate(self.rule.scalar.offsets(self.case.scalar, self.rule.scale))
        return {n: one for n, one in offsets if one is not None}


def next_round(drawn: Drawn, options: RoundOptions, is_enough: Callable[[Drawn], bool]) -> int:
    """How many samples to draw now; 0 when they are enough.

    A group of one response, which nothing is compared with, gets all k samples.

    Args:
        drawn: so far.
        options: of the stopper.
        is_enough: asked when every response would have a reward.
    """
    left = drawn.k - drawn.number
    if len(drawn.members) < 2:
        return left
    least = options.min_samples - drawn.number
    if least <= 0 and drawn.gives_rewards and is_enough(drawn):
        return 0
    return min(left, max(options.round, least + least % 2))
