"""``grm demo``: honest figures of recorded verdicts; the judge here is a noisy fake."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from grm_plugin.cli import demo
from grm_plugin.engine import Draw, Engine, Limits, SampleRequest
from grm_plugin.reference import judge
from grm_plugin.reference.tasks.data import TaskGroup
from grm_plugin.testing import ScriptedEngine
from tests.cli.conftest import Ended

Grm = Callable[..., Ended]


def _noisy(groups: list[TaskGroup]) -> Callable[[SampleRequest, int], Draw]:
    """Scores the best response 8, the others 4, give or take 5; every ninth draw is cut."""

    def script(request: SampleRequest, i: int) -> Draw:
        text, rng = request.messages[-1].content, random.Random(request.seed + i)
        group = next(each for each in groups if all(one in text for one in each.responses))
        shown = sorted(range(4), key=lambda n: text.index(group.responses[n]))
        best = group.best
        scores = [min(10, max(1, 4 + 4 * (n == best) + rng.randint(-5, 5))) for n in shown]
        box = ", ".join(map(str, scores))
        return Draw(f"Scores: \\boxed{{{box}}}", "length" if rng.random() < 1 / 9 else "stop")

    return script


@pytest.fixture
def noisy_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reference engine answers with noise around the truth."""
    groups = demo.heldout(30, seed=0)

    def make(self: object, options: Mapping[str, Any], limits: Limits) -> Engine:
        return ScriptedEngine(_noisy(groups))

    monkeypatch.setattr(judge.ReferenceJudge, "__call__", make)


@pytest.mark.usefixtures("noisy_judge")
def test_the_demo_shows_figures_and_saves_verdicts_and_a_picture(grm: Grm, tmp_path: Path) -> None:
    shown = grm("demo", "--groups", "30")
    assert shown.code == 0
    for part in (
        "k accuracy 95 % interval",
        "chance 25.0%",
        "samples valid",
        "truncated dropped",
        "30 groups in",
        "next: grm show out/demo/verdicts.jsonl --lowest 3",
    ):
        assert part in shown.out
    assert len((tmp_path / "out/demo/verdicts.jsonl").read_bytes().splitlines()) == 30
    assert (tmp_path / "out/demo/accuracy.png").read_bytes().startswith(b"\x89PNG")
    assert grm("show", "out/demo/verdicts.jsonl", "--lowest", "3").code == 0


@pytest.mark.usefixtures("noisy_judge")
def test_the_demo_starts_afresh_every_time(grm: Grm, tmp_path: Path) -> None:
    grm("demo", "--groups", "3", "--k", "2")
    grm("demo", "--groups", "3", "--k", "2")
    assert len((tmp_path / "out/demo/verdicts.jsonl").read_bytes().splitlines()) == 3


def test_held_out_groups_have_one_best_response_and_come_from_the_seed() -> None:
    groups = demo.heldout(10, seed=1)
    assert groups == demo.heldout(10, seed=1)
    assert groups != demo.heldout(10, seed=2)
    assert all(len(set(group.responses)) == 4 for group in groups)
    assert all(group.best in range(4) for group in groups)


def test_what_is_missing_is_said_before_the_judge_starts(
    grm: Grm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "find_spec", lambda name: None if name == "matplotlib" else name)
    ended = grm("demo")
    assert ended.code == 1
    assert 'grm demo needs matplotlib; pip install "grm-plugin[demo]"' in ended.err


def test_training_without_trl_says_which_extra_brings_it(
    grm: Grm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "find_spec", lambda name: None if name == "trl" else name)
    ended = grm("demo", "--train")
    assert ended.code == 1
    assert 'grm demo --train needs trl; pip install "grm-plugin[trl]"' in ended.err
