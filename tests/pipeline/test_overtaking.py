"""The chance to be overtaken is what simulating the samples to come gives."""

from __future__ import annotations

import math
import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm_plugin.pipeline.overtaking import freedom, overtaken, prior, tail, within

# degrees of freedom, quantile, upper tail: the usual table of Student's t
TABLE = [
    (1, 12.706, 0.025),
    (2, 4.303, 0.025),
    (3, 3.182, 0.025),
    (4, 3.747, 0.01),
    (9, 2.262, 0.025),
    (30, 2.750, 0.005),
    (120, 1.980, 0.025),
]


@pytest.mark.parametrize(("degrees", "t", "above"), TABLE)
def test_the_tail_is_that_of_the_table(degrees: int, t: float, above: float) -> None:
    assert tail(t, degrees) == pytest.approx(above, rel=2e-3)


@given(st.integers(1, 200), st.floats(-50, 50), st.floats(0, 5))
def test_the_tail_falls_and_is_symmetric(degrees: int, t: float, step: float) -> None:
    assert tail(t + step, degrees) <= tail(t, degrees) + 1e-12
    assert tail(t, degrees) + tail(-t, degrees) == pytest.approx(1)


def test_arrays_come_to_what_numbers_do() -> None:
    numpy = pytest.importorskip("numpy")
    for degrees in (1, 2, 7, 40):
        ts = [-3.0, 0.0, 0.4, 8.0]
        found = within(numpy.array(ts), degrees, numpy)
        assert found == pytest.approx([within(t, degrees, math) for t in ts], abs=1e-12)


@pytest.mark.parametrize(
    ("differences", "k"),
    [([4, 4], 8), ([1, 2, 0, 1], 16), ([3, -2, 4, 1, 0, 2], 32), ([0.5, 0.5, 0.5, 0.6], 6)],
)
def test_it_is_what_simulating_the_samples_to_come_gives(differences: list[float], k: int) -> None:
    m, total = len(differences), sum(differences)
    found = overtaken(total, sum(d * d for d in differences), m, m, k, width=9)
    assert found == pytest.approx(simulated(differences, k), abs=0.01)


def simulated(differences: list[float], k: int, times: int = 20_000) -> float:
    """How often the leader is behind, over spreads and means that the differences allow."""
    rng, m = random.Random(0), len(differences)
    mean = statistics.fmean(differences)
    deviations = sum((d - mean) ** 2 for d in differences) + prior(9)
    behind = 0
    for _ in range(times):
        spread = math.sqrt(deviations / rng.gammavariate(freedom(m) / 2, 2))
        true_mean = rng.gauss(mean, spread / math.sqrt(m))
        to_come = rng.gauss(true_mean * (k - m), spread * math.sqrt(k - m))
        behind += sum(differences) + to_come < 0
    return behind / times


def test_two_samples_that_agree_decide_nothing() -> None:
    assert overtaken(2, 2, valid=2, drawn=2, k=32, width=9) > 0.2


@given(st.integers(2, 30), st.floats(0, 4), st.floats(0, 5), st.floats(0.1, 2))
def test_a_larger_lead_is_safer_and_a_level_one_is_a_coin(
    m: int, lead: float, spread: float, more: float
) -> None:
    def risk(mean: float) -> float:
        return overtaken(m * mean, m * (mean**2 + spread**2), m, m, 32, width=9)

    assert risk(0) == 0.5
    assert risk(lead + more) <= risk(lead) + 1e-15


def test_failed_samples_bring_the_end_nearer_without_making_it_surer() -> None:
    whole = overtaken(8, 20, valid=8, drawn=8, k=32, width=9)
    assert overtaken(8, 20, valid=8, drawn=16, k=32, width=9) < whole  # fewer are still to come
    assert overtaken(4, 10, valid=4, drawn=8, k=32, width=9) > whole  # fewer have spoken


def test_a_tail_beyond_what_a_float_can_tell_is_still_a_probability() -> None:
    for degrees in range(1, 200):
        for t in (20.0, 60.0, 1e6):
            assert 0.0 <= tail(t, degrees) <= 0.5
            assert 0.5 <= tail(-t, degrees) <= 1.0
