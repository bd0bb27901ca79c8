"""What goes with a criterion is found where it was planted, and nowhere else."""

from __future__ import annotations

import io
import json
import random
import tracemalloc
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from grm_plugin.cli.report_tables import parts
from grm_plugin.evaluation.truth import Best, Correct, Ratings
from grm_plugin.report.criteria import Criteria, criteria_of, for_page
from grm_plugin.report.criteria.errors import wrong
from grm_plugin.types import Judgment, Verdict
from tests.report.criteria.verdicts import judgment, planted, verdict

NAMES = ("Accuracy", "Clarity", "Tone", "Depth", "Safety", "Brevity")


def of(found: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    return next(row for row in found["criteria"] if row["name"] == name)


def fair(rng: random.Random, listed: frozenset[str]) -> tuple[float, ...]:
    return (8.0, 3.0) if rng.random() < 0.7 else (3.0, 8.0)


def misled_by_tone(rng: random.Random, listed: frozenset[str]) -> tuple[float, ...]:
    right = rng.random() < (0.4 if "Tone" in listed else 0.8)
    return (8.0, 3.0) if right else (3.0, 8.0)


def strict_on_depth(rng: random.Random, listed: frozenset[str]) -> tuple[float, ...]:
    level = 4 if "Depth" in listed else 6
    return (level + rng.choice((0, 1, 2)), level - rng.choice((0, 1, 2)))


def test_a_criterion_that_misleads_the_judge_is_found_and_no_other() -> None:
    found = criteria_of(planted(150, misled_by_tone, NAMES))
    tone = of(found, "Tone")
    assert tone["wrong"]["value"] == pytest.approx(0.6, abs=0.05)
    assert tone["wrong_without"]["value"] == pytest.approx(0.2, abs=0.05)
    assert tone["wrong_apart"]["low"] < 0.4 < tone["wrong_apart"]["high"]
    assert [row["name"] for row in found["criteria"] if row["wrong_apart"]["clear"]] == ["Tone"]


def test_a_criterion_by_which_responses_score_low_is_found_and_no_other() -> None:
    found = criteria_of(planted(80, strict_on_depth, NAMES))
    assert of(found, "Depth")["score_apart"]["value"] == pytest.approx(-2, abs=0.2)
    assert [row["name"] for row in found["criteria"] if row["score_apart"]["clear"]] == ["Depth"]


def test_where_nothing_was_planted_little_is_found() -> None:
    """Holm keeps the chance of any false alarm in a record at 5 %."""
    alarms = 0
    for seed in range(30):
        found = criteria_of(planted(40, fair, NAMES, seed=seed))
        alarms += any(row["wrong_apart"]["clear"] for row in found["criteria"])
    assert alarms <= 5  # of 30; more have a chance of 0.3 %


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    held = 0
    for seed in range(40):
        apart = of(criteria_of(planted(40, misled_by_tone, NAMES, seed=seed)), "Tone")[
            "wrong_apart"
        ]
        held += apart["low"] <= 0.4 <= apart["high"]
    assert held >= 34  # of 40; fewer have a chance of 0.3 %


def test_judgments_are_compared_on_the_same_responses() -> None:
    """A criterion that only hard groups call for is not to blame for them."""
    easy = [
        verdict(f"easy {n}", [judgment(k, ["Clarity"], (9, 2)) for k in range(4)], best=0)
        for n in range(20)
    ]
    hard = [
        verdict(
            f"hard {n}",
            [judgment(k, [("Accuracy", "Clarity")[k % 2]], (2, 3)) for k in range(4)],
            best=0,
        )
        for n in range(20)
    ]
    accuracy = of(criteria_of([*easy, *hard]), "Accuracy")
    assert accuracy["wrong"]["value"] == 1.0
    assert accuracy["wrong_without"]["value"] == pytest.approx(1 / 3)
    assert accuracy["wrong_apart"]["value"] == 0.0
    assert not accuracy["wrong_apart"]["clear"]


def test_a_criterion_that_moves_no_score_is_not_clear_by_rounding() -> None:
    def thirds(rng: random.Random, listed: frozenset[str]) -> tuple[float, ...]:
        return (7.1, 10 / 3)

    for row in criteria_of(planted(60, thirds, NAMES, k=7))["criteria"]:
        assert row["score_apart"]["value"] == 0.0
        assert not row["score_apart"]["clear"]


def test_shares_and_weights_are_those_of_judgments() -> None:
    listings = [["Accuracy", "Clarity"], ["Accuracy"], ["Clarity"], []]
    verdicts = [
        verdict(f"g{n}", [judgment(k, one, (5, 4)) for k, one in enumerate(listings)])
        for n in range(6)
    ]
    found = criteria_of(verdicts)
    assert found["judgments_without_criteria"] == 6
    assert of(found, "Accuracy")["used"]["value"] == pytest.approx(2 / 3)
    assert of(found, "Accuracy")["weight"]["value"] == pytest.approx(0.75)
    assert of(found, "Accuracy")["wrong"] is None
    assert found["all"]["wrong"] is None


def test_groups_of_one_source_count_together() -> None:
    """Ten copies of every group tell no more than one."""
    alone = list(planted(30, misled_by_tone, NAMES))
    copies = [
        replace(one, group=replace(one.group, metadata={"best": 0, "source": n}))
        for n, one in enumerate(alone)
        for _ in range(10)
    ]
    once, often = (of(criteria_of(each), "Tone")["wrong_apart"] for each in (alone, copies))
    assert often["value"] == pytest.approx(once["value"])
    assert often["high"] - often["low"] == pytest.approx(once["high"] - once["low"], rel=0.01)


def trained(steps: int, *, seed: int = 0) -> list[Verdict]:
    """A run in which the policy learns what Accuracy asks for, and nothing about Tone."""
    rng = random.Random(seed)
    found = []
    for step in range(steps):
        for number in range(6):
            listed = ["Accuracy"] if number % 2 else ["Tone"]
            level = 3 + 5 * step / steps if number % 2 else 5
            scores = [level + rng.gauss(0, 0.5), level + rng.gauss(0, 0.5)]
            judgments = [judgment(k, listed, scores) for k in range(2)]
            found.append(verdict(f"{step}-{number}", judgments, step=step, phase="train"))
    return found


@pytest.mark.parametrize("steps", [9, 50])
def test_what_a_policy_got_better_at_over_a_run_is_found(steps: int) -> None:
    found = criteria_of(trained(steps, seed=1))
    assert found["by"] == "step"
    assert len(found["parts"]) <= 16
    assert of(found, "Accuracy")["change"]["clear"]
    assert of(found, "Accuracy")["change"]["value"] == pytest.approx(5 / 9 * 2 / 3, abs=0.1)
    assert not of(found, "Tone")["change"]["clear"]
    assert found["all"]["change"]["clear"]
    rewards = [part["reward"]["value"] for part in of(found, "Accuracy")["by"].values()]
    assert rewards[0] < rewards[-1]


def test_ranks_one_after_another_tell_the_same_as_step_by_step() -> None:
    run = trained(40)
    ranks = [one for rank in range(2) for one in run[rank::2]]
    one, other = (of(criteria_of(each), "Accuracy")["change"] for each in (run, ranks))
    assert one["value"] == pytest.approx(other["value"])


def test_values_of_a_column_stand_beside_each_other() -> None:
    verdicts = [
        verdict(
            f"g{n}",
            [judgment(k, ["Accuracy"], (2, 9)) for k in range(2)],
            model=["small", "large"],
            subset=("math", "chat")[n % 2],
        )
        for n in range(12)
    ]
    by_model = of(criteria_of(verdicts, by="model"), "Accuracy")["by"]
    assert by_model["small"]["reward"]["value"] == pytest.approx(1 / 9)
    assert by_model["large"]["reward"]["value"] == pytest.approx(8 / 9)
    by_subset = criteria_of(verdicts, by="subset")
    assert by_subset["parts"] == ["math", "chat"]
    assert of(by_subset, "Accuracy")["by"]["math"]["groups"] == 6


def test_a_column_of_many_values_has_others() -> None:
    verdicts = [verdict(f"g{n}", [judgment(0, ["Tone"], (2, 9))], topic=n) for n in range(40)]
    found = criteria_of(verdicts, by="topic")
    assert len(found["parts"]) == 16
    assert found["parts"][-1] == "others"
    assert found["all"]["by"]["others"]["groups"] == 25


def test_examples_are_passages_on_the_response_itself() -> None:
    verdicts = [
        verdict(f"g{n}", [judgment(0, ["Tone"], (1 + n / 10, 9 - n / 10))], best=0)
        for n in range(20)
    ]
    examples = of(criteria_of(verdicts), "Tone")["examples"]
    assert [one["group"] for one in examples["lowest"]] == ["g0", "g1", "g2"]
    assert {one["response"] for one in examples["lowest"]} == {1}
    assert {one["response"] for one in examples["highest"]} == {2}
    assert examples["lowest"][0]["text"] == "Response 1: ['Tone'] gave 1."
    assert examples["wrong"][0]["text"] == "Response 2: ['Tone'] gave 9."


@pytest.mark.parametrize(
    ("truth", "scores", "share"),
    [
        (Best((0,)), (9, 3, 3), 0.0),
        (Best((0,)), (3, 9, 3), 1.0),
        (Best((0,)), (9, 9, 9), 2 / 3),
        (Best((0, 1)), (3, 9, 9), 0.5),
        (Best((2,)), (9, 3, None), None),
        (Correct((1, 0, 1)), (3, 9, 1), 1.0),
        (Correct((1, 1, 1)), (3, 9, 1), None),
        (Ratings((3, 2, 1)), (9, 5, 1), 0.0),
        (Ratings((3, 2, 1)), (9, 1, 5), 1 / 3),
        (Ratings((3, 2, 2)), (9, 9, 1), 0.25),
        (Ratings((2, 2, 2)), (9, 9, 1), None),
        (Best((0,)), (9, None, None), None),
    ],
)
def test_how_wrong_a_judgment_is(truth: Any, scores: Any, share: float | None) -> None:
    found = wrong(Judgment(0, (0, 1, 2), 0, "", scores), truth)
    assert found == (share if share is None else pytest.approx(share))


def test_groups_without_a_truth_that_can_be_read_are_not_checked() -> None:
    verdicts = [verdict(f"g{n}", [judgment(0, ["Tone"], (2, 9))], best="b") for n in range(9)]
    assert criteria_of(verdicts)["all"]["wrong"] is None


def test_everything_is_json_and_tables_of_a_page() -> None:
    found = criteria_of(trained(12))
    json.dumps(found, allow_nan=False)
    tables = for_page(found)
    listed = tables["what goes with each criterion"]
    assert {row["criterion"] for row in listed} == {"Accuracy", "Tone"}
    assert {"rewards over the run", "reward by step"} < set(tables)
    assert "wrong judgments" not in tables
    assert criteria_of([])["criteria"] == []
    assert for_page(criteria_of([])) == {}


def inventive(groups: int, late: int) -> list[Verdict]:
    """Judgments that name new criteria in every group, and from some group on a common one."""
    found = []
    for number in range(groups):
        own = [f"{a}{number}{b}" for a, b in ("ab", "cx")]
        own = [one.translate(str.maketrans("0123456789", "qwrtzpsdfg")) for one in own]
        listed = [*own, "Factual accuracy"] if number >= late else own
        judgments = [judgment(0, listed, (3, 5)), judgment(1, own, (3, 5))]
        found.append(verdict(f"g{number}", judgments, best=0))
    return found


def test_a_criterion_that_comes_late_is_found_and_what_made_room_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("grm_plugin.report.criteria.vocabulary.MOST", 40)
    found = criteria_of(inventive(150, late=90))
    assert [(row["name"], row["groups"]) for row in found["criteria"]] == [("Factual accuracy", 60)]
    kept = 2 * found["rarer_criteria"]
    assert found["criteria_beyond_the_most"] == 150 * 4 - kept > 0
    assert for_page(found)["listings that are not counted"][0]["listings"] == 150 * 4 - kept
    assert "not counted" in printed(found)
    assert "not counted" in printed(criteria_of(inventive(150, late=150)))


def printed(found: Mapping[str, Any]) -> str:
    text = io.StringIO()
    console = Console(width=200, file=text)
    for part in parts(found, top=3, examples=0):
        console.print(part)
    return text.getvalue()


def test_memory_does_not_grow_with_the_verdicts() -> None:
    criteria, verdicts = Criteria(), list(planted(510, fair, NAMES, k=2))
    for one in verdicts:
        criteria.add(one)
    tracemalloc.start()
    try:
        for one in verdicts:
            criteria.add(one)
        assert tracemalloc.get_traced_memory()[0] < 200_000
    finally:
        tracemalloc.stop()
