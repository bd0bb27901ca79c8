"""How reliable votes are: variance between the responses of groups, over all of it."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from grm_plugin.hosts.counting import Tally
from grm_plugin.hosts.metrics import numbers
from grm_plugin.reliability import VoteVariance, of_k_votes, votes_for
from grm_plugin.types import Group, Judgment, Verdict

groups = st.lists(st.lists(st.floats(1, 10), max_size=5), min_size=1, max_size=5)


def simulated(rng: random.Random, ks_N: list[int], apart: float, scatter: float) -> VoteVariance:
    """Votes of responses that lie ``apart``, and that ``scatter`` around them (deviations)."""
    quality_N = [rng.gauss(5, apart) for _ in ks_N]
    pairs = zip(quality_N, ks_N, strict=True)
    return VoteVariance.of([[rng.gauss(one, scatter) for _ in range(k)] for one, k in pairs])


@pytest.mark.parametrize("ks_N", [[2, 2, 2, 2], [8, 8], [2, 5, 8, 3]])
def test_the_share_of_the_variance_between_responses_is_found_also_of_unequal_votes(
    ks_N: list[int],
) -> None:
    rng = random.Random(7)
    found = sum((simulated(rng, ks_N, 1.0, 2.0) for _ in range(4000)), VoteVariance())
    assert found.reliability == pytest.approx(1 / 5, abs=0.02)


@given(groups)
def test_reliability_is_at_most_1_and_nothing_is_known_from_single_votes(
    votes_N: list[list[float]],
) -> None:
    found = VoteVariance.of(votes_N).reliability
    assert math.isnan(found) or found <= 1 + 1e-9
    assert math.isnan(VoteVariance.of([one[:1] for one in votes_N]).reliability)


@given(groups, st.floats(-3, 3))
def test_a_constant_that_all_votes_of_a_group_have_more_changes_nothing(
    votes_N: list[list[float]], more: float
) -> None:
    before = VoteVariance.of(votes_N)
    assume(abs(before.between) + before.within > 1e-3)
    after = VoteVariance.of([[vote + more for vote in one] for one in votes_N])
    assert after.reliability == pytest.approx(before.reliability, abs=1e-4, nan_ok=True)


@given(st.floats(0.01, 0.99), st.floats(0.05, 0.95))
def test_as_many_votes_as_it_says_reach_the_target_and_one_less_does_not(
    one: float, target: float
) -> None:
    k = votes_for(target, one)
    assert of_k_votes(one, k) >= target - 1e-6
    assert k == 1 or of_k_votes(one, k - 1) < target


def judged(*scores_K_N: tuple[float | None, ...]) -> Verdict:
    group = Group.of("q", [str(n) for n in range(len(scores_K_N[0]))])
    judgments = (
        Judgment(k, tuple(range(len(one))), k, "", one) for k, one in enumerate(scores_K_N)
    )
    return Verdict(group, (0.5,) * len(group.responses), tuple(judgments))


def test_the_metric_pools_the_votes_of_all_groups_and_single_samples_do_not_tell_it() -> None:
    wide, none, short = judged((9, 1), (9, 1)), judged((4, 4), (6, 6)), judged((9, 1))
    found = numbers(Tally.of([wide, none, short]))["reliability"]
    both = [VoteVariance.of(votes) for votes in ([[9, 9], [1, 1]], [[4, 6], [4, 6]])]
    assert found == sum(both, VoteVariance()).reliability
    assert math.isnan(numbers(Tally.of([short, short]))["reliability"])


def test_votes_that_a_stopper_left_out_or_that_did_not_see_a_response_are_not_counted() -> None:
    unequal = judged((9, 1), (8, None), (7, None))
    expected = VoteVariance.of([[9, 8, 7], [1]]).reliability
    assert numbers(Tally.of([unequal]))["reliability"] == expected
