"""Which judgments tell most about a verdict, and which of their lines."""

from __future__ import annotations

import statistics
from collections.abc import Collection, Sequence
from functools import lru_cache

from grm_plugin.hosts.passages import passages, whole
from grm_plugin.types import Judgment, Verdict


def telling(verdict: Verdict, samples: Collection[int] | None) -> Sequence[Judgment]:
    """The judgments to print in full.

    Args:
        verdict: all of them.
        samples: these sample numbers; empty for every one; None for two: the nearest to the mean
            and the farthest from it.
    """
    if samples is not None:
        return [one for one in verdict.judgments if asked(one.sample, samples)]
    ranked = by_distance(verdict)
    return ranked if len(ranked) < 3 else [ranked[0], ranked[-1]]


def asked(sample: int, samples: Collection[int] | None) -> bool:
    """Whether ``samples``, as in :func:`telling`, name this one."""
    return samples is not None and (not samples or sample in samples)


def by_distance(verdict: Verdict) -> list[Judgment]:
    """The judgments, nearest first to the mean scores of those that voted."""
    voted = [one for one in verdict.judgments if one.voted]
    weights = [one.weight for one in voted]
    columns = zip(*(one.scores for one in voted), strict=True)
    means = [_mean(column, weights) for column in columns]

    def distance(judgment: Judgment) -> float:
        pairs = zip(judgment.scores, means, strict=False)  # no means where nobody voted
        apart = [abs(score - mean) for score, mean in pairs if score is not None]
        return statistics.fmean(apart) if apart else 0.0

    return sorted(verdict.judgments, key=distance)


def nearest(verdict: Verdict) -> Judgment | None:
    """Of the judgments that voted the nearest to their mean; None where none did."""
    return next((one for one in by_distance(verdict) if one.voted), None)


def said_of(judgment: Judgment, n: int) -> list[str]:
    """The lines of a judgment about response ``n``: its passage, or all where it was shown alone.

    Empty where the judgment did not see it, and where no line can be told to be about it.
    """
    return said_of_each(judgment).get(n, [])


def said_of_each(judgment: Judgment) -> dict[int, list[str]]:
    """The lines of a judgment about each response, by its index in the group; see :func:`said_of`.

    A judge that speaks in several rounds may have said it in an earlier one. Not to be changed.
    """
    return _said((judgment.text, *reversed(judgment.said)), tuple(judgment.order))


@lru_cache(maxsize=64)  # of one verdict, many ask
def _said(texts: tuple[str, ...], order: tuple[int, ...]) -> dict[int, list[str]]:
    shown = len(order)
    for text in texts:
        if shown == 1 and (lines := whole(text)):
            return {order[0]: lines}
        if shown > 1 and (found := passages(text, shown)):
            return {order[place - 1]: lines for place, lines in found.items()}
    return {}


def _mean(scores: Sequence[float | None], weights: Sequence[float]) -> float:
    known = [(one, weight) for one, weight in zip(scores, weights, strict=True) if one is not None]
    return statistics.fmean(*zip(*known, strict=True)) if known else 0.0
