"""Finds the responses that make a judge miscount, so that they cost only themselves.

A response can carry text that a judge takes for more responses, or for a task of its own. Then the
judge boxes a score too many, or writes something that can not be read, every sample of the group
fails, and nobody gets a reward: a policy could learn to void the groups in which it would lose. So
the judge is shown the group without one response at a time. If leaving out one of them, and only
that one, makes the answer readable, it is the culprit. If no single one does, there may be several:
then each is shown alone.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from grm_plugin.pipeline.case import Run
from grm_plugin.types import Failure, Judgment, Reason, Sample

Probe = Callable[[Sequence[Run]], Awaitable[Sequence[Sample]]]
"""Draws one sample of the judge for each of some runs."""

_BREAKING = {Reason.WRONG_COUNT, Reason.UNREADABLE, Reason.OUT_OF_RANGE}

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


def is_suspicious(samples: Sequence[Sample]) -> bool:
    """Whether most samples miscount, or none at all can be read.

    A judge that can not be read now and then is no sign of a culprit.

    >>> is_suspicious([])
    False
    """
    miscounts = sum(_is_lost(one, {Reason.WRONG_COUNT}) for one in samples)
    return 2 * miscounts > len(samples) or (bool(samples) and all(map(_is_broken, samples)))


async def search(run: Run, probe: Probe, *, budget: int, fewest: int) -> Found:
    """The responses of ``run`` that can be judged without those that break the count.

    Args:
        run: the responses of a suspicious run (:func:`is_suspicious`).
        probe: asks the judge.
        budget: most samples to draw.
        fewest: fewest responses that the template shows.
    """
    if budget < len(run) or len(run) - 1 < max(1, fewest):
        return Found((), ())
    without = tuple(await probe([_without(run, n) for n in run]))
    cured = [n for n, one in zip(run, without, strict=True) if isinstance(one, Judgment)]
    if len(cured) == 1:
        return Found(_without(run, cured[0]), without)
    if cured or fewest > 1 or budget < 2 * len(run):
        return Found((), without)
    alone = tuple(await probe([(n,) for n in run]))
    rest = tuple(n for n, one in zip(run, alone, strict=True) if not _is_broken(one))
    return Found(rest if len(rest) < len(run) else (), without + alone)


def _without(run: Run, n: int) -> Run:
    return tuple(other for other in run if other != n)


def _is_broken(sample: Sample) -> bool:
    return _is_lost(sample, _BREAKING)


def _is_lost(sample: Sample, reasons: set[Reason]) -> bool:
    return isinstance(sample, Failure) and sample.reason in reasons
