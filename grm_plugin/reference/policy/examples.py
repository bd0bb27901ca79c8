"""The examples that the starting policy is trained on, and every setting of that training.

It first learns to copy, then the tasks from careful answers, and then, for a while, it imitates
careless ones. So it can do better than it does, which is what reinforcement learning brings out.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from grm_plugin.reference.policy import policy_prompt
from grm_plugin.reference.tasks.responder import draw_response
from grm_plugin.reference.tasks.task import draw_task
from grm_plugin.reference.tokenizer import EOS, SPECIAL

_EOS = SPECIAL.index(EOS)

Row = tuple[list[int], list[int]]
"""Token ids of a prompt and of its response."""


@dataclass(frozen=True, slots=True)
class PolicyTraining:
    """Every setting of the training.

    Attributes:
        steps: optimizer steps in all.
        copying: how many of them, at the start, repeat random tokens. A network that can look back
            for what followed a token learns to read queries many times sooner.
        batch: examples per step.
        careless: the share of the steps, at the end, that imitate careless answers; 0..1.
        skill_high: skill of the careful answers, 0..1; see `draw_response`.
        skill_low: lowest and highest skill of the careless answers.
        learning_rate: of AdamW, for embeddings and norms. Both rates rise over `warmup` steps and
            fall over the last half.
        matrix_rate: of Muon, for the weight matrices of the layers.
        init_std: spread of the first weights; a smaller one learns to copy words far later.
        layers: transformer layers.
        width: of the hidden states, a multiple of 32.
        feed_forward: width of the feed-forward layers.
    """

    seed: int = 7
    steps: int = 1700
    copying: int = 400
    batch: int = 48
    careless: float = 0.15
    skill_high: float = 0.95
    skill_low: tuple[float, float] = (0.1, 0.9)
    learning_rate: float = 3e-3
    matrix_rate: float = 0.02
    warmup: int = 100
    init_std: float = 0.06
    layers: int = 3
    width: int = 96
    feed_forward: int = 192


def draw_rows(config: PolicyTraining, tokenizer: Any, step: int) -> list[Row]:
    """The examples of one step, a function of the seed and the step alone."""
    rng = random.Random(f"policy/{config.seed}/{step}")
    if step < config.copying:
        return _draw_copies(rng, 3 * config.batch, tokenizer.get_vocab_size())
    careful = step < config.steps * (1 - config.careless)
    skills = (config.skill_high,) * 2 if careful else config.skill_low
    drawn = []
    for _ in range(config.batch):
        task = draw_task(rng, "base")
        drawn.append((task.query, draw_response(rng, task, "base", skill=rng.uniform(*skills))))
    prompts = tokenizer.encode_batch([policy_prompt(query) for query, _ in drawn])
    answers = tokenizer.encode_batch([text for _, text in drawn], add_special_tokens=False)
    return [(one.ids, [*other.ids, _EOS]) for one, other in zip(prompts, answers, strict=True)]


def _draw_copies(rng: random.Random, number: int, vocabulary: int) -> list[Row]:
    length = rng.randint(8, 24)
    texts = [
        [rng.randrange(len(SPECIAL), vocabulary) for _ in range(length)] for _ in range(number)
    ]
    return [(text, text) for text in texts]
