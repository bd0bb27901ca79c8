"""The training run of ``grm demo --train``: TRL's own GRPO on the tiny policy. Needs trl."""

from __future__ import annotations

import logging
import math
import pkgutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from transformers import PrinterCallback, TrainerCallback
from transformers.utils.logging import (
    disable_progress_bar,
    enable_progress_bar,
    is_progress_bar_enabled,
)
from trl import GRPOConfig, GRPOTrainer

from grm_plugin.cli.demo_steps import Step
from grm_plugin.config import GRMConfig
from grm_plugin.plugins import installed
from grm_plugin.reference.policy import POLICY_MODEL, prompt_rows, watch_true_quality
from grm_plugin.reference.policy.sampling import Answer, answers, fixed_tasks

PROMPTS_A_STEP = 32
RESPONSES = 4
UPDATES = 4
"""Optimizer steps that a step of the demo makes with its judged responses."""
SETTINGS: dict[str, Any] = {
    "use_cpu": True,
    "learning_rate": 7e-4,
    "lr_scheduler_type": "constant_with_warmup",
    "warmup_steps": 5,
    "per_device_train_batch_size": PROMPTS_A_STEP * RESPONSES // UPDATES,
    "steps_per_generation": UPDATES,
    "num_generations": RESPONSES,
    "max_completion_length": 48,
    "temperature": 1.0,
    "loss_type": "grpo",
    "scale_rewards": "batch",
    "beta": 0.0,
    "max_grad_norm": 1.0,
    "bf16": False,
    "gradient_checkpointing": False,
    "logging_steps": 1,
    "save_strategy": "no",
    "report_to": "none",
    "disable_tqdm": True,
}
"""Of :class:`trl.GRPOConfig`; where TRL has the same default, because the recipe says it too."""


def train(
    judge: GRMConfig, folder: Path, *, steps: int, seed: int, seen: Callable[[Step], None]
) -> None:
    """Train the embedded policy on the rewards of ``judge`` and save it in ``folder``.

    Ctrl-C ends the run, and what was learned until then is saved too.

    Args:
        judge: settings of the judge, which sees queries and responses and nothing else.
        folder: for the weights and the tokenizer.
        steps: rounds of answering, judging and learning, each ``UPDATES`` optimizer steps.
        seed: decides the prompts, their order and what the policy draws.
        seen: called after every step.
    """
    config = GRPOConfig(str(folder), max_steps=steps * UPDATES, seed=seed, **SETTINGS)
    data = Dataset.from_list(list(prompt_rows(steps * PROMPTS_A_STEP, seed=seed)))
    with _quiet(), _reward(judge) as reward:
        trainer = GRPOTrainer(
            str(POLICY_MODEL),
            [reward, watch_true_quality],
            config,
            data,
            callbacks=[_Watch(seen)],
        )
        trainer.remove_callback(PrinterCallback)
        try:
            trainer.train()
        finally:
            trainer.save_model(str(folder))


def answered(policy: Path | None, *, tasks: int) -> list[Answer]:
    """One answer of ``policy`` (None: the embedded one) to each of fixed, fresh tasks."""
    with _quiet():
        return answers(policy or POLICY_MODEL, fixed_tasks(tasks, seed=0), seed=0)


@contextmanager
def _reward(judge: GRMConfig) -> Iterator[Any]:
    """What the adapter for TRL gives a trainer; the core knows it by its offer only.

    True quality goes into the record, for pages and pictures, and to neither judge nor policy.
    """
    made = pkgutil.resolve_name(installed().get("adapter", "trl").part)
    reward = made(judge, truth="grm_plugin.reference.policy.true_quality")
    try:
        yield reward
    finally:
        reward.close()


@contextmanager
def _quiet() -> Iterator[None]:
    """One thread, as more only wait for each other at this size, and nothing but our own lines.

    TRL prints whole rows of the dataset for a group without a reward, of which ours told already.
    """
    threads, trl_logger = torch.get_num_threads(), logging.getLogger("trl")
    level = trl_logger.level
    torch.set_num_threads(1)
    trl_logger.setLevel(logging.ERROR)
    bars = is_progress_bar_enabled()
    disable_progress_bar()
    try:
        yield
    finally:
        if bars:
            enable_progress_bar()
        trl_logger.setLevel(level)
        torch.set_num_threads(threads)


class _Watch(TrainerCallback):  # type: ignore[misc]
    def __init__(self, seen: Callable[[Step], None]) -> None:
        self._seen = seen

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        if "true_quality" in logs:
            reward = math.nan if logs["reward"] is None else logs["reward"]
            step = (state.global_step - 1) // UPDATES + 1
            self._seen(Step(step, reward, logs["true_quality"]))
