"""The stopper ``advantage`` draws more where responses are close and the judge is noisy."""

from __future__ import annotations

import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm_plugin.errors import ConfigError
from grm_plugin.pipeline.advantage import worth_of_two
from tests.core.honest_judge import grm
from tests.pipeline.test_ranking import judged, off_by

ADVANTAGE = {"name": "advantage", "worth": 0.02}


def drawn(most: int, *numbers: int, **options: float) -> int:
    return judged(off_by(most), *numbers, stop={**ADVANTAGE, **options}).drawn


def test_close_responses_and_a_noisy_judge_take_more_samples() -> None:
    assert drawn(2, 1, 9, 5) < drawn(2, 4, 6, 5) <= 32
    assert drawn(0, 3, 6, 5) < drawn(3, 3, 6, 5)


def test_a_higher_price_draws_fewer() -> None:
    few, many = drawn(2, 4, 6, 5, worth=0.2), drawn(2, 4, 6, 5, worth=0.002)
    assert 4 <= few < many


def test_a_group_with_a_response_that_is_not_scored_yet_goes_on() -> None:
    found = judged(off_by(1), 2, 9, 5, plan="each", stop=ADVANTAGE)
    assert found.scored and found.ended_early


@pytest.mark.parametrize("options", [{"worth": 0}, {"wort": 1}, {"round": 5}])
def test_options_that_mean_nothing_are_refused(options: dict[str, float]) -> None:
    with pytest.raises(ConfigError, match=next(iter(options))):
        grm(off_by(0), k=8, stop={**ADVANTAGE, **options})


@given(st.integers(2, 5), st.integers(4, 12), st.integers(0, 1000), st.floats(0.2, 5))
def test_it_does_not_depend_on_the_unit_or_on_what_all_responses_share(
    n: int, m: int, seed: int, width: float
) -> None:
    rng = random.Random(seed)
    rows = [{i: rng.random() for i in range(n)} for _ in range(m)]
    other = [
        {i: width * value + shift for i, value in row.items()}
        for row in rows
        for shift in [rng.random()]
    ]
    found = worth_of_two(rows, range(n), 1.0)
    assert worth_of_two(other, range(n), width) == pytest.approx(found)


def test_it_is_what_two_more_samples_take_off_the_error_of_normalised_rewards() -> None:
    rng = random.Random(0)
    truth = [0.0, 0.4, 0.8]
    rows = [{n: rng.gauss(mean, 0.3) for n, mean in enumerate(truth)} for _ in range(200)]
    centred_noise = 0.3**2 * 2 / 3  # of three responses, less their common part
    expected = centred_noise * (1 / 200 - 1 / 202) / statistics.pvariance(truth)
    assert worth_of_two(rows, range(3), 1.0) == pytest.approx(expected, rel=0.15)


def test_a_group_of_one_and_one_without_spread_get_all_samples() -> None:
    assert drawn(0, 7) == 32
    assert judged(off_by(2), 7, 7, 7, duplicates="keep", stop=ADVANTAGE).drawn == 32
