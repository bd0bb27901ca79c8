"""Two judges on the same items: by how much one is better, item for item. Needs numpy and scipy."""

from __future__ import annotations

import math
from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np

from grm_plugin.errors import InputError, quoted
from grm_plugin.evaluation.families import Hypothesis, bits, corrected
from grm_plugin.evaluation.figures import Decide, Figure, Weighted
from grm_plugin.evaluation.items import Item
from grm_plugin.evaluation.measuring import SCORED, counts_of
from grm_plugin.evaluation.outcomes import Outcome
from grm_plugin.evaluation.paired import McNemar, mcnemar
from grm_plugin.evaluation.resampled import Resampled
from grm_plugin.evaluation.resampling import Array, Difference
from grm_plugin.evaluation.selecting import Items
from grm_plugin.evaluation.truth import Ratings

Pair = tuple[Item, Item]


@dataclass(frozen=True)
class Row:
    """One figure of both judges.

    Args:
        name: of the figure.
        depth: in the tree, 0 for the top.
        n: items that it is about.
        counts: of them by outcome, for each of both; as :attr:`Measured.counts`.
        first, second: what it is for each of them.
        difference: second less first, with its paired interval.
        p: of no difference, two-sided; NaN where too few sources tell it.
        test: where ``p`` comes from: McNemar's exact test where each item counts 0 or 1 in the
            figure and shares its source with no other, else resamples.
        p_holm: the same, corrected over all figures that have none below them and are not made of
            the items of others; None for those.
        ties: what a tie counts in it; None where it is no matter of outcomes.
        lower_is_better: as of a rate of errors.
    """

    name: str
    depth: int
    n: int
    counts: tuple[dict[str, int], dict[str, int]]
    first: float
    second: float
    difference: Difference
    p: float
    test: Literal["mcnemar", "bootstrap"]
    p_holm: float | None = None
    ties: str | None = None
    lower_is_better: bool = False

    @property
    def worse(self) -> bool:
        """Whether the second is worse with the whole interval."""
        low, high = self.difference.low, self.difference.high
        return low > 0 if self.lower_is_better else high < 0

    @property
    def is_correlation(self) -> bool:
        """Whether it is about ratings, and no share of anything."""
        return any(SCORED in each for each in self.counts)


@dataclass(frozen=True)
class Contrast:
    """What two judges come to on the same items.

    Args:
        rows: of the figures that some item is about, each before those below it.
        outcomes: of all items by who has them right; its p is NaN where items share a source. None
            where no item has an outcome, as with ratings.
        differ: the pairs of which one is right and the other not.
        pairs: all of them.
        outcome_of: what an item came to, by the rule of the top figure.
    """

    rows: tuple[Row, ...]
    outcomes: McNemar | None
    differ: tuple[Pair, ...]
    pairs: tuple[Pair, ...]
    outcome_of: Decide


def paired(
    first: Sequence[Item], second: Sequence[Item], names: tuple[str, str], *, common: bool = False
) -> list[Pair]:
    """The items of the same groups, by fingerprint and id, in the order of ``first``.

    Args:
        first, second: of two judges.
        names: how messages call them.
        common: leave out what only one of them has.

    Raises:
        InputError: they are not of the same groups, or not of the same truth.
    """
    left: defaultdict[tuple[str, str], deque[Item]] = defaultdict(deque)
    for item in second:
        left[_key(item)].append(item)
    pairs, alone = [], []
    for item in first:
        mine = left[_key(item)]
        pairs.append((item, mine.popleft())) if mine else alone.append(item)
    rest = [item for items in left.values() for item in items]
    if not common or not pairs:
        _check_same(alone, rest, names)
    for one, other in pairs:
        if one.truth != other.truth:
            raise InputError(
                f"group {one.label}: {names[0]} has the truth {quoted(one.truth)}, {names[1]} "
                f"{quoted(other.truth)}; they were judged on other labels and do not compare"
            )
    return pairs


def _key(item: Item) -> tuple[str, str]:
    return item.fingerprint, item.label


def _check_same(alone: Sequence[Item], rest: Sequence[Item], names: tuple[str, str]) -> None:
    for missing, has, lacks in ((alone, *names), (rest, *names[::-1])):
        if missing:
            raise InputError(
                f"{has} has {len(missing)} groups that {lacks} does not have, such as group "
                f"{missing[0].label} ({missing[0].fingerprint[:8]}): other data, or a run that has "
                "not ended; end it by the same command, or compare what both have with --common"
            )


def contrast(figure: Figure, pairs: Sequence[Pair], **resamples: Any) -> Contrast:
    """The figures of two judges beside each other.

    Args:
        figure: the top of a tree.
        pairs: of :func:`paired`, at least one.
        resamples: as :class:`Resampled` takes them; items of one source are drawn together.

    Raises:
        InputError: there is no pair.
    """
    if not pairs:
        raise InputError("pairs: expected at least one group that both judged, got none")
    first, second = (Items(pair[which] for pair in pairs) for which in (0, 1))
    nodes = [each for each in _nodes(figure) if not each[0] or each[1].members(first).any()]
    numbers: dict[Any, Weighted] = {}
    for place, (_, node) in enumerate(nodes):
        numbers[place, 0], numbers[place, 1] = node.over(first), node.over(second)
    found = Resampled(first, numbers, **resamples)
    rows = [_row(node, depth, place, pairs, found) for place, (depth, node) in enumerate(nodes)]
    tests = [_test(row, node, first) for row, (_, node) in zip(rows, nodes, strict=True)]
    rows = [replace(row, p_holm=p) for row, p in zip(rows, corrected(tests), strict=True)]
    of = figure.outcome_of
    differ = tuple(pair for pair in pairs if _is_right(of, pair[0]) != _is_right(of, pair[1]))
    return Contrast(tuple(rows), _outcomes(of, pairs), differ, tuple(pairs), of)


def _nodes(figure: Figure, depth: int = 0) -> Iterator[tuple[int, Figure]]:
    yield depth, figure
    for part in figure.parts:
        yield from _nodes(part, depth + 1)


def _row(figure: Figure, depth: int, place: int, pairs: Sequence[Pair], found: Resampled) -> Row:
    among = figure.members([one for one, _ in pairs])
    mine = [pair for pair, is_mine in zip(pairs, among, strict=True) if is_mine]
    difference = found.difference((place, 1), (place, 0), figure)
    exact = _exact(figure, pairs, among)
    return Row(
        name=figure.name,
        depth=depth,
        n=len(mine),
        counts=(
            counts_of(figure.outcome_of(one) for one, _ in mine),
            counts_of(figure.outcome_of(other) for _, other in mine),
        ),
        first=found.of((place, 0))[0],
        second=found.of((place, 1))[0],
        difference=difference,
        p=exact.p if exact else difference.p,
        test="mcnemar" if exact else "bootstrap",
        ties=figure.ties,
        lower_is_better=figure.lower_is_better,
    )


def _exact(figure: Figure, pairs: Sequence[Pair], among: Array) -> McNemar | None:
    """McNemar's test of what each item counts in the figure, where that is 0 or 1."""
    values = [figure.values([pair[which] for pair in pairs]) for which in (0, 1)]
    found = [each[among] for each in values if each is not None]
    mine = [pairs[index] for index in np.flatnonzero(among)]
    if not found or not np.isin(found, (0, 1)).all() or not _are_apart(mine):
        return None
    return mcnemar(found[0] == 1, found[1] == 1)


def _test(row: Row, figure: Figure, items: Sequence[Item]) -> Hypothesis:
    """The test of a row; none of a figure that has others below it."""
    of = 0 if figure.parts else bits(figure.members(items))
    return Hypothesis(of, (row.first, row.second), row.p)


def _outcomes(of: Decide, pairs: Sequence[Pair]) -> McNemar | None:
    picked = [pair for pair in pairs if not isinstance(pair[0].truth, Ratings)]
    if not picked:
        return None
    found = mcnemar(*([_is_right(of, pair[which]) for pair in picked] for which in (0, 1)))
    return found if _are_apart(picked) else replace(found, p=math.nan)


def _is_right(of: Decide, item: Item) -> bool:
    return of(item) is Outcome.RIGHT


def _are_apart(pairs: Sequence[Pair]) -> bool:
    """Whether no two items share a source."""
    counts = Counter(repr(one.source) for one, _ in pairs)
    return len(counts) == len(pairs)


def told(found: Contrast) -> Mapping[str, Any]:
    """As JSON has it, but for the groups themselves."""
    return {
        "groups": len(found.pairs),
        "figures": [asdict(row) for row in found.rows],
        "outcomes": asdict(found.outcomes) if found.outcomes else None,
        "differ": [_told(found.outcome_of, pair) for pair in found.differ],
    }


def _told(of: Decide, pair: Pair) -> dict[str, Any]:
    one, other = pair
    return {
        "id": one.label,
        "fingerprint": one.fingerprint,
        "subset": one.metadata.get("subset"),
        "first": str(of(one)),
        "second": str(of(other)),
        "rewards": [one.rewards, other.rewards],
    }
