"""Two judges on the same items: differences are found, and chance is not called one."""

from __future__ import annotations

import random

import pytest

pytest.importorskip("numpy")
pytest.importorskip("scipy")

from grm_plugin import Group
from grm_plugin.errors import InputError
from grm_plugin.evaluation.contrasting import Contrast, contrast, paired
from grm_plugin.evaluation.figures import Mean, each_of
from grm_plugin.evaluation.items import Item

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


def test_equal_groups_are_paired_one_by_one() -> None:
    one = judged([True, False])
    twice = [one[0], one[0], one[1]]
    assert len(paired(twice, twice[::-1], ("a", "b"))) == 3
    with pytest.raises(InputError, match="b has 1 groups that a does not have"):
        paired(one, twice, ("a", "b"))


def test_nothing_in_common_is_refused() -> None:
    with pytest.raises(InputError, match="at least one group"):
        contrast(Mean("all"), [])
