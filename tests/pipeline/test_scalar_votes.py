"""A scalar RM's vote beside the judge's: what it counts, and how its logits are scaled."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm_plugin import GRM
from grm_plugin.errors import (
    ConfigError,
)
from grm_plugin.plugins import Plugin
from grm_plugin.types import Reason, Scalar
from grm_plugin.types.scalars import sigmoid, sureness
from tests.core.honest_judge import noisy
from tests.pipeline.scalar_rm import SURE, ScalarRM, grm, group, parts


def test_a_scalar_vote_counts_as_so_many_samples_of_the_judge() -> None:
    with grm({"weight": 2}, k=4, seed=1) as judge:
        found = judge.score(group((1, 1.0), (10, -1.0)))
    expected = [(4 * judged + 2 * sigmoid(logit)) / 6 for judged, logit in ((0, 1.0), (1, -1.0))]
    assert found.rewards == pytest.approx(expected)
    assert found.scalar is not None and found.scalar.scores == (1.0, -1.0)
    assert found.scalar.judged and found.scalar.agreement == 0.0


def test_the_share_of_the_scalar_vote_shrinks_as_k_grows() -> None:
    shares = []
    for k in (1, 4, 16):
        with grm({"weight": 4}, k=k) as judge:
            shares.append(judge.score(group((1, 9.0), (10, -9.0))).rewards[0])
    assert shares == pytest.approx([4 / 5, 4 / 8, 4 / 20], abs=1e-3)


def test_a_sum_gets_the_scalar_vote_in_points() -> None:
    with grm({"weight": 2}, k=3, vote="sum") as judge:
        found = judge.score(group((1, 0.0), (10, 0.0)))
    assert found.rewards == pytest.approx((3 + 2 * 5.5, 30 + 2 * 5.5))


def test_center_and_spread_scale_the_logits() -> None:
    with grm({"use": "alone", "center": 1.0, "spread": 2.0}) as judge:
        assert judge.score(group((1, 1.0), (1, 5.0))).rewards == (0.5, sigmoid(2.0))


def test_what_stands_beside_the_weights_holds_where_nothing_is_set() -> None:
    rm = ScalarRM()
    rm.scaling = (1.0, 4.0)
    with grm({"use": "alone", "spread": 2.0}, rm=rm) as judge:
        assert judge.score(group((1, 1.0), (1, 5.0))).rewards == (0.5, sigmoid(2.0))
        assert judge.origin["scalar"]["center"] == 1.0


def test_a_voter_of_others_is_taken_where_it_says_that_its_rewards_are_shares() -> None:
    class Voter:
        unit = True

        def __call__(self, scores_K_N, scale):
            return [1.0 for _ in scores_K_N[0]]

    class Offer:
        @staticmethod
        def make(options, limits):
            return Voter()

    from grm_plugin.hookspecs import hookimpl

    class Hooks:
        @hookimpl
        def grm_register_voters(self, register):
            register("ones", Offer.make)

    plugins = parts(ScalarRM())
    more = type(plugins)([*plugins.plugins, Plugin("ones", Hooks())])
    settings = {"engine": "scripted", "vote": "ones", "k": 4}
    with GRM(plugins=more, scalar={"classifier": "said"}, **settings) as judge:
        assert judge.score(group((1, 0.0), (2, 0.0))).rewards == (0.75, 0.75)
    Voter.unit = False
    with pytest.raises(ConfigError, match="expected vote: mean"):
        GRM(plugins=more, scalar={"classifier": "said"}, **settings)


def test_too_few_valid_samples_are_no_reward_whatever_the_scalar_rm_says() -> None:
    with grm({"weight": 4}, ["no box"], k=2) as judge:
        found = judge.score(SURE)
    assert found.rewards is None and found.failures[0].reason == Reason.UNREADABLE


def test_a_stopper_reckons_with_the_vote_that_is_known_from_the_start() -> None:
    """The judge is torn, and the scalar RM's weight alone settles who leads."""
    torn = group((5, 9.0), (5, -9.0))
    with grm({"weight": 64}, noisy, k=32, stop="ranking") as judge:
        settled = judge.score(torn)
    with grm({"weight": 0.01}, noisy, k=32, stop="ranking") as judge:
        open_ = judge.score(torn)
    assert settled.drawn < open_.drawn == 32


logits = st.floats(-50, 50)


@given(st.lists(st.none() | logits, max_size=6), st.floats(0.1, 10))
def test_sureness_is_a_pair_accuracy_that_only_differences_decide(
    scores: list[float | None], spread: float
) -> None:
    scalar = Scalar(tuple(scores), spread=spread)
    known = [one for one in scores if one is not None]
    if len(known) < 2:
        assert scalar.sureness is None
        return
    assert 0.5 <= scalar.sureness <= 1
    moved = Scalar(tuple(None if one is None else one + 3 for one in scores), 3.0, spread)
    turned = Scalar(tuple(None if one is None else -one for one in scores), 0.0, spread)
    assert scalar.sureness == pytest.approx(moved.sureness) == pytest.approx(turned.sureness)
    assert sureness([2 * one for one in known]) >= sureness(known) - 1e-12


@given(st.lists(logits, min_size=2, max_size=5))
def test_sureness_is_what_draws_from_its_own_model_come_to(scores: list[float]) -> None:
    wins = [max(sigmoid(a - b), sigmoid(b - a)) for i, a in enumerate(scores) for b in scores[:i]]
    assert sureness(scores) == pytest.approx(sum(wins) / len(wins))


@given(st.lists(st.floats(-1e308, 1e308), min_size=2, max_size=4), st.floats(1e-300, 1e300))
def test_no_finite_logit_and_spread_give_a_vote_that_is_no_share(
    scores: list[float], spread: float
) -> None:
    scalar = Scalar(tuple(scores), 0.0, spread)
    assert all(0 <= vote <= 1 for vote in scalar.votes) and 0.5 <= scalar.sureness <= 1


@given(
    st.lists(st.tuples(st.integers(1, 10), logits), min_size=1, max_size=4),
    st.floats(0.01, 100),
    st.integers(1, 8),
)
def test_a_reward_lies_between_the_judges_and_the_scalar_vote(
    answers: list[tuple[int, float]], weight: float, k: int
) -> None:
    from grm_plugin.pipeline.scalar_voting import ScalarRule
    from grm_plugin.types import Scale

    judged = [(quality - 1) / 9 for quality, _ in answers]
    scalar = Scalar(tuple(logit for _, logit in answers))
    found = ScalarRule(weight).together(judged, scalar, k, Scale(1, 10))
    for reward, one, vote in zip(found, judged, scalar.votes, strict=True):
        assert min(one, vote) - 1e-9 <= reward <= max(one, vote) + 1e-9
