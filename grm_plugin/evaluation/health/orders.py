"""Whether a judge prefers another response when the two are shown the other way round.

Two samples of a judge differ anyhow, so that a change of the winner is no bias yet. Of one pair of
responses a and b, let p be how often each of "a", "b", "neither" is preferred where a is shown
earlier, and q where b is. Two samples of different orders disagree with the chance 1 - sum(p q),
two of the same order with 1 - sum(p p) or 1 - sum(q q). What the first has beyond the mean of the
others is sum((p - q)^2) / 2: nothing without a bias, whatever the noise, and 1 where the order
alone decides. Shuffles that are balanced show every pair both ways.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from grm_plugin.types import Judgment, Verdict

Counts = Sequence[Sequence[int]]
"""``counts[way][preferred]`` of a pair: way 0 shows its first response earlier; preferred is the
first response, the second, or neither."""


def order_sums(verdict: Verdict) -> dict[str, float]:
    """The mean over the pairs of one group, so that every group counts once."""
    pairs = [counts for counts in _pairs(verdict) if sum(map(sum, counts)) > 1]
    both = [counts for counts in pairs if all(map(sum, counts))]
    twice = [counts for counts in both if min(map(sum, counts)) > 1]
    return {
        **_mean(
            "agreement", [1 - _disagreement([*map(sum, zip(*one, strict=True))]) for one in pairs]
        ),
        **_mean("earlier", [_earlier_wins(one) for one in both]),
        **_mean("flips other", [_disagreement_between(*one) for one in twice]),
        **_mean(
            "flips same", [(_disagreement(one[0]) + _disagreement(one[1])) / 2 for one in twice]
        ),
    }


def _pairs(verdict: Verdict) -> Iterator[Counts]:
    judged = [(one.scores, _places(one)) for one in verdict.judgments]
    for first, second in combinations(range(len(verdict.group.responses)), 2):
        counts = [0, 0, 0], [0, 0, 0]
        for scores, place in judged:
            one, other = scores[first], scores[second]
            if one is None or other is None or first not in place or second not in place:
                continue
            preferred = 2 if one == other else int(other > one)
            counts[place[first] > place[second]][preferred] += 1
        yield counts


def _places(judgment: Judgment) -> dict[int, int]:
    return {n: place for place, n in enumerate(judgment.order)}


def _disagreement(counts: Sequence[int]) -> float:
    """The chance that two of these judgments, drawn without replacement, differ."""
    number, alike = sum(counts), sum(map(int.__mul__, counts, counts))
    return 1 - (alike - number) / (number * (number - 1))


def _disagreement_between(counts: Sequence[int], others: Sequence[int]) -> float:
    return 1 - sum(map(int.__mul__, counts, others)) / (sum(counts) * sum(others))


def _earlier_wins(counts: Counts) -> float:
    """How often the earlier one is preferred, each way counted alike and a tie as one half."""
    shown_first, shown_second = counts
    wins = (shown_first[0] + shown_first[2] / 2) / sum(shown_first)
    return (wins + (shown_second[1] + shown_second[2] / 2) / sum(shown_second)) / 2


def _mean(name: str, values: Sequence[float]) -> dict[str, float]:
    if not values:
        return {}
    return {name: sum(values) / len(values), f"{name} groups": 1}
