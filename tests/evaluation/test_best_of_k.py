"""Best-of-k curves against all sets of k, one by one."""

import itertools
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm_plugin.evaluation.best_of_k import best_of_k

responses = st.lists(
    st.tuples(st.none() | st.integers(0, 3), st.integers(0, 1)), min_size=1, max_size=7
)


def chosen(some):
    """The mean quality of those with the highest reward in one set."""
    top = max(-1 if reward is None else reward for reward, _ in some)
    return statistics.fmean(q for reward, q in some if (-1 if reward is None else reward) == top)


@given(responses)
def test_the_curve_is_the_mean_over_all_sets_of_k(rows):
    found = best_of_k(*zip(*rows, strict=True))
    for k, value in enumerate(found, 1):
        sets = itertools.combinations(rows, k)
        assert value == pytest.approx(statistics.fmean(map(chosen, sets)))


@given(responses)
def test_no_judge_is_better_than_the_qualities_themselves(rows):
    rewards, qualities = zip(*rows, strict=True)
    pairs = zip(best_of_k(rewards, qualities), best_of_k(qualities, qualities), strict=True)
    assert all(value <= most + 1e-12 for value, most in pairs)


def test_a_judge_that_says_the_same_of_all_chooses_at_random():
    assert best_of_k([0.5] * 4, [0, 0, 1, 0]) == pytest.approx([0.25] * 4)


def test_as_many_rewards_as_qualities_are_asked_for():
    with pytest.raises(ValueError, match="expected one for each of 2 qualities"):
        best_of_k([0.5], [0, 1])
