from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm_plugin.correlation import Correlation
from grm_plugin.hosts.counting import Tally
from grm_plugin.hosts.metrics import METRICS, numbers
from grm_plugin.hosts.places import Places
from grm_plugin.pipeline.planning import plan
from grm_plugin.types import Cost, Failure, Group, Judgment, Reason, Verdict


def judgment(
    *scores: float | None, voted: bool = True, order: tuple[int, ...] | None = None
) -> Judgment:
    return Judgment(0, order or tuple(range(len(scores))), 0, "", scores, voted=voted)


def found_in(*verdicts: Verdict) -> dict[str, float]:
    return numbers(Tally.of(verdicts))


def rewarded(*rewards: float | None, responses: Sequence[str] = ()) -> Verdict:
    group = Group.of("q", responses or [str(n) for n in range(len(rewards))])
    return Verdict(group, rewards, unscored_responses={0: "a veto"} if None in rewards else {})


def verdict(*judgments: Judgment, dropped: int = 0) -> Verdict:
    failures = tuple(Failure(i, (), 0, Reason.TRUNCATED, "cut") for i in range(dropped))
    rewards = (0.5, 0.5) if judgments else None
    why = "" if judgments else "nothing valid"
    group = Group.of("q", ["a", "b"])
    return Verdict(group, rewards, judgments, failures, why, Cost(10, 4, 1.0))


def test_numbers_are_shares_means_and_sums_over_the_call() -> None:
    verdicts = [verdict(judgment(8, 4), judgment(6, 4, voted=False), dropped=2), verdict(dropped=4)]
    found = found_in(replace(verdicts[0], rewards=(0.25, 0.75)), verdicts[1])
    assert found["reward_mean"] == 0.5
    assert found["reward_spread"] == 0.25
    assert found["vote_spread"] == 0.0
    assert (found["tie_rate"], found["unscored_rate"]) == (0.0, 0.5)
    assert (found["valid_rate"], found["dropped_truncated"]) == (0.25, 0.75)
    assert found["selected_rate"] == 0.5
    assert (found["tokens_in"], found["tokens_out"]) == (20.0, 8.0)


def test_samples_drawn_and_early_ends_are_of_the_groups_that_were_judged() -> None:
    few = replace(verdict(judgment(8, 4)), origin={"k": 8})
    all_ = replace(verdict(judgment(8, 4), dropped=2), origin={"k": 2})
    found = found_in(few, all_, verdict())
    assert (found["k_drawn"], found["early_rate"]) == (1.5, 0.5)
    assert found["k"] == 5
    nothing = found_in(verdict())
    assert math.isnan(nothing["k_drawn"]) and math.isnan(nothing["early_rate"])


def test_the_cache_hit_rate_is_of_the_samples_whose_server_tells() -> None:
    told = [
        replace(judgment(8, 4), prompt_tokens=prompt, cached_tokens=cached)
        for prompt, cached in ((100, 0), (100, 75), (900, None))
    ]
    assert found_in(verdict(*told))["cache_hit_rate"] == 75 / 200
    assert math.isnan(found_in(verdict(judgment(8, 4)))["cache_hit_rate"])


def test_money_is_that_of_known_prices_beside_the_share_of_those_that_are_not() -> None:
    group = Group.of("q", ["a", "b"])
    priced = Verdict(
        group, None, cost=Cost(money=0.5), failures=(Failure(0, (), 0, Reason.META, ""),)
    )
    judged = [priced, replace(priced, cost=Cost(money=0.25, unpriced=1)), verdict(judgment(8, 4))]
    found = found_in(*judged)
    assert (found["money"], found["unpriced_rate"]) == (0.75, pytest.approx(2 / 3))
    nothing = found_in(verdict(judgment(8, 4)))
    assert math.isnan(nothing["money"])
    assert nothing["unpriced_rate"] == 1.0


def test_vote_spread_is_the_spread_of_the_samples_not_of_the_responses() -> None:
    assert found_in(verdict(judgment(8, 2), judgment(4, 2)))["vote_spread"] == 1.0


@pytest.mark.parametrize(("rewards", "tied"), [([1, 1, 0], 1.0), ([1, 0, 0], 0.0)])
def test_only_a_tie_for_the_top_is_a_tie(rewards: list[float], tied: float) -> None:
    assert found_in(rewarded(*rewards))["tie_rate"] == tied
    assert math.isnan(found_in(rewarded(1.0))["tie_rate"])  # nothing to compare


def test_a_response_without_a_reward_is_counted_and_is_no_number() -> None:
    alone = Verdict(Group.of("q", ["a", "b"]), (0.5, None), unscored_responses={1: "a veto"})
    found = found_in(alone)
    assert found["reward_mean"] == 0.5
    assert math.isnan(found["reward_spread"]) and math.isnan(found["tie_rate"])
    assert (found["unscored_rate"], found["unscored_response_rate"]) == (0.0, 0.5)
    assert math.isnan(found_in(rewarded(None, None))["reward_mean"])


def test_the_place_gap_is_what_the_place_adds_to_the_same_responses() -> None:
    judged = verdict(judgment(8, 4, order=(0, 1)), judgment(5, 7, order=(1, 0)))
    found = found_in(judged)
    assert (found["place_gap"], found["place_first"]) == (3.0, 1.5)
    assert Places.of(judged.judgments).means == (7.5, 4.5)


@given(st.lists(st.integers(-3, 3), min_size=2, max_size=6), st.integers(0, 99))
def test_balanced_shuffles_show_the_place_bias_whatever_the_responses_are_worth(
    bias: list[int], seed: int
) -> None:
    n, places = len(bias), Places()
    for one in plan(range(n), k=n, permutations=n, seed=seed, fingerprint="g"):
        scores = {index: index**2 + bias[place] for place, index in enumerate(one.order)}
        places.add(judgment(*(scores[index] for index in range(n)), order=one.order))
    assert places.lifts == pytest.approx([lift - sum(bias) / n for lift in bias])
    assert places.gap == pytest.approx(max(bias) - min(bias))


def test_groups_of_several_sizes_do_not_mix_their_levels() -> None:
    easy, hard = judgment(9, 9), judgment(1, 1, 1)
    assert Places.of([easy, hard]).lifts == (0, 0, 0)
    assert Places.of([easy, hard]).means == (5, 5, 5)


@pytest.mark.parametrize(
    ("scores", "order"), [((7.0,), (0,)), ((7.0, None), (0, 1)), ((7.0, None), (0,))]
)
def test_only_judgments_that_compare_responses_tell_about_places(
    scores: tuple[float | None, ...], order: tuple[int, ...]
) -> None:
    places = Places.of([judgment(*scores, order=order)])
    assert places.lifts == places.means == ()
    assert math.isnan(places.gap) and math.isnan(places.first)


def test_judgments_of_some_of_the_responses_count_by_their_places() -> None:
    pair = judgment(None, 4, None, 8, order=(3, 1))
    assert Places.of([pair]).lifts == (2.0, -2.0)


def test_names_are_always_the_same_and_a_number_that_does_not_exist_is_nan() -> None:
    empty, full = found_in(), found_in(verdict(judgment(8, 4)))
    assert empty.keys() == full.keys()
    assert all(isinstance(value, float) for value in (*empty.values(), *full.values()))
    assert math.isnan(empty["reward_mean"]) and math.isnan(empty["place_gap"])
    assert {f"dropped_{reason}" for reason in Reason} <= empty.keys()


def test_length_counts_only_beside_siblings() -> None:
    long_is_good = rewarded(0.9, 0.1, responses=["long answer", "short"])
    long_group_is_bad = rewarded(0.0, 0.0, responses=["x" * 500, "x" * 400])
    assert found_in(long_is_good)["length_correlation"] == pytest.approx(1)
    both = found_in(long_is_good, replace(long_is_good, rewards=(0.1, 0.9)))
    assert both["length_correlation"] == pytest.approx(0)
    assert found_in(long_is_good, long_group_is_bad)["length_correlation"] > 0
    assert math.isnan(found_in(long_group_is_bad)["length_correlation"])


pairs = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=2, max_size=6)


@given(st.lists(pairs, max_size=5), st.integers(-50, 50))
def test_a_correlation_within_groups_does_not_move_with_their_levels(
    groups: list[list[tuple[int, int]]], level: int
) -> None:
    plain, moved = Correlation(), Correlation()
    for place, group in enumerate(groups):
        plain.add(group)
        moved.add((x + level * place, y - level * place) for x, y in group)
    assert moved.value == pytest.approx(plain.value, abs=1e-6, nan_ok=True)


verdicts = st.builds(
    lambda scores, dropped, k: replace(
        verdict(*(judgment(*pair) for pair in scores), dropped=dropped), origin={"k": k}
    ),
    st.lists(st.tuples(st.integers(1, 10), st.integers(1, 10)), max_size=3),
    st.integers(0, 2),
    st.integers(1, 4),
)


@given(st.lists(verdicts, max_size=4), st.lists(verdicts, max_size=4))
def test_tallies_that_are_added_count_what_one_would_have_counted(
    first: list[Verdict], second: list[Verdict]
) -> None:
    whole, parts = Tally.of([*first, *second]), Tally.of(first) + Tally.of(second)
    assert numbers(parts) == pytest.approx(numbers(whole), nan_ok=True)
    assert (parts.groups, parts.unscored, parts.dropped) == (
        whole.groups,
        whole.unscored,
        whole.dropped,
    )


def test_every_metric_says_what_it_is_under_a_name_of_its_own() -> None:
    told = [metric.described for metric in METRICS]
    assert len({one.name for one in told}) == len(told)
    assert all(one.range and one.meaning and not one.meaning.endswith(".") for one in told)
