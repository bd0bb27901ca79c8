"""Two judges on the same items: differences are found, and chance is not called one."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest

pytest.importorskip("numpy")
pytest.importorskip("scipy")

from grm_plugin import Group
from grm_plugin.errors import InputError
from grm_plugin.evaluation.benchmarks.correlating import correlations
from grm_plugin.evaluation.contrasting import Contrast, contrast, paired
from grm_plugin.evaluation.figures import Average, Mean, each_of
from grm_plugin.evaluation.items import Item
from grm_plugin.evaluation.truth import Ratings

RIGHT, WRONG = (0.9, 0.1), (0.1, 0.9)


def judged(right: list[bool], *, together: int = 1) -> list[Item]:
    """Pairs, of which so many share a source, judged right or wrong."""
    return [
        Item.of(
            Group.of(
                f"q{n}",
                ["a", "b"],
                id=str(n),
                metadata={"best": 0, "subset": f"s{n % 2}", "source": n // together},
            ),
            RIGHT if one else WRONG,
        )
        for n, one in enumerate(right)
    ]


def compared(first: list[Item], second: list[Item], seed: int = 0) -> Contrast:
    pairs = paired(first, second, ("a", "b"))
    figure = Mean("all", below=each_of([one for one, _ in pairs], "subset"))
    return contrast(figure, pairs, resamples=400, seed=seed)


def alike(rng: random.Random, together: int) -> list[bool]:
    """Sources of items that are right together."""
    return [right for _ in range(120 // together) for right in [rng.random() < 0.6] * together]


@pytest.mark.parametrize("together", [1, 4])
def test_chance_is_called_a_difference_as_rarely_as_it_says(together: int) -> None:
    alarms = 0
    for trial in range(60):
        rng = random.Random(trial)
        first, second = (judged(alike(rng, together), together=together) for _ in range(2))
        top = compared(first, second, trial).rows[0]
        alarms += not top.difference.low <= 0 <= top.difference.high
    assert alarms <= 9  # of 60 at 5 %


def test_items_of_one_source_taken_alone_would_be_called_one_far_too_often() -> None:
    alarms = 0
    for trial in range(40):
        rng = random.Random(trial)
        first, second = (judged(alike(rng, 8)) for _ in range(2))  # sources are not told
        alarms += compared(first, second, trial).outcomes.p < 0.05
    assert alarms > 8


def test_a_true_difference_is_found_and_its_sign_is_second_less_first() -> None:
    rng = random.Random(0)
    first = judged([rng.random() < 0.5 for _ in range(200)])
    second = judged([rng.random() < 0.8 for _ in range(200)])
    found = compared(first, second)
    assert found.rows[0].difference.low > 0 and found.outcomes.p < 0.001
    back = compared(second, first)
    assert back.rows[0].difference.value == -found.rows[0].difference.value
    assert [row.name for row in found.rows] == ["all", "s0", "s1"]
    assert [row.p_holm is None for row in found.rows] == [True, False, False]


def test_the_p_beside_a_figure_tests_what_the_figure_counts() -> None:
    """A half against nothing is no matter of right and wrong; that one of many wins may be."""
    items = judged([True, False] * 10)
    tied, lost = ([replace(one, rewards=each) for one in items] for each in ((0.5, 0.5), WRONG))
    half = contrast(Mean("all", tie="half"), paired(tied, lost, ("a", "b"))).rows[0]
    assert (half.test, half.difference.value) == ("bootstrap", -0.5) and half.p < 0.001
    high = Mean("high", value=lambda item: float(max(item.rewards) > 0.7))
    one = contrast(high, paired(tied, lost, ("a", "b")))
    assert (one.rows[0].test, one.rows[0].p) == ("mcnemar", 2 / 2**20)
    assert one.outcomes.p == 1  # nobody is right


def test_p_values_are_corrected_over_figures_that_say_something_of_their_own() -> None:
    """Neither what no item is about counts, nor the same items again, pooled or as they were."""
    first, second = judged([False] * 40), judged([n % 3 > 0 for n in range(40)])
    subsets = each_of(first, "subset")
    more = (Mean("none", where={"subset": "s9"}), Mean("pooled"), Average("twice", subsets))
    pairs = paired(first, second, ("a", "b"))
    rows = contrast(Average("all", subsets, below=more), pairs).rows
    assert [row.name for row in rows] == ["all", "s0", "s1", "pooled", "twice", "s0", "s1"]
    tested = {row.name: (row.p, row.p_holm) for row in rows if row.p_holm is not None}
    assert set(tested) == {"s0", "s1"}
    least, most = sorted(p for p, _ in tested.values())
    assert max(p for _, p in tested.values()) == pytest.approx(max(2 * least, most))


def test_no_p_takes_items_of_one_source_for_independent() -> None:
    first, second = (judged([right] * 100, together=50) for right in (False, True))
    found = compared(first, second)
    assert math.isnan(found.outcomes.p) and found.outcomes.second == 100
    assert all(math.isnan(row.p) and math.isnan(row.difference.low) for row in found.rows)


def test_ratings_have_no_outcomes_to_tell() -> None:
    first, second = (
        [
            replace(one, truth=Ratings((n, n + 1.0)), rewards=rewards)
            for n, one in enumerate(judged([True] * 9))
        ]
        for rewards in (RIGHT, None)
    )
    found = contrast(correlations("r"), paired(first, second, ("a", "b")))
    assert found.outcomes is None and not found.differ and found.rows[0].is_correlation
    assert found.rows[0].counts == (
        {"scored": 9},
        {"unscored": 9} | dict.fromkeys(("right", "wrong", "tie"), 0),
    )


def test_equal_groups_are_paired_one_by_one() -> None:
    one = judged([True, False])
    twice = [one[0], one[0], one[1]]
    assert len(paired(twice, twice[::-1], ("a", "b"))) == 3
    with pytest.raises(InputError, match="b has 1 groups that a does not have"):
        paired(one, twice, ("a", "b"))


def test_nothing_in_common_is_refused() -> None:
    with pytest.raises(InputError, match="at least one group"):
        contrast(Mean("all"), [])
