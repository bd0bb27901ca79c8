from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grm_plugin.local.packing import USUAL_STEPS, batch_cost, packed


class Row(NamedTuple):
    name: int
    width: int


def rows(widths: Sequence[int]) -> list[Row]:
    return [Row(name, width) for name, width in enumerate(widths)]


def widths_of(widths: Sequence[int], budget: int, cost: int) -> list[list[int]]:
    return [[row.width for row in batch] for batch in packed(rows(widths), budget, cost)]


def tokens(batches: Sequence[Sequence[int]], cost: int) -> int:
    return sum(len(batch) * max(batch) + cost for batch in batches)


def ways(widths: Sequence[int]) -> Iterator[list[Sequence[int]]]:
    """All ways to cut a row of widths."""
    for cuts in itertools.product((False, True), repeat=max(0, len(widths) - 1)):
        ends = [place for place, here in enumerate(cuts, 1) if here] + [len(widths)]
        yield [widths[start:end] for start, end in zip([0, *ends], ends, strict=False)]


@given(st.lists(st.integers(1, 50), max_size=60), st.integers(1, 100), st.integers(0, 60))
def test_batches_hold_every_row_once_and_keep_to_the_budget(
    widths: list[int], budget: int, cost: int
) -> None:
    batches = list(packed(rows(widths), budget, cost))
    assert sorted(row.name for batch in batches for row in batch) == list(range(len(widths)))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * max(row.width for row in batch) <= budget


@given(st.lists(st.integers(1, 30), min_size=1, max_size=9), st.integers(1, 90), st.integers(0, 40))
def test_no_other_cut_takes_fewer_tokens(widths: list[int], budget: int, cost: int) -> None:
    allowed = [
        way
        for way in ways(sorted(widths, reverse=True))
        if all(len(batch) == 1 or len(batch) * batch[0] <= budget for batch in way)
    ]
    found = widths_of(widths, budget, cost)
    assert tokens(found, cost) == min(tokens(way, cost) for way in allowed)


@given(
    st.lists(st.integers(1, 4000), min_size=1, max_size=300),
    st.integers(1, 500_000),
    st.integers(0, 5000),
)
@settings(max_examples=40)
def test_batches_of_hundreds_of_rows_take_a_few_hundredths_more_than_the_best(
    widths: list[int], budget: int, cost: int
) -> None:
    found = tokens(widths_of(widths, budget, cost), cost)
    assert found <= 1.06 * best(sorted(widths, reverse=True), budget, cost)


def best(widths: Sequence[int], budget: int, cost: int) -> int:
    """Tokens of the best cut, all of them tried."""
    least = [0]
    for end in range(1, len(widths) + 1):
        several = (
            least[start] + (end - start) * widths[start]
            for start in range(end - 1)
            if (end - start) * widths[start] <= budget
        )
        least.append(cost + min([least[-1] + widths[end - 1], *several]))
    return least[-1]


@pytest.mark.parametrize("width", [1, 20, 100, 1000, 4000])
def test_many_short_rows_are_packed_in_a_time_that_grows_with_their_number(width: int) -> None:
    widths = [width + n % 7 for n in range(20_000)]
    begun = time.process_time()
    found = widths_of(widths, 262_144, 32)
    assert time.process_time() - begun < 4
    assert sum(map(len, found)) == len(widths)


def test_one_long_text_does_not_pad_thirteen_short_ones() -> None:
    cost = batch_cost("cpu", USUAL_STEPS)
    assert widths_of([160] * 13 + [2000], 32768, cost) == [[2000], [160] * 13]


def test_a_gpu_pads_rather_than_to_write_two_batches_one_after_the_other() -> None:
    cost = batch_cost("cuda", USUAL_STEPS)
    assert widths_of([160] * 13 + [2000], 32768, cost) == [[2000] + [160] * 13]


def test_rows_of_equal_length_fill_their_batches() -> None:
    assert sorted(map(len, widths_of([100] * 25, 1000, 0))) == [5, 10, 10]


def test_a_wide_row_is_alone_only_where_the_budget_asks_for_it() -> None:
    assert widths_of([300, 7, 7], 100, 10) == [[300], [7, 7]]
