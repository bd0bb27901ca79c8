"""Cuts rows of unlike length into padded batches that cost as little as can be."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Protocol, TypeVar

STEP_TOKENS = {"cpu": 32, "gpu": 512}
"""Tokens that take about as long as one more step over the weights does.

A step reads all weights whatever is in the batch, and a padded token is computed like any other.
A CPU computes slowly beside what it reads, so there padding is dear; a GPU waits for its memory and
for its driver, so there steps are."""
USUAL_STEPS = 256
"""Tokens of a judgment, about; each of them is a step of its batch."""
_PARTS = 64  # of a batch, at least, between which it may be cut
_ALIKE = 0.95  # of the width of another row


class Wide(Protocol):
    """Something that takes up to ``width`` tokens in a batch."""

    @property
    def width(self) -> int: ...


WideT = TypeVar("WideT", bound=Wide)


def batch_cost(device: str, steps: int) -> int:
    """Tokens of padding that are worth one more batch of so many ``steps``.

    Args:
        device: the type of a torch device, such as ``cuda``.
        steps: passes over the weights that one more batch takes.
    """
    return steps * STEP_TOKENS["cpu" if device == "cpu" else "gpu"]


def packed(rows: Sequence[WideT], budget: int, cost: int) -> list[list[WideT]]:
    """Batches of at most ``budget`` tokens, padding counted; the widest rows first.

    A batch takes its rows times its widest row. Of all ways to cut the rows by their width this is
    the one with the fewest tokens, where each batch counts ``cost`` more: a batch is cut in two
    where that saves more padding than it costs. A row over the budget goes alone. Where a batch can
    hold hundreds of rows, those of about one width are cut together, so that the search takes no
    longer for each row, and misses a few hundredths of the tokens at most.

    Args:
        rows: what is to be run.
        budget: most tokens of a batch, >= 1.
        cost: tokens, >= 0.
    """
    ordered = sorted(rows, key=lambda row: -row.width)
    widths = [row.width for row in ordered]
    places = [*_places(widths, budget), len(widths)]
    ends = _ends(_starts(widths, places, budget, cost))
    return [
        ordered[places[start] : places[end]] for start, end in zip([0, *ends], ends, strict=False)
    ]


def _places(widths: Sequence[int], budget: int) -> Iterator[int]:
    """Where a batch may begin: everywhere, as long as a batch holds few rows; widths fall."""
    begun = 0
    for place, width in enumerate(widths):
        widest = widths[begun]
        fine = max(1, budget // widest // _PARTS)
        if place == 0 or place - begun >= fine or width < widest * _ALIKE:
            begun = place
            yield place


def _starts(widths: Sequence[int], places: Sequence[int], budget: int, cost: int) -> list[int]:
    """For each place but the first, at which place the batch begins that ends there, if one does.

    Args:
        widths: of the rows; they fall.
        places: where rows may be cut, the first and the last included.
        budget, cost: see :func:`packed`.
    """
    least, starts = [0], list[int]()
    for last in range(1, len(places)):
        best, start = math.inf, last - 1
        for first in range(last - 1, -1, -1):
            tokens = (places[last] - places[first]) * widths[places[first]]
            if tokens > budget and first < last - 1:
                break
            if least[first] + tokens <= best:
                best, start = least[first] + tokens, first
        least.append(int(best) + cost)
        starts.append(start)
    return starts


def _ends(starts: Sequence[int]) -> list[int]:
    ends, end = list[int](), len(starts)
    while end:
        ends.append(end)
        end = starts[end - 1]
    return ends[::-1]
