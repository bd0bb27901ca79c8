"""Who is shown what, decided before the first token: duplicates, sub-groups, shuffles, seeds.

Everything here is a pure function of the group and one seed, so a verdict does not depend on
what else is in the batch, on the order of the stream, or on the process.
"""

from __future__ import annotations

import hashlib
import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass

from grm_plugin.errors import ConfigError, ContextError
from grm_plugin.size import MAX_K

MAX_SEED = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Showing:
    """One prompt to render: the order of responses, and which samples are drawn from it.

    ``order[place] = index in the group``; samples are ``first .. first + n - 1`` with seeds
    ``seed .. seed + n - 1``.
    """

    order: tuple[int, ...]
    first: int
    n: int
    seed: int


def distinct(responses: Sequence[str]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Indices of the distinct responses, and for every response the index of its first copy.

    >>> distinct(["a", "b", "a"])
    ((0, 1), (0, 1, 0))
    """
    first: dict[str, int] = {}
    copy_of = tuple(first.setdefault(text, n) for n, text in enumerate(responses))
    return tuple(first.values()), copy_of


def subgroups(tokens: Sequence[int], *, budget: int, overlap: int = 1) -> list[tuple[int, ...]]:
    """Split responses into overlapping runs that each fit.

    Args:
        tokens: what each response costs in prompt tokens.
        budget: prompt tokens there are for the responses of one prompt.
        overlap: how many responses a run shares with the one before it, where they fit.

    Raises:
        ContextError: one response alone is over the budget; names its index.

    >>> subgroups([40, 40, 40], budget=100)
    [(0, 1), (1, 2)]
    """
    runs: list[tuple[int, ...]] = []
    start, end = 0, 0
    while end < len(tokens):
        end = _run_end(tokens, start, budget)
        if end == start:
            raise ContextError(
                f"response {start} takes {tokens[start]} tokens but the judge's context leaves "
                f"{budget}; shorten it, lower max_tokens or use a judge with a longer context"
            )
        runs.append(tuple(range(start, end)))
        # always one step forward, and never an overlap that leaves no room for a new response
        back = overlap if end < len(tokens) and _run_end(tokens, end - overlap, budget) > end else 0
        start = max(end - back, start + 1)
    return runs


def _run_end(tokens: Sequence[int], start: int, budget: int) -> int:
    used, end = 0, start
    while end < len(tokens) and used + tokens[end] <= budget:
        used += tokens[end]
        end += 1
    return end


def plan(
    members: Sequence[int],
    *,
    k: int,
    permutations: int,
    seed: int,
    fingerprint: str,
    first: int = 0,
) -> list[Showing]:
    """K samples over P shuffles of ``members``.

    Sample ``j`` of the plan is shown shuffle ``j * P // K``. The same seed and group give the same
    plan on every machine.

    Args:
        members: indices of the responses to show.
        k: samples, >= 1.
        permutations: shuffles, 1..k; k / P samples share one prompt and so its prefill.
        seed: the configured seed.
        fingerprint: the group's.
        first: number of the first sample.

    Raises:
        ConfigError: ``permutations`` is not in 1..k.
    """
    if not 1 <= permutations <= k:
        raise ConfigError(f"permutations: expected 1..k = 1..{k}, got {permutations}")
    rng = random.Random(_digest(f"{seed}:{fingerprint}:{first}"))
    bounds = [place * k // permutations for place in range(permutations + 1)]
    base = rng.randrange(MAX_SEED - MAX_K)
    return [
        Showing(_shuffled(members, rng), first + start, end - start, base + start)
        for start, end in itertools.pairwise(bounds)
    ]


def _shuffled(members: Sequence[int], rng: random.Random) -> tuple[int, ...]:
    order = list(members)
    rng.shuffle(order)
    return tuple(order)


def _digest(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")


def unshuffle(
    scores_shown: Sequence[float], order: Sequence[int], n: int
) -> tuple[float | None, ...]:
    """Scores in the shown order, put back in the group's order; None where nothing was shown.

    >>> unshuffle([9, 5], order=[1, 0], n=3)
    (5, 9, None)
    """
    scores: list[float | None] = [None] * n
    for score, index in zip(scores_shown, order, strict=True):
        scores[index] = score
    return tuple(scores)
