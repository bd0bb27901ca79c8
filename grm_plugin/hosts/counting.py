"""Numbers that say how judging went, under the same names in every trainer's logs.

Every call gives the same names, so that all processes and all steps agree on them. A number that
does not exist, such as the mean reward when no group was scored, is NaN.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence

from grm_plugin.types import Judgment, Reason, Verdict


def numbers(verdicts: Sequence[Verdict], rewards: Sequence[Sequence[float]]) -> dict[str, float]:
    """One number per name over some verdicts.

    Args:
        verdicts: of all groups, scored or not.
        rewards: what the trainer gets for the scored groups.
    """
    judgments = [judgment for verdict in verdicts for judgment in verdict.judgments]
    failures = [failure for verdict in verdicts for failure in verdict.failures]
    dropped = {reason: sum(one.reason == reason for one in failures) for reason in Reason}
    samples = len(judgments) + len(failures)
    return {
        "reward_mean": mean(reward for group in rewards for reward in group),
        "reward_spread": mean(statistics.pstdev(group) for group in rewards),
        "vote_spread": mean(_vote_spreads(verdicts)),
        "tie_rate": mean(map(_tied, rewards)),
        "abstain_rate": mean(not verdict.scored for verdict in verdicts),
        "valid_rate": _share(len(judgments), samples),
        **{f"dropped_{reason}": _share(count, samples) for reason, count in dropped.items()},
        "meta_keep_rate": mean(judgment.voted for judgment in judgments),
        "tokens_in": float(sum(verdict.cost.prompt_tokens for verdict in verdicts)),
        "tokens_out": float(sum(verdict.cost.output_tokens for verdict in verdicts)),
    }


def voters(verdict: Verdict) -> list[Judgment]:
    """The judgments that were selected to vote."""
    return [judgment for judgment in verdict.judgments if judgment.voted]


def votes(judgments: Iterable[Judgment], n: int) -> list[float]:
    """The scores of response ``n`` (points) in the judgments that saw it."""
    scores = (judgment.scores[n] for judgment in judgments)
    return [score for score in scores if score is not None]


def mean(values: Iterable[float]) -> float:
    """The mean, NaN for nothing."""
    values = list(values)
    return float(statistics.fmean(values)) if values else math.nan


def _vote_spreads(verdicts: Iterable[Verdict]) -> Iterable[float]:
    for verdict in verdicts:
        voted = voters(verdict)
        for n in range(len(verdict.group.responses)):
            if found := votes(voted, n):
                yield statistics.pstdev(found)


def _tied(rewards: Sequence[float]) -> bool:
    return len(rewards) > 1 and rewards.count(max(rewards)) > 1


def _share(count: int, total: int) -> float:
    return count / total if total else math.nan
