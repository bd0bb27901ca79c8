"""Counting verdicts: what ``grm score`` shows while it runs and at its end."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field

from rich.table import Table

from grm_plugin.hosts.counting import spread
from grm_plugin.hosts.places import Places
from grm_plugin.prices import dollars
from grm_plugin.report.terminal import plain_table
from grm_plugin.types import Cost, Verdict

_PLACES = 8
_SUMS = (
    *("scored", "judged", "drawn", "early", "valid", "left_out", "compared", "ties"),
    *("reward_sum", "spread_sum", "cost"),
)


@dataclass
class Tally:
    """Counts over verdicts; add them one by one."""

    scored: int = 0
    unscored: Counter[str] = field(default_factory=Counter)
    judged: int = 0
    drawn: int = 0
    early: int = 0
    valid: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    left_out: int = 0
    compared: int = 0
    ties: int = 0
    places: Places = field(default_factory=Places)
    reward_sum: float = 0.0
    spread_sum: float = 0.0
    cost: Cost = field(default_factory=Cost)

    def add(self, verdict: Verdict) -> None:
        """Count one verdict."""
        self.judged += verdict.drawn > 0
        self.drawn += verdict.drawn
        self.early += verdict.ended_early
        self.valid += len(verdict.judgments)
        self.dropped.update(verdict.failures_by_reason)
        self.cost += verdict.spent
        for judgment in verdict.judgments:
            self.places.add(judgment)
        if not verdict.known_rewards:
            self.unscored[why_unscored(verdict)] += 1
            return
        self.scored += 1
        rewards = verdict.known_rewards
        self.left_out += len(verdict.group.responses) - len(rewards)
        self.reward_sum += sum(rewards) / len(rewards)
        if len(rewards) > 1:
            self.compared += 1
            self.spread_sum += spread(rewards)
        self.ties += rewards.count(max(rewards)) > 1

    def merge(self, other: Tally) -> None:
        """Count all that ``other`` has counted."""
        for name in _SUMS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.unscored.update(other.unscored)
        self.dropped.update(other.dropped)
        self.places.merge(other.places)

    @property
    def groups(self) -> int:
        """Verdicts counted."""
        return self.scored + self.unscored.total()

    @property
    def valid_rate(self) -> float:
        """Share of the samples that could be read, 0..1; 1 before the first."""
        samples = self.valid + self.dropped.total()
        return self.valid / samples if samples else 1.0

    @property
    def mean_reward(self) -> float:
        """Mean over the scored groups of the mean of their rewards; NaN before the first."""
        return self.reward_sum / self.scored if self.scored else math.nan

    @property
    def mean_spread(self) -> float:
        """Mean standard deviation of the rewards of a group with two or more; NaN for none."""
        return self.spread_sum / self.compared if self.compared else math.nan

    @property
    def tie_rate(self) -> float:
        """Share of the groups with two or more rewards whose top is a tie; NaN for none."""
        return self.ties / self.compared if self.compared else math.nan

    @property
    def unscored_rate(self) -> float:
        """Share of the groups without rewards, 0..1; NaN before the first."""
        return self.unscored.total() / self.groups if self.groups else math.nan


def why_unscored(verdict: Verdict) -> str:
    """The kind of reason a group has no rewards, for counting.

    ``refused`` when it was not judged at all; else the most frequent reason its samples failed.
    """
    if verdict.unscored.startswith("refused"):
        return "refused"
    reasons = Counter(verdict.failures_by_reason)
    return f"mostly {reasons.most_common(1)[0][0]}" if reasons else "too few samples"


def summary(tally: Tally, *, judged: int, seconds: float) -> Table:
    """The table at the end.

    Args:
        tally: all verdicts of the output.
        judged: how many of them this run added.
        seconds: wall seconds this run judged.
    """
    table = plain_table("", ">", "", head=False)
    for name, value, note in _rows(tally):
        table.add_row(name, value, note)
    table.add_row("this run", f"{judged:,}", f"groups in {seconds:.1f} s, {rate(judged, seconds)}")
    return table


def _rows(tally: Tally) -> list[tuple[str, str, str]]:
    mean = f"{tally.mean_reward:.3f}" if tally.scored else "none"
    cost = tally.cost
    ties = f"{tally.tie_rate:.1%}" if tally.compared else "none"
    return [
        ("groups", f"{tally.groups:,}", ""),
        ("scored", f"{tally.scored:,}", ""),
        ("unscored", f"{tally.unscored.total():,}", by_reason(tally.unscored)),
        *_left_out(tally),
        *_early(tally),
        ("samples valid", f"{tally.valid:,}", f"{tally.valid_rate:.1%}"),
        ("samples dropped", f"{tally.dropped.total():,}", by_reason(tally.dropped)),
        ("ties for the top", ties, "of groups with two or more responses"),
        ("mean reward", mean, ""),
        *_by_place(tally.places),
        ("judge tokens", f"{cost.output_tokens:,}", f"written, {cost.prompt_tokens:,} read"),
        *_money(cost),
    ]


def _left_out(tally: Tally) -> list[tuple[str, str, str]]:
    if not tally.left_out:
        return []
    return [("responses unscored", f"{tally.left_out:,}", "of scored groups")]


def _early(tally: Tally) -> list[tuple[str, str, str]]:
    """Samples a group; nothing where every group got all of them."""
    if not tally.early:
        return []
    note = f"mean; {tally.early / tally.judged:.1%} of groups had enough before k"
    return [("samples a group", f"{tally.drawn / tally.judged:.1f}", note)]


def _money(cost: Cost) -> list[tuple[str, str, str]]:
    if cost.money is None:
        return []
    return [("judge money", dollars(cost.money), _unpriced(cost))]


def paid_for(cost: Cost) -> str:
    """``$0.031``, with what is not known of it; empty when nothing is."""
    if cost.money is None:
        return ""
    return " ".join(filter(None, [dollars(cost.money), _unpriced(cost)]))


def _unpriced(cost: Cost) -> str:
    if not cost.unpriced:
        return ""
    samples = "1 sample" if cost.unpriced == 1 else f"{cost.unpriced:,} samples"
    return f"at least; the price of {samples} is not known"


def _by_place(places: Places) -> list[tuple[str, str, str]]:
    """The mean score at each of the first places; nothing where no two responses were compared."""
    if not places.judgments:
        return []
    means = " ".join(f"{mean:.2f}" for mean in places.means[:_PLACES])
    more = " ..." if len(places.means) > _PLACES else ""
    return [("place gap", f"{places.gap:.2f}", f"points; mean score by place: {means}{more}")]


def by_reason(counts: Counter[str]) -> str:
    """``3 truncated, 1 timeout``; empty for nothing."""
    return ", ".join(f"{count:,} {reason}" for reason, count in counts.most_common())


def rate(groups: int, seconds: float) -> str:
    """Groups per second, or seconds per group where that reads better."""
    if not groups or not seconds:
        return "no rate"
    speed = groups / seconds
    return f"{speed:.1f} groups/s" if speed >= 1 else f"{1 / speed:.1f} s/group"
