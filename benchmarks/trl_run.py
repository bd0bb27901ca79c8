"""A short GRPO run of the real TRL on the embedded policy, timed step by step."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
from datasets import Dataset
from transformers import PrinterCallback, TrainerCallback
from trl import GRPOConfig, GRPOTrainer

from grm_plugin.reference.policy import POLICY_MODEL, prompt_rows

RESPONSES = 4
Reward = Callable[..., Sequence[float | None]]


def run(reward: Reward, *, steps: int, prompts: int, device: str = "cpu") -> list[float]:
    """Train and return the seconds of every step but the first, which warms everything up.

    The same rewards give the same run, token for token.

    Args:
        reward: as TRL calls it.
        steps: optimizer steps.
        prompts: distinct prompts a step, each with four responses.
        device: where the policy is trained, ``cpu`` or ``cuda``.
    """
    torch.set_num_threads(1)
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        config = GRPOConfig(
            folder,
            seed=1,
            use_cpu=device == "cpu",
            max_steps=steps,
            learning_rate=1e-4,
            per_device_train_batch_size=prompts * RESPONSES,
            steps_per_generation=1,
            num_generations=RESPONSES,
            max_completion_length=48,
            bf16=False,
            gradient_checkpointing=False,
            logging_steps=1,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
        )
        data = Dataset.from_list(list(prompt_rows(steps * prompts, seed=3)))
        trainer = GRPOTrainer(str(POLICY_MODEL), reward, config, data, callbacks=[clock])
        trainer.remove_callback(PrinterCallback)
        trainer.train()
    return clock.seconds[1:]


class Clock(TrainerCallback):
    """Seconds of each step, from its beginning to its end."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self._began = 0.0

    def on_step_begin(self, *_: Any, **__: Any) -> None:
        self._began = time.perf_counter()

    def on_step_end(self, *_: Any, **__: Any) -> None:
        self.seconds.append(time.perf_counter() - self._began)


class Timed:
    """A reward that keeps the seconds of every call."""

    def __init__(self, name: str, reward: Reward) -> None:
        self.__name__ = name
        self.seconds: list[float] = []
        self._reward = reward

    def __call__(self, **call: Any) -> Sequence[float | None]:
        started = time.perf_counter()
        rewards = self._reward(**call)
        self.seconds.append(time.perf_counter() - started)
        return rewards
