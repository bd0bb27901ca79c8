"""Arrays come to what ``settle`` comes to with the same judgments."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm_plugin.evaluation.scaling import Samples, draw_orders, select, vote
from grm_plugin.evaluation.scaling.voting import VOTERS, drawn
from grm_plugin.pipeline import voting
from grm_plugin.pipeline.case import Case
from grm_plugin.pipeline.selecting import keep_best
from grm_plugin.pipeline.settling import Rule, Settled, settle
from grm_plugin.types import Group, Judgment, Scale, Verdict
from tests.evaluation.verdicts import Row, verdict

SCALE = Scale(1, 10)
VOTER = {"sum": voting.total} | {
    name: getattr(voting, name) for name in ("mean", "median", "majority", "borda")
}
GROUPS = st.integers(2, 5).flatmap(
    lambda n: st.lists(
        st.one_of(st.none(), st.lists(st.integers(1, 10), min_size=n, max_size=n)),
        min_size=1,
        max_size=7,
    ).filter(any)
)


def settled(judged: Verdict, chosen: Sequence[int], voter: str, k_meta: int | None) -> Settled:
    """What the pipeline makes of the samples ``chosen``."""
    case = Case.of(judged, k=len(chosen), min_valid=(len(chosen) + 1) // 2)
    votes: Sequence[Judgment] = [one for one in judged.judgments if one.sample in chosen]
    if k_meta:
        votes = keep_best(votes, k_meta)
    return settle(votes, case, Rule(voter, VOTER[voter], SCALE))


def in_units(voter: str, rewards_N: Sequence[float]) -> list[float]:
    """Points as the pipeline gives them."""
    if voter in ("mean", "median"):
        return [SCALE.to_unit(one) for one in rewards_N]
    return list(rewards_N)


@pytest.mark.parametrize("voter", VOTERS)
@given(GROUPS, st.data())
def test_a_vote_is_what_settle_makes_of_the_first_k_of_each_order(
    voter: str, scores: list[Row], data: st.DataObject
) -> None:
    judged, k = verdict(*scores), data.draw(st.integers(1, len(scores)))
    samples, orders = Samples.of([judged]), draw_orders(len(scores), 3)
    rewards_O_G_N = vote(samples.scores_G_K_N, k, orders, voter=voter)
    for order, rewards in zip(orders, rewards_O_G_N[:, 0], strict=True):
        known = settled(judged, order[:k], voter, None).rewards
        if known is None:
            assert np.isnan(rewards).all()
        else:
            assert in_units(voter, rewards) == pytest.approx(known)


@pytest.mark.parametrize("voter", VOTERS)
@given(GROUPS, st.data())
def test_a_selection_lets_those_vote_that_the_meta_rm_lets_vote(
    voter: str, scores: list[Row], data: st.DataObject
) -> None:
    number = len(scores)
    meta = data.draw(st.lists(st.sampled_from([-1.0, 0.0, 2.0]), min_size=number, max_size=number))
    k, k_meta = (data.draw(st.integers(1, number)) for _ in range(2))
    judged = verdict(*scores, meta=meta)
    samples, orders = Samples.of([judged]), draw_orders(number, 3, seed=1)
    chosen = select(samples.meta_G_K, k, k_meta, orders)
    rewards_O_G_N = vote(samples.scores_G_K_N, k, orders, chosen, voter=voter)
    for order, rewards in zip(orders, rewards_O_G_N[:, 0], strict=True):
        known = settled(judged, order[:k], voter, k_meta).rewards
        if known is None:
            assert np.isnan(rewards).all()
        else:
            assert in_units(voter, rewards) == pytest.approx(known)


def test_a_copy_is_left_out_of_the_vote_and_gets_what_its_original_got() -> None:
    judgment = Judgment(0, (0, 1), 0, "", (9.0, 5.0, 9.0))
    group = Group.of("q", ["a", "b", "a"], metadata={"best": 1})
    samples = Samples.of([Verdict(group, None, (judgment,))])
    rewards = vote(samples.scores_G_K_N, 1, np.array([[0]]), voter="borda")
    assert samples.spread(rewards).tolist() == [[[1.0, 0.0, 1.0]]]


@given(st.lists(st.floats(0, 3), min_size=6, max_size=6), st.sampled_from(VOTERS))
def test_weights_count_as_so_many_equal_samples(weights: list[float], voter: str) -> None:
    rng = np.random.default_rng(0)
    scores = rng.integers(1, 11, (1, 6, 3)).astype(float)
    orders = draw_orders(6, 4)
    whole = np.round(weights)
    many = np.repeat(scores, whole.astype(int), axis=1)
    found = vote(scores, 6, orders, whole[None], voter=voter)
    if not many.size:
        assert np.isnan(found).all()
        return
    alone = np.arange(many.shape[1])[None]
    assert found[0] == pytest.approx(vote(many, many.shape[1], alone, voter=voter)[0])


@pytest.mark.parametrize("voter", ["mean", "median", "majority", "borda"])
def test_the_size_of_all_weights_together_changes_nothing(voter: str) -> None:
    rng = np.random.default_rng(0)
    scores, weights = rng.integers(1, 11, (4, 6, 3)).astype(float), rng.random((4, 6))
    orders = draw_orders(6, 4)
    one, seven = (vote(scores, 3, orders, w, voter=voter) for w in (weights, 7 * weights))
    assert one == pytest.approx(seven)


def test_an_unknown_voter_is_named() -> None:
    with pytest.raises(ValueError, match=r"unknown voter 'meen'.*did you mean 'mean'"):
        vote(np.ones((1, 1, 2)), 1, np.array([[0]]), voter="meen")


def test_each_order_and_group_may_stop_at_its_own_number_of_samples() -> None:
    scores = np.array([[[1.0, 2], [3, 4], [5, 9]]] * 2)
    orders = np.array([[0, 1, 2], [2, 1, 0]])
    found = vote(scores, np.array([[1, 2], [1, 3]]), orders, voter="sum")
    assert found.tolist() == [[[1, 2], [4, 6]], [[5, 9], [9, 15]]]


def test_the_paper_sums_four_samples_to_17_and_25_and_the_meta_rm_keeps_5_and_13() -> None:
    scores = np.array([[[1.0, 5], [5, 6], [4, 8], [7, 6]]])
    orders, meta = np.arange(4)[None], np.array([[2.0, 0, 1, -1]])
    assert vote(scores, 4, orders, voter="sum").tolist() == [[[17, 25]]]
    chosen = select(meta, 4, 2, orders)
    assert vote(scores, 4, orders, chosen, voter="sum").tolist() == [[[5, 13]]]


@given(st.integers(1, 5), st.integers(1, 24), st.integers(0, 9))
def test_orders_are_permutations_and_the_same_seed_gives_the_same(
    places: int, samples: int, seed: int
) -> None:
    orders = draw_orders(samples, 8, places=places, seed=seed)
    assert (np.sort(orders, axis=1) == np.arange(samples)).all()
    assert (orders == draw_orders(samples, 8, places=places, seed=seed)).all()


@pytest.mark.parametrize("places", [3, 4, 6])
def test_balanced_orders_keep_squares_and_pairs_together(places: int) -> None:
    orders = draw_orders(4 * places, 200, places=places)
    squares = orders.reshape(200, 4, places) // places
    assert (squares == squares[..., :1]).all() and len(set(squares[:, 0, 0])) == 4
    if places % 2 == 0:
        pairs = orders.reshape(200, -1, 2) // 2
        assert (pairs == pairs[..., :1]).all()
    assert set(orders[:, 0]) == set(range(4 * places)), "any sample may come first"


@pytest.mark.parametrize(("samples", "places"), [(12, 1), (12, 2), (12, 3), (12, 4), (12, 6)])
def test_in_k_orders_each_sample_is_at_each_place_once(samples: int, places: int) -> None:
    orders = draw_orders(samples, 2 * samples, places=places)
    for batch in (orders[:samples], orders[samples:]):
        assert (np.sort(batch, axis=0) == np.arange(samples)[:, None]).all()


def test_one_sample_is_the_mean_over_all_samples_exactly() -> None:
    rng = np.random.default_rng(0)
    scores = rng.integers(1, 11, (5, 16, 3)).astype(float)
    found = vote(scores, 1, draw_orders(16, 16, places=4))
    assert found.mean(axis=0) == pytest.approx(scores.mean(axis=1))


def test_a_square_that_is_cut_off_comes_last() -> None:
    assert {tuple(sorted(one[6:])) for one in draw_orders(8, 50, places=3)} == {(6, 7)}


def test_the_first_k_are_told_by_order_or_by_order_and_group() -> None:
    orders = np.array([[2, 0, 1]])
    assert drawn(2, orders).tolist() == [[True, False, True]]
    assert drawn(np.array([[1, 3]]), orders).tolist() == [
        [[False, False, True], [True, True, True]]
    ]


def test_a_selection_of_randomly_rated_samples_has_k_meta_of_them() -> None:
    rng = random.Random(0)
    rated = [[rng.random() for _ in range(16)] for _ in range(5)]
    rated[3][2] = float("nan")
    orders = draw_orders(16, 9)
    chosen = select(np.array(rated), 8, 4, orders)
    assert (chosen.sum(axis=2) == 4).all() and not (chosen & ~drawn(8, orders)[:, None]).any()
    assert not chosen[:, 3, 2].any()


def test_a_verdict_with_one_more_sample_changes_no_earlier_one() -> None:
    short = verdict((9, 1), (2, 7))
    longer = replace(short, judgments=(*short.judgments, Judgment(2, (0, 1), 0, "", (1.0, 1.0))))
    few, many = Samples.of([short]), Samples.of([longer], k=2)
    assert np.array_equal(few.scores_G_K_N, many.scores_G_K_N)
