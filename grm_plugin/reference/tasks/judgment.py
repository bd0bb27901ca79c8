"""The grammar of a judgment: criteria with weights, a critique of each response, boxed scores.

A critique quotes its response with the items numbered, and what it saw before each verdict: a small
model learns to copy long before it can count or look up, and then reads its own copy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from grm_plugin.reference.tasks.task import Requirement, Task, fulfilled
from grm_plugin.reference.tasks.wordlist import WordList

TOTAL_WEIGHT = 10


@dataclass(frozen=True, slots=True)
class Criterion:
    """A requirement with its weight in one judgment, 1..10."""

    requirement: Requirement
    weight: int


@dataclass(frozen=True, slots=True)
class Critique:
    """What a judgment says of one response.

    Attributes:
        response: its text, of which the evidence is read.
        verdicts: ok or not, by criterion.
        score: the points it names, 1..10.
        boxed: the points in the box, 1..10.
    """

    response: str
    verdicts: tuple[bool, ...]
    score: int
    boxed: int


def title(demand: Requirement) -> str:
    """How a judgment names a requirement.

    >>> title(Requirement("order", words=("sunset", "sunrise")))
    'sunset before sunrise'
    """
    return _TITLES[demand.kind].format(*demand.words, *demand.numbers)


def quoted(response: str) -> str:
    """`response` with its items numbered, or `none` where there is nothing to quote.

    >>> quoted("Gladly: sunrise, seaweed; 7")
    'gladly: sunrise1, seaweed2; 7'
    """
    answer = WordList.parse(response)
    items = tuple(f"{item}{place}" for place, item in enumerate(answer.items, 1))
    return replace(answer, items=items).text or "none"


def points_of(weights: Sequence[int], verdicts: Sequence[bool]) -> int:
    """The sum of the weights of what is ok, 1..10: never below 1."""
    return max(1, sum(weight for weight, ok in zip(weights, verdicts, strict=True) if ok))


def true_critique(criteria: Sequence[Criterion], response: str) -> Critique:
    """The critique of `response` as the checker would write it."""
    verdicts = tuple(fulfilled(one.requirement, response) for one in criteria)
    score = points_of([one.weight for one in criteria], verdicts)
    return Critique(response, verdicts, score, score)


def judgment_text(criteria: Sequence[Criterion], critiques: Sequence[Critique]) -> str:
    """The whole judgment, critiques in the order in which the responses were shown."""
    listed = [
        f"{place}. {title(one.requirement)} (weight {one.weight})\n"
        for place, one in enumerate(criteria, 1)
    ]
    said = [
        f"Response {place} of {len(critiques)}: {_critique_text(criteria, one)}\n"
        for place, one in enumerate(critiques, 1)
    ]
    scores = ", ".join(str(one.boxed) for one in critiques)
    return (
        "Specific Criteria:\n" + "".join(listed)
        + "Analysis:\n" + "".join(said)
        + f"Scores: \\boxed{{{scores}}}"
    )  # fmt: skip


def listing_text(task: Task) -> str:
    """All of the task's requirements in the order of the query, without weights: an exercise."""
    lines = [f"{place}. {title(one)}\n" for place, one in enumerate(task.requirements, 1)]
    return "Specific Criteria:\n" + "".join(lines)


def _critique_text(criteria: Sequence[Criterion], critique: Critique) -> str:
    answer = WordList.parse(critique.response)
    checks = "; ".join(
        f"{_EVIDENCE[one.requirement.kind](one.requirement, answer)}, {'ok' if verdict else 'bad'}"
        for one, verdict in zip(criteria, critique.verdicts, strict=True)
    )
    return f"{quoted(critique.response)}. {checks}. Score {critique.score}."


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
