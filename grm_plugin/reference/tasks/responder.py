"""A noisy responder: answers a task at any quality, so that a judge has something to tell apart.

Every requirement is met on purpose with a chosen probability and missed on purpose otherwise,
mostly by a little. That is only an intention; the checker alone says what a response is worth.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from grm_plugin.reference.tasks.task import MAX_ITEMS, OPENINGS, Requirement, Task
from grm_plugin.reference.tasks.wordlist import WordList
from grm_plugin.reference.tasks.words import Split, draw_words, pieces, words


def draw_response(rng: random.Random, task: Task, split: Split, *, skill: float) -> str:
    """A response to `task` that tries to meet each requirement with probability `skill` (0..1)."""
    met = {demand: rng.random() < skill for demand in task.requirements}
    items = _draw_items(rng, met, split)
    return WordList(_draw_opening(rng, met), tuple(items), _draw_ending(rng, met)).text


def _draw_items(rng: random.Random, met: dict[Requirement, bool], split: Split) -> list[str]:
    length = _draw_length(rng, met)
    wanted = _draw_wanted(rng, met, split)
    banned = {word for demand in met if demand.kind != "tone" for word in demand.words}
    filler = [word for word in draw_words(rng, split, length + len(banned)) if word not in banned]
    items = (wanted + filler)[:length]
    rng.shuffle(items)
    for demand, wish in met.items():
        if demand.kind == "order":
            _arrange(items, demand.words if wish else demand.words[::-1])
    for demand, wish in met.items():
        if demand.kind == "first" and demand.words[0] in items:
            _lead(items, demand.words[0], wish)
    if (
        any(demand.kind == "unique" and not wish for demand, wish in met.items())
        or rng.random() < 0.1
    ):
        _repeat_one(rng, items)
    return items


def _draw_length(rng: random.Random, met: dict[Requirement, bool]) -> int:
    for demand, wish in met.items():
        if demand.kind == "count":
            miss = [demand.numbers[0] + change for change in (-2, -1, -1, 1, 1, 2)]
            return demand.numbers[0] if wish else max(1, rng.choice(miss))
        if demand.kind == "limit":
            size = demand.numbers[0]
            return rng.randint(max(1, size - 3), size) if wish else size + rng.randint(1, 2)
    return rng.randint(2, MAX_ITEMS)


def _draw_wanted(rng: random.Random, met: dict[Requirement, bool], split: Split) -> list[str]:
    wanted: list[str] = []
    for demand, wish in met.items():
        if demand.kind == "exclude":
            wanted += () if wish else demand.words
        elif demand.kind == "order":
            # A wrong order or a missing word: both are ways to miss it.
            wanted += demand.words if wish or rng.random() < 0.6 else demand.words[:1]
        elif demand.kind in ("include", "first"):
            wanted += demand.words if wish else _near_miss(rng, demand, split)
    return wanted


def _near_miss(rng: random.Random, demand: Requirement, split: Split) -> Sequence[str]:
    if demand.kind == "first" and rng.random() < 0.5:
        return demand.words  # present, but `_lead` will move it away from the front
    shared = set(pieces(demand.words[0]))
    alike = [word for word in words(split) if shared & set(pieces(word))]
    return (rng.choice(alike),) if rng.random() < 0.3 and alike != [demand.words[0]] else ()


def _arrange(items: list[str], order: Sequence[str]) -> None:
    first, second = order
    if first in items and second in items:
        left, right = sorted((items.index(first), items.index(second)))
        items[left], items[right] = first, second


def _lead(items: list[str], word: str, wish: bool) -> None:
    items.remove(word)
    items.insert(0 if wish else 1, word)


def _repeat_one(rng: random.Random, items: list[str]) -> None:
    if len(items) > 1:
        source, target = rng.sample(range(len(items)), 2)
        items[target] = items[source]


def _draw_opening(rng: random.Random, met: dict[Requirement, bool]) -> str:
    tones = list(OPENINGS)
    for demand, wish in met.items():
        if demand.kind == "tone":
            tones = [tone for tone in OPENINGS if (tone == demand.words[0]) == wish]
            if wish:
                return rng.choice(OPENINGS[tones[0]])
    return "" if rng.random() < 0.4 else rng.choice(OPENINGS[rng.choice(tones)])


def _draw_ending(rng: random.Random, met: dict[Requirement, bool]) -> int | None:
    for demand, wish in met.items():
        if demand.kind == "sum":
            near = sum(demand.numbers) + rng.choice((-2, -1, 1, 2))
            return sum(demand.numbers) if wish else rng.choice((near, near, None))
    return rng.randint(2, 20) if rng.random() < 0.15 else None
