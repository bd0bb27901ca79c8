"""Numbers that say how judging went, under the same names in every trainer's logs.

Every call gives the same names, so that all processes and all steps agree on them. A number that
does not exist, such as the mean reward when no group was scored, is NaN.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence

from grm_plugin.hosts.places import Places
from grm_plugin.types import Cost, Judgment, Reason, Sample, Verdict


def numbers(
    verdicts: Sequence[Verdict], rewards: Sequence[Sequence[float | None]]
) -> dict[str, float]:
    """One number per name over some verdicts.

    ``place_gap`` is how far the mean scores of the best and the worst place in the prompt lie
    apart, ``place_first`` how far the first place lies above the mean of all (points). Chance
    alone opens a gap, the wider the fewer the judgments; it pushes ``place_first`` both ways.

    ``k_drawn`` is how many samples of a group were drawn, and ``early_rate`` the share of groups
    for which a stopper had enough before k; both leave out groups that were not judged at all.

    ``money`` is what the samples whose price is known cost in US dollars; ``unpriced_rate`` is the
    share of the others, for which it has to be taken as the least.

    ``cache_hit_rate`` is the share of the prompt tokens that the judge's server had cached, where
    it tells that; vLLM does with ``--enable-prompt-tokens-details``.

    Args:
        verdicts: of all groups, scored or not.
        rewards: what the trainer gets for the scored groups; None for a response without a reward.
    """
    known = [[reward for reward in group if reward is not None] for group in rewards]
    known = [group for group in known if group]
    judgments = [judgment for verdict in verdicts for judgment in verdict.judgments]
    failures = [failure for verdict in verdicts for failure in verdict.failures]
    dropped = {reason: sum(one.reason == reason for one in failures) for reason in Reason}
    samples = len(judgments) + len(failures)
    judged = [verdict for verdict in verdicts if verdict.drawn]
    places = Places.of(judgments)
    cost = sum((verdict.spent for verdict in verdicts), Cost())
    return {
        "reward_mean": mean(reward for group in known for reward in group),
        "reward_spread": mean(map(spread, known)),
        "vote_spread": mean(_vote_spreads(verdicts)),
        "tie_rate": mean(map(_tied, known)),
        "abstain_rate": mean(not verdict.scored for verdict in verdicts),
        "response_abstain_rate": mean(_abstained(verdicts)),
        "valid_rate": _share(len(judgments), samples),
        **{f"dropped_{reason}": _share(count, samples) for reason, count in dropped.items()},
        "place_gap": places.gap,
        "place_first": places.first,
        "k_drawn": mean(verdict.drawn for verdict in judged),
        "early_rate": mean(verdict.ended_early for verdict in judged),
        "meta_keep_rate": mean(judgment.voted for judgment in judgments),
        "tokens_in": float(cost.prompt_tokens),
        "tokens_out": float(cost.output_tokens),
        "cache_hit_rate": _cache_hits([*judgments, *failures]),
        "money": math.nan if cost.money is None else cost.money,
        "unpriced_rate": min(_share(cost.unpriced, samples), 1.0),
    }


def _cache_hits(samples: Iterable[Sample]) -> float:
    """NaN where no server tells; what it does not tell of is left out."""
    told = [(one.cached_tokens, one.prompt_tokens) for one in samples]
    known = [(cached, prompt) for cached, prompt in told if cached is not None]
    return _share(sum(cached for cached, _ in known), sum(prompt for _, prompt in known))


def voters(verdict: Verdict) -> list[Judgment]:
    """The judgments that were selected to vote."""
    return [judgment for judgment in verdict.judgments if judgment.voted]


def votes(judgments: Iterable[Judgment], n: int) -> list[float]:
    """The scores of response ``n`` (points) in the judgments that saw it."""
    scores = (judgment.scores[n] for judgment in judgments)
    return [score for score in scores if score is not None]


def spread(values: Sequence[float]) -> float:
    """The standard deviation of ``values``, at least one, around their mean.

    >>> spread([1.0, 3.0])
    1.0
    """
    middle = math.fsum(values) / len(values)
    return math.sqrt(math.fsum((value - middle) ** 2 for value in values) / len(values))


def mean(values: Iterable[float]) -> float:
    """The mean, NaN for nothing."""
    values = list(values)
    return float(statistics.fmean(values)) if values else math.nan


def _abstained(verdicts: Iterable[Verdict]) -> Iterable[bool]:
    """For each response of a scored group, whether it alone has no reward."""
    for verdict in verdicts:
        for reward in verdict.rewards or ():
            yield reward is None


def _vote_spreads(verdicts: Iterable[Verdict]) -> Iterable[float]:
    for verdict in verdicts:
        voted = voters(verdict)
        for n in range(len(verdict.group.responses)):
            if found := votes(voted, n):
                yield spread(found)


def _tied(rewards: Sequence[float]) -> bool:
    return len(rewards) > 1 and rewards.count(max(rewards)) > 1


def _share(count: int, total: int) -> float:
    return count / total if total else math.nan
