"""What TRL logs about the judge: numbers for a step and columns for its completions table.

Every call gives the same names, so that all ranks and all steps agree on them. A number that
does not exist in a call, such as the mean reward when no group was scored, is NaN, which TRL
leaves out of its averages.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from typing import Any

from grm_plugin.types import Judgment, Principle, Reason, Verdict

COLUMNS = ("critique", "votes", "principles", "unscored")
MAX_TEXT = 4000  # characters of a column, so that tables stay readable


def numbers(verdicts: Sequence[Verdict], rewards: Sequence[Sequence[float]]) -> dict[str, float]:
    """One number per name over a call's verdicts.

    Args:
        verdicts: of all groups, scored or not.
        rewards: what the trainer gets for the scored groups.
    """
    judgments = [judgment for verdict in verdicts for judgment in verdict.judgments]
    failures = [failure for verdict in verdicts for failure in verdict.failures]
    dropped = {reason: sum(one.reason == reason for one in failures) for reason in Reason}
    samples = len(judgments) + len(failures)
    return {
        "reward_mean": _mean(reward for group in rewards for reward in group),
        "reward_spread": _mean(statistics.pstdev(group) for group in rewards),
        "vote_spread": _mean(_vote_spreads(verdicts)),
        "tie_rate": _mean(map(_tied, rewards)),
        "abstain_rate": _mean(not verdict.scored for verdict in verdicts),
        "valid_rate": _share(len(judgments), samples),
        **{f"dropped_{reason}": _share(count, samples) for reason, count in dropped.items()},
        "meta_keep_rate": _mean(judgment.voted for judgment in judgments),
        "tokens_in": float(sum(verdict.cost.prompt_tokens for verdict in verdicts)),
        "tokens_out": float(sum(verdict.cost.output_tokens for verdict in verdicts)),
    }


def columns(verdict: Verdict) -> list[dict[str, Any]]:
    """What the completions table shows beside each response of a verdict's group."""
    voted = _voted(verdict)
    votes = [_votes(voted, n) for n in range(len(verdict.group.responses))]
    shown = _nearest(voted, votes)
    text = {
        "critique": shown.text[:MAX_TEXT] if shown else "",
        "principles": _principles(shown) if shown else "",
        "unscored": verdict.unscored[:MAX_TEXT],
    }
    return [{**text, "votes": row} for row in votes]


def _voted(verdict: Verdict) -> list[Judgment]:
    return [judgment for judgment in verdict.judgments if judgment.voted]


def _votes(judgments: Iterable[Judgment], n: int) -> list[float]:
    scores = (judgment.scores[n] for judgment in judgments)
    return [score for score in scores if score is not None]


def _vote_spreads(verdicts: Iterable[Verdict]) -> Iterable[float]:
    for verdict in verdicts:
        voted = _voted(verdict)
        for n in range(len(verdict.group.responses)):
            if votes := _votes(voted, n):
                yield statistics.pstdev(votes)


def _nearest(voted: Sequence[Judgment], votes: Sequence[Sequence[float]]) -> Judgment | None:
    """The judgment whose scores come nearest to the mean vote."""
    means = [statistics.fmean(row) if row else 0.0 for row in votes]

    def distance(judgment: Judgment) -> float:
        pairs = zip(judgment.scores, means, strict=True)
        return _mean(abs(score - mean) for score, mean in pairs if score is not None)

    return min(voted, key=distance, default=None)


def _principles(judgment: Judgment) -> str:
    return "; ".join(map(_principle, judgment.principles))[:MAX_TEXT]


def _principle(principle: Principle) -> str:
    weight = "" if principle.weight is None else f" ({principle.weight:g})"
    return principle.text + weight


def _tied(rewards: Sequence[float]) -> bool:
    return len(rewards) > 1 and rewards.count(max(rewards)) > 1


def _mean(values: Iterable[float]) -> float:
    values = list(values)
    return float(statistics.fmean(values)) if values else math.nan


def _share(count: int, total: int) -> float:
    return count / total if total else math.nan
