"""Who is shown what, decided before the first token: duplicates, sub-groups, shuffles, seeds.

Everything here is a pure function of the group and one seed, so a verdict does not depend on
what else is in the batch, on the order of the stream, or on the process.
"""

from __future__ import annotations

import hashlib
import itertools
import random
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from grm_plugin.errors import ConfigError, ContextError
from grm_plugin.size import MAX_K
from grm_plugin.types import Group

MAX_SEED = 2**31 - 1

Shuffle = Literal["balanced", "independent"]


@dataclass(frozen=True, slots=True)
class Showing:
    """One prompt to render: the order of responses, and which samples are drawn from it.

    ``order[place] = index in the group``; the samples of run ``run`` are ``first .. first + n - 1``
    with seeds ``seed .. seed + n - 1``.
    """

    order: tuple[int, ...]
    first: int
    n: int
    seed: int
    run: int = 0


def looks(shown: Group) -> list[Hashable]:
    """What the judge sees of each response: its text, and the evidence on it."""
    evidence = shown.evidence or [""] * len(shown.responses)
    return list(zip(shown.responses, evidence, strict=True))


def distinct(responses: Sequence[Hashable]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Indices of the distinct responses, and for every response the index of its first copy.

    >>> distinct(["a", "b", "a"])
    ((0, 1), (0, 1, 0))
    """
    first: dict[Hashable, int] = {}
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
    run: int = 0,
    shuffle: Shuffle = "balanced",
) -> list[Showing]:
    """K samples over P shuffles of ``members``.

    Sample ``j`` of the plan is shown shuffle ``j * P // K``. The same seed, group and run give the
    same plan on every machine. A plan with a larger k begins with the same seeds and, where every
    sample has a shuffle of its own (P = k), with the same orders; with fewer shuffles than samples
    a larger k spreads the same shuffles over more samples.

    Args:
        members: indices of the responses to show.
        k: samples, >= 1.
        permutations: shuffles, 1..k; k / P samples share one prompt and so its prefill.
        seed: the configured seed.
        fingerprint: the group's.
        run: the sub-group that ``members`` are.
        shuffle: ``independent`` draws every order anew. ``balanced`` shows every one of N members
            at every place once in each N shuffles; P = 2 is an order and its reverse, which for an
            odd N are not the first two of a larger P.

    Raises:
        ConfigError: ``permutations`` is not in 1..k.
    """
    if not 1 <= permutations <= k:
        raise ConfigError(f"permutations: expected 1..k = 1..{k}, got {permutations}")
    rng = random.Random(digest(f"{seed}:{fingerprint}:{run}"))
    base = rng.randrange(MAX_SEED - MAX_K)
    draw = _balanced if shuffle == "balanced" else _independent
    orders = list(itertools.islice(draw(members, rng), permutations))
    if shuffle == "balanced" and permutations == 2:
        orders[1] = orders[0][::-1]
    bounds = [place * k // permutations for place in range(permutations + 1)]
    return [
        Showing(order, start, end - start, base + start, run)
        for order, (start, end) in zip(orders, itertools.pairwise(bounds), strict=True)
    ]


def between(showings: Sequence[Showing], start: int, end: int) -> list[Showing]:
    """The samples ``start .. end - 1`` of each run, in the orders and with the seeds of the plan.

    >>> between([Showing((1, 0), first=0, n=4, seed=7)], 1, 3)
    [Showing(order=(1, 0), first=1, n=2, seed=8, run=0)]
    """
    found = []
    for one in showings:
        first, last = max(one.first, start), min(one.first + one.n, end)
        if last - first == one.n:
            found.append(one)
        elif first < last:
            seed = one.seed + first - one.first
            found.append(replace(one, first=first, n=last - first, seed=seed))
    return found


def _independent(members: Sequence[int], rng: random.Random) -> Iterator[tuple[int, ...]]:
    while True:
        yield _shuffled(members, rng)


def _balanced(members: Sequence[int], rng: random.Random) -> Iterator[tuple[int, ...]]:
    """One Latin square of orders after another, each over a fresh random base.

    The squares are those of E. J. Williams (Aust. J. Sci. Res. A2, 1949): rotations of a zigzag.
    For an even N every order is followed by its reverse, so that any even number of orders cancels
    a bias that grows with the place, and a whole square has each member after each other once.
    """
    zigzag, half = _zigzag(len(members)), len(members) // 2
    starts = [start for pair in range(half) for start in (pair, pair + half)]
    if len(members) % 2:
        starts = list(range(len(members)))
    while True:
        base = _shuffled(members, rng)
        for start in starts:
            yield tuple(base[(start + step) % len(base)] for step in zigzag)


def _zigzag(n: int) -> list[int]:
    """0, n - 1, 1, n - 2, ...: from both ends to the middle."""
    return [step // 2 if step % 2 == 0 else n - 1 - step // 2 for step in range(n)]


def _shuffled(members: Sequence[int], rng: random.Random) -> tuple[int, ...]:
    order = list(members)
    rng.shuffle(order)
    return tuple(order)


def digest(text: str) -> int:
    """A number of 64 bits that is the same for ``text`` on every machine."""
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
