"""The curves of a training run, counted from its record, for the page and the picture."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from pathlib import Path

import pytest

from grm_plugin.errors import InputError
from grm_plugin.report.training import (
    CURVES,
    MOST_POINTS,
    Curve,
    Step,
    phases,
    points,
    quality_of,
    steps_of,
    told,
)
from grm_plugin.types import Control, Group, Judgment, Verdict
from grm_plugin.watching.options import START, WatchOptions
from grm_plugin.watching.start import ROUNDS
from grm_plugin.watching.watch import Watch
from tests.watching.judges import controlled

REWARD, QUALITY, _, TIES, VALID, _, SAMPLES, _, FOLLOWS, OPENING, GAP, CONTROL, *_ = CURVES


def verdict(
    *rewards: float, step: int | None = None, phase: str = "train", **metadata: object
) -> Verdict:
    texts = [str(n) for n in range(len(rewards))]
    when = {"step": step, "phase": phase} if step is not None else {}
    group = Group.of("q", texts, metadata={**when, **metadata})
    order = tuple(range(len(rewards)))
    return Verdict(group, rewards, (Judgment(0, order, 0, "", tuple(rewards)),))


def values(curve: Curve, *verdicts: Verdict, phase: str = "train") -> list[float]:
    return [point.value for point in points(steps_of(verdicts), phase, curve)]


def test_the_verdicts_of_a_step_are_one_point_and_phases_are_apart() -> None:
    run = [
        verdict(0.2, 0.4, step=0),
        verdict(0.6, 0.8, step=0),
        verdict(1.0, 1.0, step=1),
        verdict(0.1, 0.1, step=1, phase="eval"),
        verdict(0.9, 0.9),  # says no step
    ]
    assert values(REWARD, *run) == pytest.approx([0.5, 1.0])
    assert values(TIES, *run) == [0.0, 1.0]
    assert values(VALID, *run) == values(SAMPLES, *run) == [1.0, 1.0]
    assert values(REWARD, *run, phase="eval") == pytest.approx([0.1])
    assert phases(steps_of(run)) == ["train", "eval"]


def test_true_quality_is_what_the_metadata_says_of_each_response() -> None:
    run = [
        verdict(0.9, 0.1, step=0, ratings=[0.8, 0.2]),
        verdict(0.9, 0.1, step=1, correct=[0, 1]),
        verdict(0.9, 0.1, step=2, best=0),
        verdict(0.9, 0.1, step=3),
    ]
    assert values(QUALITY, *run) == [0.5, 0.5]
    assert values(FOLLOWS, *run) == pytest.approx([1.0, -1.0])


@pytest.mark.parametrize("rounds", [5, START])
def test_the_gap_to_a_control_judge_is_the_one_that_the_run_logged(rounds: int) -> None:
    watch = Watch(WatchOptions(control={"judge": {"k": 32}}, start=rounds))
    draw, logged = random.Random(1), []
    origin = {} if rounds == START else {ROUNDS: rounds}
    steps: list[Verdict] = []
    for step in range(24):
        for n in (2, 8, 2, 8, 2, 8, 2, 8):  # responses; those of large groups are what changes
            true = [draw.random() for _ in range(n)]
            more = 0.3 if step > 12 and n == 8 else 0.0
            one = controlled(step, [0.7 * one + more for one in true], true, name=f"{len(steps)}")
            steps.append(replace(one, control=Control(tuple(true), origin=origin)))
        watch.add(steps[-8:])
        logged.append(watch.gap.value)
    found = values(GAP, *steps)
    assert found[rounds + 1 :] == pytest.approx(logged[rounds + 1 :])
    assert values(CONTROL, *steps) == pytest.approx([1.0] * 24)
    assert values(GAP, verdict(0.2, 0.4, step=0)) == []


def test_responses_that_begin_alike_are_counted_over_the_steps_of_a_point() -> None:
    texts = ["As an expert, 4", "as  an expert, 5", "four", "five"]
    steps = [
        controlled(step, [0.1] * 4, None, texts=texts[step:] + texts[:step]) for step in (0, 1)
    ]
    assert values(OPENING, *steps) == [0.5, 0.5]


def test_metadata_that_is_no_truth_costs_no_picture() -> None:
    assert quality_of(Group.of("q", ["a", "b"], metadata={"ratings": "high"})) == ()


def test_of_a_long_run_several_steps_are_one_point_which_counts_every_group() -> None:
    run = [verdict(0.5, 0.5, step=step) for step in range(1000)]
    found = list(points(steps_of(run), "train", REWARD))
    assert len(found) <= MOST_POINTS
    assert sum(point.groups for point in found) == 1000
    assert (found[0].first, found[-1].last) == (0, 999)


def test_a_step_without_any_reward_is_no_point() -> None:
    lost = Verdict(Group.of("q", ["a"], metadata={"step": 1, "phase": "train"}), None)
    assert values(REWARD, verdict(0.5, 0.5, step=0), lost) == [0.5]


@pytest.mark.parametrize(
    ("found", "says"),
    [
        ([0.2] * 5 + [0.8] * 5, "Mean reward rises from 0.20 to 0.80"),
        ([0.8] * 5 + [0.2] * 5, "Mean reward falls from 0.80 to 0.20"),
        ([0.2, 0.8] * 5, "Mean reward stays near 0.50"),
        ([0.5, 0.5001], "Mean reward stays near 0.50"),
        ([0.5, 0.25], "Mean reward is 0.50 at first and 0.25 at last"),
        ([], "Mean reward is not known"),
    ],
)
def test_a_title_says_what_the_curve_does_and_nothing_of_noise(
    found: list[float], says: str
) -> None:
    assert told(REWARD, found) == says


@pytest.mark.parametrize("count", [10, 12, 20, 30, MOST_POINTS])
def test_noise_is_seldom_called_a_trend(count: int) -> None:
    draw = random.Random(count)
    noise = ([draw.gauss(0.5, 0.05) for _ in range(count)] for _ in range(1000))
    said = [told(REWARD, values) for values in noise]
    assert sum("stays near" not in one for one in said) <= 65  # 50 are expected


def test_a_rise_is_seen_through_noise() -> None:
    draw = random.Random(1)
    values = [0.4 + 0.2 * step / 29 + draw.gauss(0, 0.05) for step in range(30)]
    assert "rises" in told(REWARD, values)


def test_steps_that_are_added_count_what_one_would_have_counted() -> None:
    first, second = (
        verdict(0.9, 0.1, step=0, ratings=[3, 1]),
        verdict(0.2, 0.4, step=1, ratings=[1, 9]),
    )
    both = Step()
    both.add(first)
    both.add(second)
    apart = sum((one for one in steps_of([first, second]).values()), Step())
    for curve in CURVES:
        assert curve.of(apart) == pytest.approx(curve.of(both), nan_ok=True)


def test_the_picture_of_a_run_is_drawn_with_the_panels_that_are_known(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    from grm_plugin.report.training_picture import save_training

    small, large = tmp_path / "new" / "small.png", tmp_path / "large.png"
    run = [verdict(step / 9, 0.1, step=step) for step in range(9)]
    save_training(small, steps_of(run))
    known = [verdict(step / 9, 0.1, step=step, ratings=[1, 0]) for step in range(9)]
    save_training(large, steps_of([*known, verdict(0.5, 0.5, step=3, phase="eval")]))
    assert small.read_bytes().startswith(b"\x89PNG")
    assert large.stat().st_size > small.stat().st_size


@pytest.mark.parametrize("phase", [r"$\frac$", "$x", r"\$", "_hidden", "\x00\n\x1b[31m", "x" * 999])
def test_a_phase_is_a_plain_text_in_the_picture(tmp_path: Path, phase: str) -> None:
    pytest.importorskip("matplotlib")
    from grm_plugin.report.training_picture import save_training

    steps = steps_of(verdict(n, step=n, phase=(phase, "train")[n % 2]) for n in range(8))
    save_training(tmp_path / "run.png", steps)
    assert (tmp_path / "run.png").exists()


def test_a_record_without_steps_is_refused_with_what_was_expected(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    from grm_plugin.report.training_picture import save_training

    with pytest.raises(InputError, match="expected verdicts of a training run, got none that says"):
        save_training(tmp_path / "none.png", steps_of([verdict(0.5, 0.5)]))


def test_nothing_is_no_number() -> None:
    assert all(math.isnan(curve.of(Step())) for curve in CURVES if curve is not VALID)


def test_a_group_with_ratings_is_neither_right_nor_wrong_on_the_page_scored_or_not() -> None:
    pytest.importorskip("jinja2")
    from grm_plugin.report.page.rows import row_of

    scored = verdict(0.9, 0.1, step=0, ratings=[1, 0])
    assert row_of(scored).outcome == row_of(replace(scored, rewards=None)).outcome == ""
