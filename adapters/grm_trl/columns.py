"""The columns that TRL's completions table shows beside each response."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any

from grm_plugin.hosts import counting
from grm_plugin.types import Judgment, Principle, Verdict

COLUMNS = ("critique", "votes", "principles", "unscored")
MAX_TEXT = 4000  # characters of a column, so that tables stay readable


def columns(verdict: Verdict) -> list[dict[str, Any]]:
    """What the completions table shows beside each response of a verdict's group."""
    voted = counting.voters(verdict)
    votes = [counting.votes(voted, n) for n in range(len(verdict.group.responses))]
    shown = _nearest(voted, votes)
    text = {
        "critique": shown.text[:MAX_TEXT] if shown else "",
        "principles": _principles(shown) if shown else "",
    }
    reasons = [verdict.unscored or verdict.unscored_responses.get(n, "") for n in range(len(votes))]
    return [
        {**text, "votes": row, "unscored": why[:MAX_TEXT]}
        for row, why in zip(votes, reasons, strict=True)
    ]


def _nearest(voted: Sequence[Judgment], votes: Sequence[Sequence[float]]) -> Judgment | None:
    """The judgment whose scores come nearest to the mean vote."""
    means = [statistics.fmean(row) if row else 0.0 for row in votes]

    def distance(judgment: Judgment) -> float:
        pairs = zip(judgment.scores, means, strict=True)
        return counting.mean(abs(score - mean) for score, mean in pairs if score is not None)

    return min(voted, key=distance, default=None)


def _principles(judgment: Judgment) -> str:
    return "; ".join(map(_principle, judgment.principles))[:MAX_TEXT]


def _principle(principle: Principle) -> str:
    weight = "" if principle.weight is None else f" ({principle.weight:g})"
    return principle.text + weight
