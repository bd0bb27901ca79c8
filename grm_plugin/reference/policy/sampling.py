"""What a policy answers to reference tasks and what that is worth. Needs torch and transformers."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM

from grm_plugin.reference.making.generation import Completion, complete
from grm_plugin.reference.policy import policy_prompt
from grm_plugin.reference.tasks.task import Task, draw_task, true_quality
from grm_plugin.reference.tasks.words import Split


@dataclass(frozen=True, slots=True)
class Answer:
    """A task, one response to it, whether the response ended by itself, and its true quality."""

    task: Task
    response: str
    finished: bool
    quality: float


def fixed_tasks(number: int, *, seed: int, split: Split = "base") -> list[Task]:
    """Tasks to measure on; the seeds of training and of its prompts give others."""
    rng = random.Random(f"policy evaluation/{seed}/{split}")
    return [draw_task(rng, split) for _ in range(number)]


def answers(
    folder: Path, tasks: Sequence[Task], *, seed: int, temperature: float = 1.0
) -> list[Answer]:
    """One answer of the policy in `folder` to every task, in order; a function of the seed.

    Args:
        folder: weights and tokenizer.
        tasks: repeat one to have it answered several times.
        seed: seeds the sampling.
        temperature: 0 is greedy.
    """
    model = AutoModelForCausalLM.from_pretrained(folder).eval()
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    return answered(model, tokenizer, tasks, seed=seed, temperature=temperature)


def answered(
    model: Any,
    tokenizer: Tokenizer,
    tasks: Sequence[Task],
    *,
    seed: int,
    temperature: float = 1.0,
) -> list[Answer]:
    """One answer of a policy that is loaded to every task, as :func:`answers`."""
    prompts = [policy_prompt(task.query) for task in tasks]
    texts = complete(model, tokenizer, prompts, temperature=temperature, seed=seed)
    return [_answer(task, one) for task, one in zip(tasks, texts, strict=True)]


def _answer(task: Task, one: Completion) -> Answer:
    return Answer(task, one.text, one.finished, true_quality(task, one.text))
