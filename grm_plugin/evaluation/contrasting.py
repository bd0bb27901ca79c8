"""Two judges on the same items: by how much one is better, item for item. Needs numpy and scipy."""

from __future__ import annotations

import math
from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from grm_plugin.errors import InputError, quoted
from grm_plugin.evaluation.figures import Figure, Weighted
from grm_plugin.evaluation.items import Item
from grm_plugin.evaluation.outcomes import Outcome
from grm_plugin.evaluation.paired import McNemar, holm, mcnemar
from grm_plugin.evaluation.resampled import Resampled
from grm_plugin.evaluation.resampling import Difference
from grm_plugin.evaluation.selecting import Items

Pair = tuple[Item, Item]


@dataclass(frozen=True)
class Row:
    """One figure of both judges.

    Args:
        name: of the figure.
        depth: in the tree, 0 for the top.
        n: items that it is about.
        first, second: what it is for each of them.
        difference: second less first, with its paired interval.
        p: of no difference, two-sided.
        test: where ``p`` comes from: McNemar's exact test, or resamples where the figure is no
            share of right items or items share sources.
        p_holm: the same, corrected over all figures that have none below them; None for others.
        ties: what a tie counts in it; None where it is no matter of outcomes.
        lower_is_better: as of a rate of errors.
    """

    name: str
    depth: int
    n: int
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


@dataclass(frozen=True)
class Contrast:
    """What two judges come to on the same items.

    Args:
        rows: of all figures, each before those below it.
        outcomes: of all items by who has them right.
        differ: the pairs of which one is right and the other not.
        pairs: all of them.
    """

    rows: tuple[Row, ...]
    outcomes: McNemar
    differ: tuple[Pair, ...]
    pairs: tuple[Pair, ...]


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
    nodes = list(_nodes(figure))
    numbers: dict[Any, Weighted] = {}
    for place, (_, node) in enumerate(nodes):
        numbers[place, 0], numbers[place, 1] = node.over(first), node.over(second)
    found = Resampled(first, numbers, **resamples)
    rows = [_row(node, depth, place, pairs, found) for place, (depth, node) in enumerate(nodes)]
    differ = tuple(pair for pair in pairs if _is_right(pair[0]) != _is_right(pair[1]))
    return Contrast(
        tuple(_corrected(rows, [node for _, node in nodes])), _outcomes(pairs), differ, tuple(pairs)
    )


def _nodes(figure: Figure, depth: int = 0) -> Iterator[tuple[int, Figure]]:
    yield depth, figure
    for part in figure.parts:
        yield from _nodes(part, depth + 1)


def _row(figure: Figure, depth: int, place: int, pairs: Sequence[Pair], found: Resampled) -> Row:
    among = figure.members([one for one, _ in pairs])
    mine = [pair for pair, is_mine in zip(pairs, among, strict=True) if is_mine]
    difference = found.difference((place, 1), (place, 0))
    exact = figure.ties is not None and not figure.parts and _are_apart(mine)
    return Row(
        name=figure.name,
        depth=depth,
        n=len(mine),
        first=found.of((place, 0))[0],
        second=found.of((place, 1))[0],
        difference=difference,
        p=_outcomes(mine).p if exact else difference.p,
        test="mcnemar" if exact else "bootstrap",
        ties=figure.ties,
        lower_is_better=figure.lower_is_better,
    )


def _corrected(rows: Sequence[Row], figures: Sequence[Figure]) -> Iterator[Row]:
    """Holm's correction over what has nothing below it, where there are several."""
    known = [place for place, row in enumerate(rows) if not math.isnan(row.p)]
    leaves = [place for place in known if not figures[place].parts]
    corrected = dict(zip(leaves, holm([rows[place].p for place in leaves]), strict=True))
    for place, row in enumerate(rows):
        yield replace(row, p_holm=corrected.get(place)) if len(leaves) > 1 else row


def _outcomes(pairs: Sequence[Pair]) -> McNemar:
    return mcnemar([_is_right(one) for one, _ in pairs], [_is_right(other) for _, other in pairs])


def _is_right(item: Item) -> bool:
    return item.outcome is Outcome.RIGHT


def _are_apart(pairs: Sequence[Pair]) -> bool:
    """Whether no two items share a source."""
    counts = Counter(repr(one.source) for one, _ in pairs)
    return len(counts) == len(pairs)


def told(found: Contrast) -> Mapping[str, Any]:
    """As JSON has it, but for the groups themselves."""
    return {
        "groups": len(found.pairs),
        "figures": [asdict(row) for row in found.rows],
        "outcomes": asdict(found.outcomes),
        "differ": [_told(pair) for pair in found.differ],
    }


def _told(pair: Pair) -> dict[str, Any]:
    one, other = pair
    return {
        "id": one.label,
        "fingerprint": one.fingerprint,
        "subset": one.metadata.get("subset"),
        "first": str(one.outcome),
        "second": str(other.outcome),
        "rewards": [one.rewards, other.rewards],
    }
