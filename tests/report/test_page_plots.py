"""What a page's plots and tables say is what was counted and measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm_plugin.evaluation.figures import Mean
from grm_plugin.evaluation.health import health_of
from grm_plugin.evaluation.items import items_of
from grm_plugin.evaluation.measuring import measure
from grm_plugin.report.page import write_page
from grm_plugin.report.page.axes import Axis, bins, ticks
from grm_plugin.report.page.charts import charts_of
from grm_plugin.report.page.rows import row_of
from grm_plugin.report.page.sections import section
from grm_plugin.report.page.summary import MOST_SUBSETS, OTHER, Summary
from grm_plugin.report.page.tables import tables_of
from grm_plugin.types import Judgment, Verdict
from tests.report.pages import unscored, verdict

NUMBERS = st.floats(-1e6, 1e6, allow_nan=False)


def summed(*verdicts: Verdict) -> Summary:
    summary = Summary()
    for one in verdicts:
        summary.add(one, row_of(one))
    return summary


@given(st.lists(NUMBERS, min_size=2))
def test_ticks_are_few_round_and_around_all_values(values: list[float]) -> None:
    found = ticks(min(values), max(values))
    assert found == sorted(set(found)) and 2 <= len(found) <= 8
    off = 1e-6 * max(1.0, found[1] - found[0])  # what no eye sees
    assert found[0] <= min(values) + off and max(values) - off <= found[-1]


@given(st.lists(NUMBERS))
def test_every_value_is_in_one_bin(values: list[float]) -> None:
    assert sum(count for *_, count in bins(values)) == len(values)


@given(st.lists(NUMBERS, min_size=1))
def test_every_value_stands_on_the_picture(values: list[float]) -> None:
    axis = Axis.over(values, 50, 450)
    assert all(49 <= axis(value) <= 451 for value in values)


def test_titles_say_how_the_reward_moved_and_points_lead_to_their_steps() -> None:
    run = [verdict(step // 10, step=step, phase="train") for step in range(100)]
    plots = {plot.y: plot for plot in charts_of(summed(*run))}
    reward = plots["mean reward"]
    assert reward.title == "Mean reward rises from 0.28 to 0.68"
    assert reward.lines[0].points[0].link == "#step=0..1&phase=train"
    assert len(reward.lines[0].points) <= 60
    assert plots["share of valid samples"].title.startswith("Share of valid samples rises")


def test_a_record_without_steps_or_rewards_has_no_plots_of_them() -> None:
    assert list(charts_of(summed(unscored(1)))) == []
    assert not any(plot.lines for plot in charts_of(summed(verdict(1), verdict(2))))


def test_bias_of_places_is_told_with_the_place() -> None:
    (plot,) = (one for one in charts_of(summed(verdict(9))) if one.labels)
    assert plot.title == "Place 1 scores 0.00 points above place 1"


def test_subsets_beyond_the_most_are_counted_together() -> None:
    summary = summed(*(verdict(n, subset=f"s{n}") for n in range(MOST_SUBSETS + 7)))
    assert len(summary.subsets) == MOST_SUBSETS + 1 and summary.subsets[OTHER].groups == 7


def test_measured_figures_stand_with_intervals_and_outcomes_and_lead_to_their_groups(
    tmp_path: Path,
) -> None:
    judged = [verdict(n, best=1, subset="chat") for n in range(10)]
    part = Mean("chat", {"subset": "chat"}, tie="half")
    measured = measure(part, list(items_of(judged)), resamples=50).told()
    (table,) = tables_of(measured, subsets={"chat": "#subset=chat"})
    name, value, number, *counts = table.rows[0].cells
    assert (name.text, name.link, number.text) == ("chat", "#subset=chat", "10")
    assert value.text == "0.550" and " to " in value.interval
    assert dict(zip(table.head[3:], (one.text for one in counts), strict=True)) == {
        **{"right": "5", "wrong": "4", "tie": "1", "unscored": "0"},
        "ties count": "half",
    }
    write_page(tmp_path / "page.html", judged, title="t", measured=measured)
    assert 'href="#subset=chat">chat</a>' in (tmp_path / "page.html").read_text()


@pytest.mark.parametrize(
    ("value", "cells"),
    [
        ({"tie_rate": 0.25, "n": 3}, [["tie rate", "0.250"], ["n", "3"]]),
        ([{"a": 1, "b": None}, {"a": 2.5}], [["1", "—"], ["2.500", "—"]]),
        ({"deep": {"deeper": [True, "x"]}}, [["deeper", "yes, x"]]),
        ({"gap": {"value": 1.5, "low": 1, "high": 2}}, [["gap", "1.500"]]),
        ("a text", [["a text"]]),
        (None, []),
    ],
)
def test_any_json_becomes_tables(value: object, cells: list[list[str]]) -> None:
    found = [[cell.text for cell in row.cells] for table in tables_of(value) for row in table.rows]
    assert found == cells


def test_long_tables_of_texts_are_folded() -> None:
    (few,), (many,) = (tables_of([{"passage": "x" * 90}] * n, "said") for n in (3, 30))
    assert not few.folded and many.folded and many.name == "said (30)"


def test_long_tables_are_cut_and_say_so() -> None:
    (table,) = tables_of([{"a": n} for n in range(1000)])
    assert len(table.rows) + table.left_out == 1000 and table.left_out > 0


def test_an_evaluation_shows_gains_and_how_the_figure_moves_with_samples() -> None:
    one = {"value": 0.7, "low": 0.6, "high": 0.8}
    curve = [
        {"k": k, **one, "value": 0.7 + k / 100, "over": {"one": one} if k > 1 else {}}
        for k in (1, 4)
    ]
    value = {"figures": {"name": "chat", **one, "over": {"one": one}}, "curve": curve, "k": 4}
    found = section("measured", value, {})
    assert found is not None and found.title == "Evaluation"
    assert [plot.title for plot in found.plots] == [
        "chat rises from 0.710 to 0.740 with 4 samples in place of 1"
    ]
    figures, by_samples, settings = found.tables
    assert figures.head[2] == "over one" and figures.rows[0].cells[2].text == "+0.700"
    assert [row.cells[0].text for row in by_samples.rows] == ["1", "4"]
    assert settings.folded and settings.rows[0].cells[0].text == "k"


def test_judge_health_tells_biased_places_and_what_more_votes_are_worth() -> None:
    judged = [
        replace(
            verdict(n),
            judgments=tuple(
                Judgment(k, order, k, "", (9.0, 4.0 + n % 2) if order == (0, 1) else (7.0, 6.0))
                for k, order in enumerate([(0, 1), (1, 0)] * 2)
            ),
        )
        for n in range(40)
    ]
    found = section("health", health_of(judged).as_json(), {})
    assert found is not None
    places, votes = found.plots
    assert places.title == "Scores depend on the place: see place 1, 2"
    assert places.lines[0].points[0].link == "#place=1" and not places.lines[0].joined
    assert votes.title.startswith("One vote has a reliability of")
    marked = [cell for table in found.tables for row in table.rows for cell in row.cells]
    assert any(cell.marked == "off" for cell in marked)


def test_criteria_lead_to_the_groups_they_name() -> None:
    found = section("criteria", {"passages": [{"group": "g 1", "passage": "late"}]}, {})
    assert found is not None and found.tables[0].rows[0].cells[0].link == "#id=g+1"


@pytest.mark.parametrize("name", ["measured", "health", "criteria"])
@pytest.mark.parametrize("value", [{"figures": 3}, {"measurements": [1]}, [[1], {"a": {}}], "x", 7])
def test_other_shapes_are_told_as_they_are(name: str, value: object) -> None:
    found = section(name, value, {})
    assert found is not None and found.plots == []
