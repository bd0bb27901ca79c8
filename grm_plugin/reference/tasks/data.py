"""Groups of responses for training and evaluation, every one a pure function of a seed."""

from __future__ import annotations

import random
from dataclasses import dataclass

from grm_plugin.reference.prompt import render_prompt
from grm_plugin.reference.tasks.judgment import listing_text
from grm_plugin.reference.tasks.responder import draw_response
from grm_plugin.reference.tasks.task import Task, draw_task, true_quality
from grm_plugin.reference.tasks.teacher import all_criteria, draw_judgment, write_judgment
from grm_plugin.reference.tasks.words import Split

MAX_RESPONSES = 8


@dataclass(frozen=True, slots=True)
class TaskGroup:
    """A task and its N responses with their true qualities (0..1 each)."""

    task: Task
    responses: tuple[str, ...]
    qualities: tuple[float, ...]

    @property
    def best(self) -> int | None:
        """The place of the single best response, counted from 0; None where the top is a tie."""
        top = max(self.qualities)
        return self.qualities.index(top) if self.qualities.count(top) == 1 else None


@dataclass(frozen=True, slots=True)
class Example:
    """One training example: the prompt and a judgment that the teacher wrote for it."""

    prompt: str
    judgment: str


def draw_group(
    rng: random.Random, split: Split, *, responses: int, requirements: int | None = None
) -> TaskGroup:
    """A random task of `split` with `responses` answers of mixed quality.

    Args:
        rng: the only source of chance.
        split: which words and phrasings to use.
        responses: N, 1..8.
        requirements: how many requirements, 1..6; None draws the number uniformly.
    """
    task = draw_task(rng, split, requirements=requirements)
    texts = tuple(
        draw_response(rng, task, split, skill=rng.uniform(0.2, 1.0)) for _ in range(responses)
    )
    return TaskGroup(task, texts, tuple(true_quality(task, text) for text in texts))


def draw_best_of_group(rng: random.Random, split: Split, *, responses: int) -> TaskGroup:
    """A random group whose best response by true quality is unique, for best-of-N evaluation."""
    while True:
        group = draw_group(rng, split, responses=responses)
        if group.best is not None and len(set(group.responses)) == responses:
            return group


def draw_example(
    rng: random.Random, split: Split, *, responses: int, requirements: int | None = None
) -> Example:
    """A random group of `split` and one judgment that the teacher draws for it."""
    group = draw_group(rng, split, responses=responses, requirements=requirements)
    judgment = draw_judgment(rng, group.task, group.responses)
    return Example(render_prompt(group.task.query, group.responses), judgment)


def draw_check(rng: random.Random, split: Split, *, responses: int) -> Example:
    """An exercise in reading responses: a judgment by every requirement, in the query's order."""
    group = draw_group(rng, split, responses=responses)
    judgment = write_judgment(all_criteria(rng, group.task), group.responses)
    return Example(render_prompt(group.task.query, group.responses), judgment)


def draw_listing(rng: random.Random, split: Split) -> Example:
    """An exercise in reading queries: no responses, and every requirement named."""
    task = draw_task(rng, split)
    return Example(render_prompt(task.query, ()), listing_text(task))


def best_of_groups(seed: int, split: Split, *, responses: int, number: int) -> list[TaskGroup]:
    """`number` evaluation groups of N = `responses`; the same seed gives the same groups."""
    rng = random.Random(f"best-of/{seed}/{split}/{responses}")
    return [draw_best_of_group(rng, split, responses=responses) for _ in range(number)]
