"""``grm train reference``: hands its options to the trainer, which has tests of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from grm_plugin.reference.making import training
from grm_plugin.reference.making.recipe import of_size
from grm_plugin.reference.making.training import TrainingConfig
from grm_plugin.reference.tasks.rm_data import rm_rows
from tests.cli.conftest import Ended

Grm = Callable[..., Ended]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[TrainingConfig]:
    """The configurations that the trainer was called with; it trains nothing."""
    configs: list[TrainingConfig] = []

    def train(config: TrainingConfig) -> SimpleNamespace:
        configs.append(config)
        return SimpleNamespace(steps=config.steps, seconds=2.0, loss=0.25)

    monkeypatch.setattr(training, "train", train)
    return configs


def test_the_options_reach_the_trainer(grm: Grm, asked: list[TrainingConfig]) -> None:
    ended = grm("train", "reference", "--out", "mine", "--seed", "3", "--steps", "8")
    assert ended.code == 0
    assert asked == [of_size(Path("mine"), seed=3, steps=8)]
    assert "8 steps in 2 s, loss 0.2500" in ended.err
    assert "grm doctor --engine transformers --model mine --template reference" in ended.err


def test_another_size_and_a_gpu_reach_the_trainer(grm: Grm, asked: list[TrainingConfig]) -> None:
    size = ("--layers", "6", "--width", "384", "--tokens", "24000")
    assert grm("train", "reference", *size, "--device", "cuda", "--workers", "5").code == 0
    assert asked == [
        of_size(Path("out/reference"), layers=6, width=384, tokens=24000, device="cuda", workers=5)
    ]


def test_a_width_that_heads_do_not_divide_is_wrong_usage(
    grm: Grm, asked: list[TrainingConfig]
) -> None:
    assert grm("train", "reference", "--width", "100").code == 2
    assert asked == []


def test_without_options_it_is_the_shipped_recipe(grm: Grm, asked: list[TrainingConfig]) -> None:
    assert grm("train", "reference").code == 0
    assert asked == [TrainingConfig(Path("out/reference"))]


def test_steps_that_do_not_fit_are_wrong_usage(grm: Grm, asked: list[TrainingConfig]) -> None:
    assert grm("train", "reference", "--steps", "7").code == 2
    assert asked == []


def test_tasks_are_written_as_labelled_rows(grm: Grm, tmp_path: Path) -> None:
    path = tmp_path / "made" / "rm.jsonl"
    ended = grm(
        "train", "tasks", "--out", str(path), "--split", "heldout", "--groups", "6",
        "--responses", "2,4", "--seed", "7",
    )  # fmt: skip
    assert ended.code == 0
    assert "6 groups of split heldout with 2, 4 responses" in ended.err
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert rows == list(rm_rows(6, seed=7, split="heldout", responses=(2, 4)))


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--responses", "2,nine", "expected sizes of 2..8 as in 2,3,4, got '2,nine'"),
        ("--responses", "1", "expected sizes of 2..8"),
        ("--split", "train", "'train' is not one of 'base', 'spct', 'heldout'"),
    ],
)
def test_tasks_that_cannot_be_are_wrong_usage(
    grm: Grm, tmp_path: Path, option: str, value: str, said: str
) -> None:
    ended = grm("train", "tasks", "--out", str(tmp_path / "rm.jsonl"), option, value)
    assert ended.code == 2
    assert said in " ".join(ended.err.replace("│", " ").split())
