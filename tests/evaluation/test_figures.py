"""Trees of figures: what each number is, over which items, and how sure it is."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest

from grm_plugin.errors import InputError
from grm_plugin.evaluation.figures import Average, Mean, Statistic, each_of
from grm_plugin.evaluation.items import Item
from grm_plugin.evaluation.measuring import measure
from grm_plugin.evaluation.resampled import source_weights
from tests.evaluation.benchmarks.judged import item

RIGHT, WRONG, TIE = (0.9, 0.1), (0.1, 0.9), (0.5, 0.5)


def some() -> list[Item]:
    return [
        item(RIGHT, subset="a"),
        item(WRONG, subset="a"),
        item(TIE, subset="b"),
        item(None, subset="b"),
    ]


def test_a_mean_counts_outcomes_and_tells_what_a_tie_counts() -> None:
    found = measure(Mean("all", tie="half"), some())
    assert (found.value, found.n, found.ties) == (0.375, 4, "half")
    assert found.counts == {"right": 1, "wrong": 1, "tie": 1, "unscored": 1}
    assert measure(Mean("all", tie="strict"), some()).value == 0.25


def test_each_subset_has_a_figure_of_its_own() -> None:
    items = some()
    found = measure(Mean("all", below=each_of(items, "subset")), items)
    assert [(one.name, one.value, one.n) for one in found.parts] == [("a", 0.5, 2), ("b", 0.0, 2)]


def test_an_average_goes_by_its_weights_and_not_by_how_many_items_there_are() -> None:
    items = [item(RIGHT, subset="a")] * 1 + [item(WRONG, subset="b")] * 9
    of = tuple(Mean(name, where={"subset": name}) for name in "ab")
    assert measure(Average("plain", of), items).value == 0.5
    assert measure(Average("weighted", of, weights=(3, 1)), items).value == 0.75


def test_a_missing_part_is_named_and_where_all_are_needed_there_is_no_number() -> None:
    items = [item(RIGHT, subset="a")]
    of = tuple(Mean(name, where={"subset": name}) for name in "ab")
    part, whole = measure(Average("x", of), items), measure(Average("x", of, whole=True), items)
    assert (part.value, part.missing) == (1.0, ("b",))
    assert (whole.value, whole.low, whole.missing) == (None, None, ("b",))
    assert whole.parts[0].value == 1.0


def test_a_part_that_lacks_a_part_of_its_own_is_missing_too() -> None:
    items = [item(RIGHT, subset="a"), item(RIGHT, subset="b")]
    a, b, c = (Mean(name, where={"subset": name}) for name in "abc")
    inner = Average("b and c", (b, c), whole=True)
    found = measure(Average("all", (a, inner), whole=True), items)
    assert (found.value, found.missing) == (None, ("b and c",))
    assert measure(Average("all", (a, inner)), items).value == 1.0


def test_any_statistic_sees_only_the_items_that_it_is_about() -> None:
    def spread(items: list[Item]):
        rewards = np.array([one.rewards[0] for one in items])
        return lambda weights_R_G: np.array(
            [np.ptp(rewards[row > 0]) if row.any() else np.nan for row in weights_R_G]
        )

    items = [item(RIGHT, subset="a"), item(WRONG, subset="a"), item(TIE, subset="b")]
    found = measure(Statistic("spread", of=spread, where={"subset": "a"}), items)
    assert (found.value, found.n) == (pytest.approx(0.8), 2)


def test_what_is_measured_is_json() -> None:
    items = some()
    found = measure(Average("x", (Mean("a", where={"subset": "c"}),)), items)
    assert json.loads(json.dumps(found.told(), allow_nan=False))["parts"][0]["value"] is None


def test_nothing_can_be_measured_on_nothing() -> None:
    with pytest.raises(InputError, match="expected at least one judged group, got none"):
        measure(Mean("all"), [])


def test_items_of_one_source_are_drawn_together() -> None:
    items = [item(RIGHT, source=f"s{n // 3}") for n in range(12)]
    (weights_R_G,) = source_weights(items, 50, seed=0)
    by_source = weights_R_G.reshape(50, 4, 3)
    assert (by_source == by_source[:, :, :1]).all()
    assert (by_source[:, :, 0].sum(axis=1) == 4).all()


def test_the_same_seed_gives_the_same_interval_however_many_are_drawn_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    items = [item(random.Random(n).choice([RIGHT, WRONG])) for n in range(60)]
    once = measure(Mean("all"), items, seed=3)
    monkeypatch.setattr("grm_plugin.evaluation.resampled._CELLS", 600)
    assert measure(Mean("all"), items, seed=3) == once


def test_items_of_a_single_source_have_no_interval() -> None:
    one = [item(RIGHT, source="s"), item(WRONG, source="s")]
    assert (measure(Mean("all"), one).value, measure(Mean("all"), one).low) == (0.5, None)
    two = measure(Mean("all"), [*one, item(RIGHT, source="t")])
    assert two.low is not None and two.high is not None
