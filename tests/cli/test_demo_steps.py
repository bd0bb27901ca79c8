"""How the curves of ``grm demo --train`` are read and drawn."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from grm_plugin.cli.demo_steps import Step, edges
from grm_plugin.cli.picture import save_learning
from grm_plugin.hosts.averages import smoothed

NOTHING = math.nan


def test_the_edges_are_the_means_of_the_first_and_last_ten_steps() -> None:
    assert edges([0.0] * 10 + [0.5] * 30 + [1.0] * 10) == (0.0, 1.0)


@pytest.mark.parametrize(("curve", "found"), [([0.0, 1.0, 5.0], (0.0, 5.0)), ([0.5], (0.5, 0.5))])
def test_the_edges_of_a_short_run_do_not_overlap(
    curve: list[float], found: tuple[float, float]
) -> None:
    assert edges(curve) == found


def test_a_step_without_a_reward_counts_in_no_mean() -> None:
    assert edges([0.5, NOTHING, 0.5, 0.75, NOTHING, 0.75]) == (0.5, 0.75)
    assert smoothed([0.5, NOTHING, 0.5]) == [0.5, 0.5, 0.5]
    assert math.isnan(smoothed([NOTHING])[0])


def test_a_flat_line_stays_flat_when_smoothed() -> None:
    assert smoothed([0.25] * 20) == [0.25] * 20


def test_a_run_without_any_reward_can_still_be_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    picture = tmp_path / "new/learning.png"
    save_learning(picture, [Step(1, NOTHING, 0.5), Step(2, NOTHING, 0.75)])
    assert picture.read_bytes().startswith(b"\x89PNG")
