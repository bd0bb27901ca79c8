"""How wrong a single judgment is, where the truth of its group is known."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from grm_plugin.evaluation.outcomes import Ties, credit
from grm_plugin.evaluation.truth import Best, Correct, Ratings, Truth
from grm_plugin.types import Judgment

TIES: Ties = "random"
"""What a tie at the top counts here: the share of right ones among the tied."""


def wrong(judgment: Judgment, truth: Truth) -> float | None:
    """How wrong the scores of a judgment are, 0..1; None where they can not tell.

    Of a best set: 1 where another response than a best one is on top, and of a tie the share of
    others in it. Of ratings: the share of pairs in the other order, a tie counting half. Of a
    judgment that saw some of the responses: the same among these. Of a single response it is None:
    a record does not tell the scale whose middle parts right from wrong.

    >>> judgment = Judgment(0, (1, 0), 0, "", (8.0, 3.0))
    >>> wrong(judgment, Best((1,))), wrong(judgment, Ratings((0.5, 0.1)))
    (1.0, 0.0)
    """
    seen = [n for n, score in enumerate(judgment.scores) if score is not None]
    scores = [score for score in judgment.scores if score is not None]
    among = _among(truth, seen)
    if among is None or len(seen) < 2:
        return None
    if isinstance(among, Ratings):
        return _discordant(scores, among.values_N)
    return 1.0 - credit(scores, among, TIES)


def _among(truth: Truth, seen: Sequence[int]) -> Truth | None:
    """What is known of the responses at ``seen``; None where that tells none from the others."""
    if isinstance(truth, Ratings):
        return Ratings(tuple(truth.values_N[n] for n in seen))
    right = truth.indices if isinstance(truth, Best) else _right(truth)
    best = tuple(place for place, n in enumerate(seen) if n in right)
    return Best(best) if 0 < len(best) < len(seen) else None


def _right(truth: Correct) -> list[int]:
    return [n for n, label in enumerate(truth.labels_N) if label]


def _discordant(scores: Sequence[float], ratings: Sequence[float]) -> float | None:
    pairs = [
        (first - second) * (one - other)
        for (first, one), (second, other) in itertools.combinations(
            zip(scores, ratings, strict=True), 2
        )
        if one != other
    ]
    return sum((sign < 0) + 0.5 * (sign == 0) for sign in pairs) / len(pairs) if pairs else None
