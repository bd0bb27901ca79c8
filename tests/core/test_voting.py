"""K x N scores become N rewards: pure, and the same for any order of samples and responses."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm_plugin.pipeline.voting import best_of, borda, majority, mean, median, total
from grm_plugin.types import Scale

SCALE = Scale(1, 10)
VOTERS = [mean, total, median, majority, borda]
FIG_3 = [[1, 5], [5, 6], [4, 8], [7, 6]]


def tables() -> st.SearchStrategy[list[list[int]]]:
    shapes = st.tuples(st.integers(1, 8), st.integers(1, 6))
    return shapes.flatmap(
        lambda shape: st.lists(
            st.lists(st.integers(1, 10), min_size=shape[1], max_size=shape[1]),
            min_size=shape[0],
            max_size=shape[0],
        )
    )


def close(left: object, right: object) -> bool:
    return all(math.isclose(a, b, abs_tol=1e-12) for a, b in zip(left, right, strict=True))


def test_the_sum_of_the_papers_figure_3() -> None:
    assert total(FIG_3, SCALE) == (17, 25)
    assert total([FIG_3[0], FIG_3[2]], SCALE) == (5, 13)


def test_the_sum_of_the_papers_table_17() -> None:
    assert total([[8, 8], [5, 9], [7, 10]], SCALE) == (20, 27)


def test_the_mean_maps_the_ends_of_the_scale_to_zero_and_one() -> None:
    assert mean([[1, 10, 5.5]], SCALE) == (0, 1, 0.5)
    assert mean([[0, 1]], Scale(0, 1)) == (0, 1)


def test_the_median_of_an_even_number_of_scores_is_between_the_middle_two() -> None:
    assert median([[1], [2], [3], [10]], SCALE) == (pytest.approx(1.5 / 9),)


def test_a_tie_at_the_top_shares_the_majority_vote() -> None:
    assert majority([[8, 8, 2], [9, 5, 5]], SCALE) == (0.75, 0.25, 0)


def test_a_tie_counts_half_in_a_borda_vote() -> None:
    assert borda([[8, 8, 2]], SCALE) == (0.75, 0.75, 0)
    assert borda([[3]], SCALE) == (0.5,)


@pytest.mark.parametrize("voter", VOTERS)
@given(scores=tables(), data=st.data())
def test_shuffled_responses_get_shuffled_rewards(voter, scores, data) -> None:
    order = data.draw(st.permutations(range(len(scores[0]))))
    rewards = voter(scores, SCALE)
    shuffled = voter([[row[n] for n in order] for row in scores], SCALE)
    assert close(shuffled, [rewards[n] for n in order])


@pytest.mark.parametrize("voter", VOTERS)
@given(scores=tables(), data=st.data())
def test_the_order_of_samples_does_not_matter(voter, scores, data) -> None:
    assert close(voter(data.draw(st.permutations(scores)), SCALE), voter(scores, SCALE))


@pytest.mark.parametrize("voter", [mean, median, majority, borda])
@given(scores=tables())
def test_every_voter_but_the_sum_gives_rewards_from_zero_to_one(voter, scores) -> None:
    assert all(-1e-12 <= reward <= 1 + 1e-12 for reward in voter(scores, SCALE))


@given(tables())
def test_sum_and_mean_rank_a_group_the_same(scores) -> None:
    sums, means = total(scores, SCALE), mean(scores, SCALE)
    assert close(sums, [(reward * 9 + 1) * len(scores) for reward in means])


@given(tables())
def test_majority_votes_sum_to_one_and_borda_votes_average_one_half(scores) -> None:
    assert math.isclose(sum(majority(scores, SCALE)), 1)
    assert math.isclose(sum(borda(scores, SCALE)), len(scores[0]) / 2)


@given(st.lists(st.sampled_from([0.0, 0.5, 1.0]), min_size=1, max_size=6), st.integers())
def test_the_best_of_a_group_is_a_top_one(rewards: list[float], seed: int) -> None:
    tied = rewards.count(max(rewards)) > 1
    assert rewards[best_of(rewards, seed=seed)] == max(rewards)
    assert best_of(rewards, ties="first") == rewards.index(max(rewards))
    assert best_of(rewards, ties="none") == (None if tied else rewards.index(max(rewards)))


def test_a_random_tie_is_drawn_with_the_seed_and_reaches_every_winner() -> None:
    picks = [best_of([1, 0, 1, 1], seed=seed) for seed in range(50)]
    assert picks == [best_of([1, 0, 1, 1], seed=seed) for seed in range(50)]
    assert set(picks) == {0, 2, 3}


def test_an_unknown_tie_policy_is_refused_even_without_a_tie() -> None:
    with pytest.raises(
        ValueError, match="unknown tie policy 'last'; expected random, first or none"
    ):
        best_of([1, 0], ties="last")
