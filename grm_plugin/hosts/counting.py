"""Verdicts counted, once: what `grm score` shows, trainers log and a server exports."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, fields

from grm_plugin.correlation import Correlation
from grm_plugin.hosts.averages import Mean, log_length, spread
from grm_plugin.hosts.places import Places
from grm_plugin.hosts.rounding import as_trained
from grm_plugin.hosts.scalar_counting import ScalarTally
from grm_plugin.reliability import VoteVariance
from grm_plugin.types import Cost, Judgment, Sample, Verdict
from grm_plugin.watching.compared import Compared


@dataclass
class Tally:
    """Counts over verdicts; add them one by one, in memory that does not grow, or add tallies.

    Args:
        scored: groups with a reward.
        unscored: groups without, by :func:`why_unscored`.
        left_out: responses of scored groups that alone have no reward.
        rewards: of the responses that have one.
        by_group: mean reward of each scored group.
        best: the highest reward of each.
        compared: groups with two rewards or more.
        spread: of the rewards within each of them (population standard deviation).
        ties: those of them in which two or more share the highest reward.
        lengths: logarithm of a response's characters against its reward, within groups.
        asked: k of each judged group, where its origin tells.
        drawn: samples of each judged group, of each of its runs.
        early: groups for which a stopper had enough before k.
        valid: judgments, whether they voted or not.
        selected: judgments that voted.
        dropped: samples without a judgment, by reason.
        vote_spread: of the votes on each response (points, population standard deviation).
        vote_variance: of all judgments, between the responses of a group and within each.
        places: the scores by place.
        cached: prompt tokens that servers had cached, over all of the samples that tell it.
        scalar: what a scalar RM did.
        controlled: groups that the control judge gave rewards.
        uncontrolled: groups about which it was asked in vain.
        control: rewards against its own, within groups.
        cost: all that was spent.
    """

    scored: int = 0
    unscored: Counter[str] = field(default_factory=Counter)
    left_out: int = 0
    rewards: Mean = field(default_factory=Mean)
    by_group: Mean = field(default_factory=Mean)
    best: Mean = field(default_factory=Mean)
    compared: int = 0
    spread: Mean = field(default_factory=Mean)
    ties: int = 0
    lengths: Correlation = field(default_factory=Correlation)
    asked: Mean = field(default_factory=Mean)
    drawn: Mean = field(default_factory=Mean)
    early: int = 0
    valid: int = 0
    selected: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    vote_spread: Mean = field(default_factory=Mean)
    vote_variance: VoteVariance = field(default_factory=VoteVariance)
    places: Places = field(default_factory=Places)
    cached: Mean = field(default_factory=Mean)
    scalar: ScalarTally = field(default_factory=ScalarTally)
    controlled: int = 0
    uncontrolled: int = 0
    control: Correlation = field(default_factory=Correlation)
    cost: Cost = field(default_factory=Cost)

    @classmethod
    def of(cls, verdicts: Iterable[Verdict]) -> Tally:
        """All of ``verdicts``, counted."""
        tally = cls()
        for verdict in verdicts:
            tally.add(verdict)
        return tally

    def __add__(self, other: Tally) -> Tally:
        return Tally(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))

    def add(self, verdict: Verdict) -> None:
        """Count one verdict, with the rewards that its trainer got."""
        verdict = as_trained(verdict)
        self._add_samples(verdict)
        self._add_votes(verdict)
        self.scalar.add(verdict)
        self._add_control(verdict)
        if verdict.known_rewards:
            self._add_rewards(verdict)
        else:
            self.unscored[why_unscored(verdict)] += 1

    def _add_samples(self, verdict: Verdict) -> None:
        samples: list[Sample] = [*verdict.judgments, *verdict.failures]
        if samples:
            self.drawn.add(verdict.drawn)
            self.early += verdict.ended_early
            if isinstance(k := verdict.origin.get("k"), int):
                self.asked.add(k)
        self.valid += len(verdict.judgments)
        self.dropped.update(verdict.failures_by_reason)
        self.cost += verdict.spent
        for sample in samples:
            if sample.cached_tokens is not None:
                self.cached += Mean(sample.cached_tokens, sample.prompt_tokens)

    def _add_votes(self, verdict: Verdict) -> None:
        voted = voters(verdict)
        self.selected += len(voted)
        for judgment in verdict.judgments:
            self.places.add(judgment)
        responses = range(len(verdict.group.responses))
        self.vote_variance += VoteVariance.of([votes(verdict.judgments, n) for n in responses])
        for n in responses:
            if found := votes(voted, n):
                self.vote_spread.add(spread(found))

    def _add_control(self, verdict: Verdict) -> None:
        if verdict.control is None:
            return
        self.uncontrolled += verdict.control.rewards is None
        self.controlled += verdict.control.rewards is not None
        if group := Compared.of(verdict):
            self.control += group.inside

    def _add_rewards(self, verdict: Verdict) -> None:
        rewards = verdict.known_rewards
        self.scored += 1
        self.left_out += len(verdict.group.responses) - len(rewards)
        self.rewards.add(*rewards)
        self.by_group.add(statistics.fmean(rewards))
        self.best.add(max(rewards))
        if len(rewards) > 1:
            self.compared += 1
            self.spread.add(spread(rewards))
        self.ties += rewards.count(max(rewards)) > 1
        both = zip(verdict.group.responses, verdict.rewards or (), strict=True)
        known = ((log_length(text), one) for text, one in both if one is not None)
        self.lengths.add(known)

    @property
    def groups(self) -> int:
        """Verdicts counted."""
        return self.scored + self.unscored.total()

    @property
    def judged(self) -> int:
        """Groups of which a sample was drawn."""
        return self.drawn.count

    @property
    def samples(self) -> int:
        """Samples drawn, of all groups."""
        return self.valid + self.dropped.total()

    @property
    def valid_rate(self) -> float:
        """Share of the samples that could be read, 0..1; NaN before the first."""
        return share(self.valid, self.samples)

    @property
    def mean_reward(self) -> float:
        """Mean of the responses that have a reward; NaN for none."""
        return self.rewards.value

    @property
    def mean_spread(self) -> float:
        """Mean standard deviation within groups with two rewards or more; NaN for none."""
        return self.spread.value

    @property
    def tie_rate(self) -> float:
        """Share of the groups with two rewards or more whose top is a tie; NaN for none."""
        return share(self.ties, self.compared)

    @property
    def unscored_rate(self) -> float:
        """Share of the groups without rewards; NaN before the first."""
        return share(self.unscored.total(), self.groups)


def share(count: float, total: float) -> float:
    """``count`` of ``total``; NaN of nothing."""
    return count / total if total else math.nan


def why_unscored(verdict: Verdict) -> str:
    """The kind of reason a group has no rewards, for counting.

    ``refused`` when it was not judged at all; ``scalar RM`` when that gave no score; else the most
    frequent reason its samples failed.
    """
    if verdict.unscored.startswith("refused"):
        return "refused"
    if verdict.scalar and not verdict.scalar.judged:
        return "scalar RM"
    reasons = Counter(verdict.failures_by_reason)
    return f"mostly {reasons.most_common(1)[0][0]}" if reasons else "too few samples"


def voters(verdict: Verdict) -> list[Judgment]:
    """The judgments that were selected to vote."""
    return [judgment for judgment in verdict.judgments if judgment.voted]


def votes(judgments: Iterable[Judgment], n: int) -> list[float]:
    """The scores of response ``n`` (points) in the judgments that saw it."""
    scores = (judgment.scores[n] for judgment in judgments)
    return [score for score in scores if score is not None]
