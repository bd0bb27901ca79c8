"""How often intervals hold the truth, and what they are where all items are alike."""

from __future__ import annotations

import numpy as np
import pytest

from grm_plugin.evaluation.figures import Average, Mean, Statistic
from grm_plugin.evaluation.intervals import share_interval
from grm_plugin.evaluation.measuring import measure
from tests.evaluation.benchmarks.judged import item

RIGHT, WRONG = (0.9, 0.1), (0.1, 0.9)


@pytest.mark.parametrize(
    ("sources", "each", "chance", "alike"),
    [
        (28, 1, 0.95, 0.0),
        (46, 1, 0.8, 0.0),
        (100, 1, 0.9, 0.0),
        (30, 9, 0.8, 0.3),
        (15, 5, 0.7, 0.5),
    ],
)
def test_the_truth_is_in_as_many_intervals_as_they_say(
    sources: int, each: int, chance: float, alike: float
) -> None:
    rng, held = np.random.default_rng(1), 0
    for _ in range(300):
        right_S = rng.binomial(each, _chances(rng, sources, chance, alike))
        times_R_S = rng.multinomial(sources, np.full(sources, 1 / sources), size=300)
        shares_R = times_R_S @ right_S / (sources * each)
        share = float(right_S.sum()) / (sources * each)
        low, high = share_interval(share, shares_R, items=sources * each, sources=sources)
        held += low <= chance <= high
    assert 0.92 <= held / 300 <= 0.985


def _chances(rng: np.random.Generator, sources: int, chance: float, alike: float) -> np.ndarray:
    """Of each source; ``alike`` is the correlation of items of one source."""
    if not alike:
        return np.full(sources, chance)
    spread = (1 - alike) / alike
    return rng.beta(chance * spread, (1 - chance) * spread, sources)


def test_items_that_are_all_right_leave_room_below() -> None:
    few, many = (measure(Mean("all"), [item(RIGHT) for _ in range(n)]) for n in (10, 100))
    assert (few.value, few.high) == (1.0, 1.0)
    assert few.low < 0.75 < many.low < 0.97


def test_copies_of_one_item_make_it_no_surer() -> None:
    alone = [item(RIGHT if n % 3 else WRONG, source=n) for n in range(60)]
    copied = [one for one in alone for _ in range(5)]
    one, five = (measure(Mean("all"), items) for items in (alone, copied))
    assert five.n == 300
    assert (five.low, five.high) == pytest.approx((one.low, one.high), abs=0.01)


def test_of_few_sources_little_is_sure_however_many_items_they_have() -> None:
    items = [item(RIGHT if n % 4 else WRONG, source=n % 3) for n in range(300)]
    found = measure(Mean("all"), items)
    assert found.high - found.low > 0.3


def test_a_mean_of_shares_has_an_interval_of_its_kind() -> None:
    items = [item(RIGHT, subset=name) for name in "ab" for _ in range(20)]
    parts = tuple(Mean(name, where={"subset": name}) for name in "ab")
    found = measure(Average("both", parts), items)
    each = found.parts[0]
    assert found.low == pytest.approx(1 - (1 - each.low) / 2**0.5)
    assert found.low < measure(Mean("all"), items).low and found.high == 1.0


@pytest.mark.parametrize(("sizes", "chance"), [((500, 28), 0.95), ((28,) * 6, 0.95)])
def test_the_truth_is_in_the_intervals_of_means_of_small_and_large_parts(
    sizes: tuple[int, ...], chance: float
) -> None:
    """Pooled, 27 % of the intervals of the first miss it: often its small part is all right."""
    rng, held = np.random.default_rng(2), 0
    parts = [Mean(f"{n}", where={"subset": f"{n}"}) for n in range(len(sizes))]
    figure = Average("all", tuple(parts))
    for _ in range(40):
        items = [
            item(RIGHT if rng.random() < chance else WRONG, subset=f"{n}")
            for n, size in enumerate(sizes)
            for _ in range(size)
        ]
        found = measure(figure, items, resamples=100)
        held += found.low <= chance <= found.high
    assert held >= 34  # of 40 at 95 %: fewer come once in 200 times


def test_parts_of_the_same_sources_that_are_all_right_tell_no_more_than_one_of_them() -> None:
    items = [item(RIGHT, subset=name, source=n) for name in "abc" for n in range(20)]
    parts = tuple(Mean(name, where={"subset": name}) for name in "abc")
    found = measure(Average("all", parts), items)
    assert 0.8 < found.low <= found.parts[0].low


def test_another_number_that_does_not_vary_has_no_interval() -> None:
    figure = Statistic("one", of=lambda items: lambda weights_R_G: np.ones(len(weights_R_G)))
    found = measure(figure, [item(RIGHT), item(WRONG)])
    assert (found.value, found.low, found.high) == (1.0, None, None)
