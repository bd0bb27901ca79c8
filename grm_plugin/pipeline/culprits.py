"""Finds the responses that make a judge miscount, so that they cost only themselves.

A response can carry text that a judge takes for more responses, or for a task of its own. Then the
judge boxes a score too many, or writes something that can not be read, every sample of the group
fails, and nobody gets a reward: a policy could learn to void the groups in which it would lose. So
the judge is shown the group without one response at a time. If leaving out one of them, and only
that one, makes the answer readable, it is accused. If no single one does, there may be several:
then each is shown alone, and who can not be read twice is accused. Nobody is blamed before the
judge was asked again: twice with everybody, which it must not be able to answer, and twice without
the accused, which it must. So a judge that breaks at random blames hardly anybody.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from grm_plugin.pipeline.case import Run
from grm_plugin.types import Failure, Judgment, Reason, Sample

Probe = Callable[[Sequence[Run]], Awaitable[Sequence[Sample]]]
"""Draws one sample of the judge for each of some runs."""

_BREAKING = {
    *(Reason.WRONG_COUNT, Reason.UNREADABLE, Reason.OUT_OF_RANGE),
    *(Reason.ONLY_THINKING, Reason.DECLINED),
}
_CONFIRMED = 2  # draws with the accused, and as many without, that must say the same

BLAMED = (
    "the judge miscounts or can not be read when it is shown this response, and can without it, so "
    "it alone is unscored"
)


@dataclass(frozen=True, slots=True)
class Found:
    """What a search came to.

    Args:
        rest: the responses that can be judged together; empty when nobody is found to blame.
        samples: what was drawn on the way.
    """

    rest: Run
    samples: tuple[Sample, ...]


def is_suspicious(samples: Sequence[Sample], min_valid: int = 1) -> bool:
    """Whether most samples miscount, or too few can be read because the others are broken.

    A judge that is cut at its token limit is suspicious only when that happens to all samples.

    >>> is_suspicious([])
    False
    """
    miscounts = sum(_is_lost(one, {Reason.WRONG_COUNT}) for one in samples)
    broken = sum(map(_is_broken, samples))
    return bool(samples) and (
        2 * miscounts > len(samples)
        or (broken > 0 and len(samples) - broken < min_valid)
        or all(map(_is_unread, samples))
    )


def most_draws(n: int, budget: int | None) -> int:
    """The most samples that a search among ``n`` responses draws; ``budget`` as in search."""
    return 3 * n + 2 * _CONFIRMED if budget is None else budget


async def search(run: Run, probe: Probe, *, budget: int | None, fewest: int) -> Found:
    """The responses of ``run`` that can be judged without those that break the count.

    Args:
        run: the responses of a suspicious run (:func:`is_suspicious`).
        probe: asks the judge; every call draws anew.
        budget: most samples to draw; None: as many as it takes.
        fewest: fewest responses that the template shows.
    """
    n, left = len(run), most_draws(len(run), budget)
    if left < n + 2 * _CONFIRMED or n - 1 < max(1, fewest):
        return Found((), ())
    drawn = tuple(await probe([_without(run, one) for one in run]))
    cured = [one for one, sample in zip(run, drawn, strict=True) if isinstance(sample, Judgment)]
    if len(cured) == 1:
        return await _confirmed(run, _without(run, cured[0]), probe, drawn)
    if cured or fewest > 1 or left < 3 * n + 2 * _CONFIRMED:
        return Found((), drawn)
    accused, alone = await _broken_alone(run, probe)
    rest = tuple(one for one in run if one not in accused)
    if not accused or not rest:
        return Found((), drawn + alone)
    return await _confirmed(run, rest, probe, drawn + alone)


async def _broken_alone(run: Run, probe: Probe) -> tuple[set[int], tuple[Sample, ...]]:
    """Who can not be judged alone in two draws of two, and what was drawn."""
    suspects = set(run)
    drawn: tuple[Sample, ...] = ()
    for _ in range(2):
        asked = sorted(suspects)
        found = tuple(await probe([(one,) for one in asked])) if asked else ()
        suspects = {one for one, sample in zip(asked, found, strict=True) if _is_unread(sample)}
        drawn += found
    return suspects, drawn


async def _confirmed(run: Run, rest: Run, probe: Probe, drawn: tuple[Sample, ...]) -> Found:
    """``rest``, if the judge can read it and can not read ``run``, each time anew."""
    found = tuple(await probe([run] * _CONFIRMED + [rest] * _CONFIRMED))
    broken, cured = found[:_CONFIRMED], found[_CONFIRMED:]
    sure = all(map(_is_unread, broken)) and all(isinstance(one, Judgment) for one in cured)
    return Found(rest if sure else (), drawn + found)


def blamed(runs: Sequence[Run], copies: Sequence[int]) -> dict[int, str]:
    """Why responses are left out of the second of two runs, if it judges a part of the first.

    Args:
        runs: of a list; those of a group that was split are no parts of each other.
        copies: for every response the index of the one judged for it; a copy shares the blame.
    """
    if len(runs) != 2 or not set(runs[1]) < set(runs[0]):
        return {}
    out = set(runs[0]) - set(runs[1])
    return {n: BLAMED for n, copy in enumerate(copies) if copy in out}


def _without(run: Run, n: int) -> Run:
    return tuple(other for other in run if other != n)


def _is_broken(sample: Sample) -> bool:
    return _is_lost(sample, _BREAKING)


def _is_unread(sample: Sample) -> bool:
    return _is_lost(sample, {*_BREAKING, Reason.TRUNCATED})


def _is_lost(sample: Sample, reasons: set[Reason]) -> bool:
    return isinstance(sample, Failure) and sample.reason in reasons
