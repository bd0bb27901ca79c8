"""Whether the place at which a response is shown moves its score, or who wins."""

from __future__ import annotations

from itertools import zip_longest

from grm_plugin.evaluation.accuracy import hit
from grm_plugin.evaluation.blocks import Sums
from grm_plugin.hosts.places import by_place
from grm_plugin.types import Judgment, Verdict

MOST_PLACES = 64
"""Further places are not told apart."""


def place_sums(verdict: Verdict, best: int | None) -> dict[str, float]:
    """Lifts (points above the mean of the judgment) by place, and hits by place of the best.

    Args:
        verdict: of one group.
        best: the response that is known to be the single best; None where nobody knows.
    """
    judged = [(one, scores) for one in verdict.judgments if (scores := by_place(one))]
    if not judged:
        return {}
    lifts = [_lifts(scores) for _, scores in judged]
    sums = {"last lift": sum(one[-1] for one in lifts), "placed judgments": float(len(judged))}
    columns = zip_longest(*(one[:MOST_PLACES] for one in lifts))
    for place, column in enumerate(columns, start=1):
        known = [lift for lift in column if lift is not None]
        sums[f"lift {place}"], sums[f"lifts {place}"] = sum(known), len(known)
    if best is not None:
        for judgment, _ in judged:
            _add_hit(sums, judgment, best)
    return sums


def places(sums: Sums) -> list[int]:
    """The places of which lifts were summed, from 1 on."""
    return [place for place in range(1, MOST_PLACES + 1) if sums.get(f"lifts {place}")]


def _lifts(scores: list[float]) -> list[float]:
    mean = sum(scores) / len(scores)
    return [score - mean for score in scores]


def _add_hit(sums: dict[str, float], judgment: Judgment, best: int) -> None:
    """Whether a judgment picks the best response, by the place at which it saw it."""
    if best not in judgment.order[:MOST_PLACES]:
        return
    place = judgment.order.index(best) + 1
    sums[f"hit {place}"] = sums.get(f"hit {place}", 0.0) + hit(judgment.scores, best)
    sums[f"hits {place}"] = sums.get(f"hits {place}", 0.0) + 1
