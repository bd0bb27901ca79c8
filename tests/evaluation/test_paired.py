"""Two judges on the same items: McNemar's exact test and Holm's correction."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("scipy")

from grm_plugin.evaluation.paired import holm, mcnemar

P = st.lists(st.floats(0, 1), min_size=1, max_size=8)


def outcomes(both: int, first: int, second: int, neither: int) -> tuple[list[bool], list[bool]]:
    one = [True] * (both + first) + [False] * (second + neither)
    return one, [True] * both + [False] * first + [True] * second + [False] * neither


@given(*(st.integers(0, 12) for _ in range(4)))
def test_the_p_value_is_the_two_sided_sum_of_binomial_terms(
    both: int, first: int, second: int, neither: int
) -> None:
    found = mcnemar(*outcomes(both, first, second, neither))
    n, least = first + second, min(first, second)
    tail = sum(math.comb(n, i) for i in range(least + 1)) / 2**n
    assert (found.both, found.first, found.second, found.neither) == (both, first, second, neither)
    assert found.p == pytest.approx(min(1.0, 2 * tail))


def test_items_on_which_both_agree_say_nothing_of_the_difference() -> None:
    assert mcnemar(*outcomes(1000, 3, 1, 7)).p == mcnemar(*outcomes(0, 3, 1, 0)).p


@given(P)
def test_a_corrected_p_is_no_smaller_and_keeps_the_order(p_T: list[float]) -> None:
    corrected = holm(p_T)
    assert all(p <= q <= 1 for p, q in zip(p_T, corrected, strict=True))
    assert [q for _, q in sorted(zip(p_T, corrected, strict=True))] == sorted(corrected)


@given(P, st.floats(0.001, 0.5))
def test_it_rejects_what_the_step_down_procedure_rejects(p_T: list[float], level: float) -> None:
    rejected = 0
    for rank, p in enumerate(sorted(p_T)):
        if p * (len(p_T) - rank) > level:
            break
        rejected += 1
    assert sum(q <= level for q in holm(p_T)) == rejected


def test_one_test_needs_no_correction() -> None:
    assert holm([0.03]) == [0.03] and holm([]) == []
