"""Cuts rows of unlike length into padded batches that cost as little as can be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol, TypeVar

STEP_TOKENS = {"cpu": 32, "gpu": 512}
"""Tokens that take about as long as one more step over the weights does.

A step reads all weights whatever is in the batch, and a padded token is computed like any other.
A CPU computes slowly beside what it reads, so there padding is dear; a GPU waits for its memory and
for its driver, so there steps are."""
USUAL_STEPS = 256
"""Tokens of a judgment, about; each of them is a step of its batch."""


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


def packed(rows: Sequence[WideT], budget: int, cost: int) -> Iterator[list[WideT]]:
    """Batches of at most ``budget`` tokens, padding counted; the widest rows first.

    A batch takes its rows times its widest row. Of all ways to cut the rows by their width this is
    the one with the fewest tokens, where each batch counts ``cost`` more: a batch is cut in two
    where that saves more padding than it costs. A row over the budget goes alone.

    Args:
        rows: what is to be run.
        budget: most tokens of a batch, >= 1.
        cost: tokens, >= 0.
    """
    ordered = sorted(rows, key=lambda row: -row.width)
    ends = list(_ends(_starts([row.width for row in ordered], budget, cost)))
    for start, end in zip([0, *ends], ends, strict=False):
        yield ordered[start:end]


def _starts(widths: Sequence[int], budget: int, cost: int) -> list[int]:
    """For each row, where the batch begins that it ends, if it ends one; widths fall."""
    least, starts = [0], list[int]()
    for last in range(len(widths)):
        best, start = least[last] + widths[last], last
        for first in range(last - 1, -1, -1):
            tokens = (last + 1 - first) * widths[first]
            if tokens > budget:
                break
            if least[first] + tokens <= best:
                best, start = least[first] + tokens, first
        least.append(best + cost)
        starts.append(start)
    return starts


def _ends(starts: Sequence[int]) -> Iterator[int]:
    ends, end = list[int](), len(starts)
    while end:
        ends.append(end)
        end = starts[end - 1]
    return reversed(ends)
