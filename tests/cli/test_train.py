"""``grm train reference``: hands its options to the trainer, which has tests of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from grm_plugin.reference.making import training
from grm_plugin.reference.making.training import TrainingConfig
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
    assert asked == [TrainingConfig(Path("mine"), seed=3, steps=8)]
    assert "8 steps in 2 s, loss 0.2500" in ended.err
    assert "grm doctor --engine transformers --model mine --template reference" in ended.err


def test_without_options_it_is_the_shipped_recipe(grm: Grm, asked: list[TrainingConfig]) -> None:
    assert grm("train", "reference").code == 0
    assert asked == [TrainingConfig(Path("out/reference"))]


def test_steps_that_do_not_fit_are_wrong_usage(grm: Grm, asked: list[TrainingConfig]) -> None:
    assert grm("train", "reference", "--steps", "7").code == 2
    assert asked == []
