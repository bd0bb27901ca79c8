"""The teacher: writes the judgment that the reference judge learns to imitate.

A judgment picks up to three of the query's requirements at random, gives them random weights that
sum to ten, checks every response by these alone and scores by the weights fulfilled. It quotes each
response with its items numbered, and what it saw before each verdict: a small model learns to copy
long before it can count or look up, and then reads its own copy.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from grm_plugin.reference.tasks.task import Requirement, Task, fulfilled
from grm_plugin.reference.tasks.wordlist import WordList

TOTAL_WEIGHT = 10
MAX_CRITERIA = 3


@dataclass(frozen=True, slots=True)
class Criterion:
    """A requirement with its weight in one judgment, 1..10."""

    requirement: Requirement
    weight: int


def draw_criteria(rng: random.Random, task: Task) -> tuple[Criterion, ...]:
    """Two or three of the task's requirements, or its only one, at random; weights sum to 10."""
    available = len(task.requirements)
    number = min(available, rng.randint(2, MAX_CRITERIA))
    chosen = rng.sample(task.requirements, number)
    weights = _draw_weights(rng, number)
    return tuple(Criterion(one, weight) for one, weight in zip(chosen, weights, strict=True))


def all_criteria(rng: random.Random, task: Task) -> tuple[Criterion, ...]:
    """All of the task's requirements in the order of the query; weights sum to 10."""
    weights = _draw_weights(rng, len(task.requirements))
    return tuple(map(Criterion, task.requirements, weights))


def write_list(task: Task) -> str:
    """All of the task's requirements in the order of the query, without weights: an exercise."""
    lines = [f"{place}. {title(one)}\n" for place, one in enumerate(task.requirements, 1)]
    return "Specific Criteria:\n" + "".join(lines)


def title(demand: Requirement) -> str:
    """How a judgment names a requirement.

    >>> title(Requirement("order", words=("sunset", "sunrise")))
    'sunset before sunrise'
    """
    return _TITLES[demand.kind].format(*demand.words, *demand.numbers)


def score(criteria: Sequence[Criterion], response: str) -> int:
    """The points of `response` by `criteria`, 1..10: the weights fulfilled, but never below 1."""
    return max(1, sum(one.weight for one in criteria if fulfilled(one.requirement, response)))


def quoted(response: str) -> str:
    """`response` with its items numbered, or `none` where there is nothing to quote.

    >>> quoted("Gladly: sunrise, seaweed; 7")
    'gladly: sunrise1, seaweed2; 7'
    """
    answer = WordList.parse(response)
    items = tuple(f"{item}{place}" for place, item in enumerate(answer.items, 1))
    return replace(answer, items=items).text or "none"


def write_judgment(criteria: Sequence[Criterion], responses: Sequence[str]) -> str:
    """The judgment text for `responses`: criteria, critique, boxed scores in the order shown."""
    listed = [
        f"{place}. {title(one.requirement)} (weight {one.weight})\n"
        for place, one in enumerate(criteria, 1)
    ]
    critiques = [
        f"Response {place} of {len(responses)}: {_critique(criteria, text)}\n"
        for place, text in enumerate(responses, 1)
    ]
    scores = ", ".join(str(score(criteria, text)) for text in responses)
    return (
        "Specific Criteria:\n" + "".join(listed)
        + "Analysis:\n" + "".join(critiques)
        + f"Scores: \\boxed{{{scores}}}"
    )  # fmt: skip


def _draw_weights(rng: random.Random, number: int) -> list[int]:
    cuts = [0, *sorted(rng.sample(range(1, TOTAL_WEIGHT), number - 1)), TOTAL_WEIGHT]
    return [right - left for left, right in pairwise(cuts)]


def _critique(criteria: Sequence[Criterion], response: str) -> str:
    checks = "; ".join(_check(one.requirement, response) for one in criteria)
    return f"{quoted(response)}. {checks}. Score {score(criteria, response)}."


def _check(demand: Requirement, response: str) -> str:
    verdict = "ok" if fulfilled(demand, response) else "bad"
    return f"{_EVIDENCE[demand.kind](demand, WordList.parse(response))}, {verdict}"


def _count(demand: Requirement, answer: WordList) -> str:
    return f"counts {len(answer.items)}"


def _presence(demand: Requirement, answer: WordList) -> str:
    word = demand.words[0]
    return f"{word} found" if word in answer.items else f"{word} absent"


def _first(demand: Requirement, answer: WordList) -> str:
    return f"starts {answer.items[0] if answer.items else 'none'}"


def _order(demand: Requirement, answer: WordList) -> str:
    missing = [word for word in demand.words if word not in answer.items]
    if missing:
        return f"{missing[0]} absent"
    return f"{min(demand.words, key=answer.items.index)} leads"


def _repeat(demand: Requirement, answer: WordList) -> str:
    return f"repeats {answer.repeated or 'none'}"


def _sum(demand: Requirement, answer: WordList) -> str:
    return f"sum {sum(demand.numbers)}, ends {'none' if answer.ending is None else answer.ending}"


def _tone(demand: Requirement, answer: WordList) -> str:
    return f"opens {answer.opening or 'none'}"


_TITLES = {
    "count": "exactly {0} items",
    "limit": "at most {0} items",
    "include": "include {0}",
    "exclude": "exclude {0}",
    "first": "start with {0}",
    "order": "{0} before {1}",
    "unique": "no item twice",
    "sum": "end with {0} + {1}",
    "tone": "{0} opening",
}
_EVIDENCE: dict[str, Callable[[Requirement, WordList], str]] = {
    "count": _count,
    "limit": _count,
    "include": _presence,
    "exclude": _presence,
    "first": _first,
    "order": _order,
    "unique": _repeat,
    "sum": _sum,
    "tone": _tone,
}
