"""Training batches of the reference judge, pure functions of a seed. Needs torch."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch.utils.data import IterableDataset, get_worker_info

from grm_plugin.reference.making.network import IGNORED
from grm_plugin.reference.tasks.data import (
    Example,
    draw_check,
    draw_example,
    draw_listing,
)
from grm_plugin.reference.tokenizer import EOS, PAD, SPECIAL, build_tokenizer, vocabulary

POOL = 4
"""Batches drawn together and sorted by length; it spares a quarter of the tokens as padding."""

_PAD, _EOS = SPECIAL.index(PAD), SPECIAL.index(EOS)
_BOX, _NEXT_RESPONSE = (
    len(SPECIAL) + vocabulary().index(piece) for piece in ("Scores: \\boxed{", "Response ")
)

Batch = tuple[torch.Tensor, torch.Tensor, torch.Tensor]
"""Token ids, labels and weights, all (batch, length).

A label is the next token, or `IGNORED`; its weight is its part in the loss, 1 for most.
"""


Exercise = Literal["copy", "list", "check", "judge"]
"""What a pool of batches trains.

`copy`: repeat random tokens, which forms the looking-up that all else rests on. `list`: name every
requirement of a query. `check`: judge by every requirement, in order. `judge`: the real thing. From
judgments alone a network of this size does not learn to read in any time we can wait.
"""


@dataclass(frozen=True, slots=True)
class Stage:
    """A part of the curriculum.

    Attributes:
        until: the step at which the stage ends, a multiple of `POOL`; the last stage never ends.
        exercises: what to train, each drawn as often as it is listed.
        responses: the group sizes N, each drawn as often as it is listed.
        emphasis: weight in the loss of the tokens that go on to the next response or end the
            critique, and of the boxed scores. They are few, and by themselves learned last.
    """

    until: int
    exercises: tuple[Exercise, ...]
    responses: tuple[int, ...] = (1,)
    emphasis: float = 1.0


class Pools(IterableDataset[list[Batch]]):  # type: ignore[misc]
    """The batches of steps `start` to `steps`, by pools; `start` is rounded down to a whole pool.

    Several workers of a loader draw different pools, and the loader brings them in order.
    """

    def __init__(
        self, stages: Sequence[Stage], *, seed: int, tokens: int, start: int, steps: int
    ) -> None:
        self.stages, self.seed, self.tokens = stages, seed, tokens
        self.start, self.steps = start, steps

    def __iter__(self) -> Iterator[list[Batch]]:
        tokenizer, worker = build_tokenizer(), get_worker_info()
        mine, workers = (worker.id, worker.num_workers) if worker else (0, 1)
        for place in range(self.start // POOL + mine, self.steps // POOL, workers):
            rng = random.Random(f"{self.seed}/{place}")
            yield draw_pool(rng, tokenizer, self._stage(place * POOL), tokens=self.tokens)

    def _stage(self, step: int) -> Stage:
        return next((stage for stage in self.stages if step < stage.until), self.stages[-1])


def draw_pool(rng: random.Random, tokenizer: Any, stage: Stage, *, tokens: int) -> list[Batch]:
    """`POOL` batches of one exercise and one size N, about `tokens` tokens each."""
    exercise, responses = rng.choice(stage.exercises), rng.choice(stage.responses)
    if exercise == "copy":
        return _draw_copies(rng, tokenizer, tokens)
    number = max(8, tokens // _usual_length(exercise, responses))
    examples = [_draw_example(rng, exercise, responses) for _ in range(POOL * number)]
    prompts = tokenizer.encode_batch([one.prompt for one in examples])
    answers = tokenizer.encode_batch([one.judgment for one in examples], add_special_tokens=False)
    pairs = [(p.ids, [*a.ids, _EOS]) for p, a in zip(prompts, answers, strict=True)]
    # Like lengths share a batch, in which there is then little padding.
    pairs.sort(key=lambda pair: len(pair[0]) + len(pair[1]))
    batches = [
        collate(pairs[start : start + number], emphasis=stage.emphasis)
        for start in range(0, len(pairs), number)
    ]
    rng.shuffle(batches)
    return batches


def _draw_copies(rng: random.Random, tokenizer: Any, tokens: int) -> list[Batch]:
    known = range(len(SPECIAL), tokenizer.get_vocab_size())
    batches = []
    for _ in range(POOL):
        length = rng.randint(8, 24)
        drawn = [rng.choices(known, k=length) for _ in range(tokens // (2 * length))]
        batches.append(collate([(ids, ids) for ids in drawn]))
    return batches


def _draw_example(rng: random.Random, exercise: Exercise, responses: int) -> Example:
    if exercise == "list":
        return draw_listing(rng, "base")
    if exercise == "check":
        return draw_check(rng, "base", responses=responses)
    return draw_example(rng, "base", responses=responses)


def _usual_length(exercise: Exercise, responses: int) -> int:
    """Tokens of an example, roughly; it only steers the size of a batch."""
    if exercise == "list":
        return 70
    return 65 + 75 * responses if exercise == "check" else 52 + 66 * responses


def collate(pairs: Sequence[tuple[list[int], list[int]]], *, emphasis: float = 1.0) -> Batch:
    """One batch from pairs of prompt and judgment ids; only the judgments are to be predicted."""
    width = max(len(prompt) + len(answer) for prompt, answer in pairs)
    ids = torch.full((len(pairs), width), _PAD)
    labels = torch.full((len(pairs), width), IGNORED)
    weights = torch.ones((len(pairs), width))
    for row, (prompt, answer) in enumerate(pairs):
        end = len(prompt) + len(answer)
        ids[row, :end] = torch.tensor(prompt + answer)
        labels[row, len(prompt) - 1 : end - 1] = torch.tensor(answer)
        weights[row, len(prompt) - 1 : end - 1] = torch.tensor(_weights(answer, emphasis))
    return ids, labels, weights


def _weights(answer: list[int], emphasis: float) -> list[float]:
    box = answer.index(_BOX) if _BOX in answer else len(answer)
    return [
        emphasis if place >= box or token == _NEXT_RESPONSE else 1.0
        for place, token in enumerate(answer)
    ]
