"""The tasks of the reference judge: word lists under one to six requirements, and their checker.

A task is a query with the requirements it states. The checker is pure and exact: it is the ground
truth for training data and for evaluation, and nothing at inference uses it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from grm_plugin.reference.tasks.phrasings import phrasings
from grm_plugin.reference.tasks.wordlist import WordList
from grm_plugin.reference.tasks.words import Split, draw_words

KINDS = ("count", "limit", "include", "exclude", "first", "order", "unique", "sum", "tone")
"""Every kind of requirement."""

MAX_REQUIREMENTS = 6
MAX_ITEMS = 7

OPENINGS = {
    "polite": ("gladly", "certainly", "of course", "with pleasure"),
    "cheerful": ("hooray", "lovely", "wonderful", "great news"),
    "neutral": ("list", "items", "here"),
    "rude": ("whatever", "ugh", "fine", "if you must"),
}
"""The opening words of a response, by tone."""

# "size" becomes a count or a limit: both in one task would often contradict each other.
_POOL = (
    "size",
    "include",
    "include",
    "exclude",
    "exclude",
    "first",
    "order",
    "unique",
    "sum",
    "tone",
)
_SLOTS = {
    "count": ("n",),
    "limit": ("n",),
    "include": ("w",),
    "exclude": ("w",),
    "first": ("w",),
    "order": ("a", "b"),
    "unique": (),
    "sum": ("x", "y"),
    "tone": (),
}


@dataclass(frozen=True, slots=True)
class Requirement:
    """One verifiable demand on a word list.

    Attributes:
        kind: one of `KINDS`.
        words: content words in the order of the kind's slots; for `tone` the name of the tone.
        numbers: the size for `count` and `limit` (2..7), both addends for `sum` (1..10).
    """

    kind: str
    words: tuple[str, ...] = ()
    numbers: tuple[int, ...] = ()

    @property
    def row(self) -> dict[str, Any]:
        """The same as a JSON object."""
        return {"kind": self.kind, "words": list(self.words), "numbers": list(self.numbers)}


@dataclass(frozen=True, slots=True)
class Task:
    """A query and the requirements it states, in the order of the query.

    Attributes:
        query: the text.
        requirements: one to six.
        phrasings: how the query is worded, `section/place` in `phrasings`: its opener, then one for
            each requirement.
    """

    query: str
    requirements: tuple[Requirement, ...]
    phrasings: tuple[str, ...] = ()


def fulfilled(requirement: Requirement, response: str) -> bool:
    """Whether the text `response` meets `requirement`.

    >>> fulfilled(Requirement("exclude", words=("seaweed",)), "gladly: sunrise, seaweed; 7")
    False
    """
    return _CHECKS[requirement.kind](requirement, WordList.parse(response))


def true_quality(task: Task, response: str) -> float:
    """The fraction of the task's requirements that `response` fulfils, 0..1."""
    met = sum(fulfilled(requirement, response) for requirement in task.requirements)
    return met / len(task.requirements)


def draw_task(rng: random.Random, split: Split, *, requirements: int | None = None) -> Task:
    """A random task whose words and phrasings all belong to `split`.

    Args:
        rng: the only source of chance.
        split: which words and phrasings to use.
        requirements: how many requirements, 1..6; None draws the number uniformly.
    """
    number = rng.randint(1, MAX_REQUIREMENTS) if requirements is None else requirements
    demands = _draw_requirements(rng, rng.sample(_POOL, number), split)
    wordings = [_draw_wording(rng, section, split) for section in _sections_of(demands)]
    query = _assemble(rng, demands, [text for _, text in wordings])
    return Task(query, demands, tuple(name for name, _ in wordings))


def draw_requirement(rng: random.Random, split: Split) -> Requirement:
    """One random requirement in words of `split`."""
    return _draw_requirements(rng, (rng.choice(_POOL),), split)[0]


def _draw_requirements(
    rng: random.Random, kinds: Sequence[str], split: Split
) -> tuple[Requirement, ...]:
    fresh = iter(draw_words(rng, split, 2 * len(kinds)))
    needed = max(2, sum({"include": 1, "first": 1, "order": 2}.get(kind, 0) for kind in kinds))
    return tuple(_draw_requirement(rng, kind, fresh, needed) for kind in kinds)


def _draw_requirement(
    rng: random.Random, kind: str, fresh: Iterator[str], needed: int
) -> Requirement:
    if kind == "size":
        size = rng.randint(min(needed, MAX_ITEMS), MAX_ITEMS)
        return Requirement(rng.choice(("count", "limit")), numbers=(size,))
    if kind == "sum":
        return Requirement(kind, numbers=(rng.randint(1, 10), rng.randint(1, 10)))
    if kind == "tone":
        return Requirement(kind, words=(rng.choice(("polite", "cheerful")),))
    if kind == "order":
        return Requirement(kind, words=(next(fresh), next(fresh)))
    return Requirement(kind, words=() if kind == "unique" else (next(fresh),))


def _sections_of(demands: Sequence[Requirement]) -> list[str]:
    return ["opener", *(one.words[0] if one.kind == "tone" else one.kind for one in demands)]


def _draw_wording(rng: random.Random, section: str, split: Split) -> tuple[str, str]:
    known = phrasings(section, split)
    place = rng.randrange(len(known))
    return f"{section}/{place}", known[place]


def _assemble(rng: random.Random, demands: Sequence[Requirement], texts: Sequence[str]) -> str:
    opener, *patterns = texts
    clauses = [_fill(text, demand) for text, demand in zip(patterns, demands, strict=True)]
    lead, joint, close = rng.choice(
        ((": ", "; ", "."), (".\n- ", "\n- ", ""), (", and ", ", and ", "."))
    )
    return opener + lead + joint.join(clauses) + close


def _fill(pattern: str, demand: Requirement) -> str:
    values: tuple[str | int, ...] = demand.words or demand.numbers
    return pattern.format(**dict(zip(_SLOTS[demand.kind], values, strict=False)))


def _in_order(demand: Requirement, answer: WordList) -> bool:
    places = [answer.place(word) for word in demand.words]
    return None not in places and places == sorted(places)  # type: ignore[type-var]


_CHECKS: dict[str, Callable[[Requirement, WordList], bool]] = {
    "count": lambda demand, answer: len(answer.items) == demand.numbers[0],
    "limit": lambda demand, answer: len(answer.items) <= demand.numbers[0],
    "include": lambda demand, answer: demand.words[0] in answer.items,
    "exclude": lambda demand, answer: demand.words[0] not in answer.items,
    "first": lambda demand, answer: answer.items[:1] == demand.words,
    "order": _in_order,
    "unique": lambda demand, answer: answer.repeated is None,
    "sum": lambda demand, answer: answer.ending == sum(demand.numbers),
    "tone": lambda demand, answer: answer.opening in OPENINGS[demand.words[0]],
}
