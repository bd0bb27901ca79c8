"""The teacher: writes the judgments that the base model learns to imitate, errors included.

A judgment picks one to four of the query's requirements at random, gives them random weights that
sum to ten, checks every response by these alone and scores by the weights fulfilled. Some of the
judgments are careless: they contradict themselves where a reader can see it, which is what
fine-tuning, reinforcement learning and a meta RM have to mend. The best judge that there can be
(every requirement, even weights, no slip) is among those that are imitated.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from grm_plugin.reference.tasks.judgment import (
    TOTAL_WEIGHT,
    Criterion,
    Critique,
    judgment_text,
    points_of,
    true_critique,
)
from grm_plugin.reference.tasks.task import Requirement, Task, draw_requirement

MAX_CRITERIA = 4

CARELESS = 0.4
"""The share of judgments that may err; the others have no error. The shares below are of these."""

INVENTED = 0.3
"""How often one of a careless judgment's criteria is none that the query states."""

FLIPPED = 0.2
"""How often a verdict contradicts its own evidence. The score follows the verdict."""

MISCOUNTED = 0.15
"""How often the score of a critique is not the sum of what it called ok."""

MISCOPIED = 0.03
"""How often the box has another score than the critique."""

MAX_MISS = 3
"""By how many points a wrong number is off, at most."""


def draw_judgment(
    rng: random.Random, task: Task, responses: Sequence[str], *, careless: float = CARELESS
) -> str:
    """A judgment text for `responses` to `task`, with the chance `careless` (0..1) of errors."""
    criteria = draw_criteria(rng, task)
    if rng.random() >= careless:
        return write_judgment(criteria, responses)
    criteria = invent(rng, task, criteria)
    slipped = [_slip(rng, criteria, true_critique(criteria, one)) for one in responses]
    return judgment_text(criteria, slipped)


def write_judgment(criteria: Sequence[Criterion], responses: Sequence[str]) -> str:
    """The judgment text by `criteria` that has no error."""
    return judgment_text(criteria, [true_critique(criteria, one) for one in responses])


def draw_criteria(rng: random.Random, task: Task) -> tuple[Criterion, ...]:
    """One to four of the task's requirements at random, any number alike; weights sum to 10."""
    number = rng.randint(1, min(len(task.requirements), MAX_CRITERIA))
    return _weighed(rng, rng.sample(task.requirements, number))


def all_criteria(rng: random.Random, task: Task) -> tuple[Criterion, ...]:
    """All of the task's requirements in the order of the query; weights sum to 10."""
    return _weighed(rng, task.requirements)


def invent(
    rng: random.Random, task: Task, criteria: tuple[Criterion, ...]
) -> tuple[Criterion, ...]:
    """`criteria`, of which with probability `INVENTED` one is none of the task's requirements."""
    if rng.random() >= INVENTED:
        return criteria
    place = rng.randrange(len(criteria))
    made = replace(criteria[place], requirement=_foreign_requirement(rng, task))
    return (*criteria[:place], made, *criteria[place + 1 :])


def _weighed(rng: random.Random, demands: Sequence[Requirement]) -> tuple[Criterion, ...]:
    cuts = [0, *sorted(rng.sample(range(1, TOTAL_WEIGHT), len(demands) - 1)), TOTAL_WEIGHT]
    weights = (right - left for left, right in pairwise(cuts))
    return tuple(map(Criterion, demands, weights))


def _foreign_requirement(rng: random.Random, task: Task) -> Requirement:
    while True:
        demand = draw_requirement(rng, "base")
        if demand not in task.requirements:
            return demand


def _slip(rng: random.Random, criteria: Sequence[Criterion], true: Critique) -> Critique:
    verdicts = tuple(one != (rng.random() < FLIPPED) for one in true.verdicts)
    score = points_of([one.weight for one in criteria], verdicts)
    score = _missed(rng, score, MISCOUNTED)
    return Critique(true.response, verdicts, score, _missed(rng, score, MISCOPIED))


def _missed(rng: random.Random, score: int, share: float) -> int:
    """`score`, or with probability `share` another one near it, 1..10."""
    if rng.random() >= share:
        return score
    near = range(max(1, score - MAX_MISS), min(TOTAL_WEIGHT, score + MAX_MISS) + 1)
    return rng.choice([one for one in near if one != score])
