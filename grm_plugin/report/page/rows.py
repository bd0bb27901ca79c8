"""One line of the page's table: what it is sorted and filtered by, as a JSON array."""

from __future__ import annotations

import statistics
from collections.abc import Iterable
from typing import NamedTuple

from grm_plugin.errors import InputError
from grm_plugin.evaluation.outcomes import outcome
from grm_plugin.evaluation.truth import Ratings, Truth, truth_of
from grm_plugin.hosts.averages import spread
from grm_plugin.hosts.counting import voters, votes, why_unscored
from grm_plugin.hosts.places import Places
from grm_plugin.types import SURROGATE, Group, Verdict, digest
from grm_plugin.types.training import PHASE, STEP

SUBSET = ("subset", "section", "domain", "benchmark")
"""Metadata that names the part of a benchmark a group belongs to; the first that is there."""
_START, _NAME = 90, 80


class Row(NamedTuple):
    """What the table knows of a verdict; the page reads the fields in this order.

    Args:
        id: :func:`named` of the group.
        prompt: the start of the last turn, on one line.
        step, phase: when in a training run it was judged; None and empty elsewhere.
        subset: which part of a benchmark it belongs to; empty for none.
        rewards: N rewards, rounded, None for a response without one; None: the group is unscored.
        spread: standard deviation of the rewards; None where fewer than two are known.
        tied: whether two rewards or more, before they are rounded, share the highest.
        differ: mean standard deviation of the voters' scores of one response (points).
        valid: readable samples.
        dropped: dropped samples by reason.
        unscored: the kind of reason there are no rewards, empty when there are.
        place: the place, from 1, whose responses got the highest scores on average; 0: no such.
        outcome: right, wrong, tie or unscored, where the truth is known; else empty.
    """

    id: str
    prompt: str
    step: int | None
    phase: str
    subset: str
    rewards: tuple[float | None, ...] | None
    spread: float | None
    tied: bool
    differ: float | None
    valid: int
    dropped: dict[str, int]
    unscored: str
    place: int
    outcome: str


def row_of(verdict: Verdict) -> Row:
    """The line of ``verdict``."""
    metadata, known = verdict.group.metadata, verdict.known_rewards
    step = metadata.get(STEP)
    return Row(
        id=named(name_of(verdict.group)),
        prompt=_start(verdict),
        step=step if type(step) is int else None,
        phase=_text(metadata.get(PHASE)),
        subset=next(filter(None, (_text(metadata.get(name)) for name in SUBSET)), ""),
        rewards=verdict.rewards and tuple(map(_rounded, verdict.rewards)),
        spread=_rounded(spread(known)) if len(known) > 1 else None,
        tied=bool(known) and known.count(max(known)) > 1,
        differ=_rounded(_mean(_differ(verdict))),
        valid=len(verdict.judgments),
        dropped={str(reason): count for reason, count in verdict.failures_by_reason.items()},
        unscored="" if known else why_unscored(verdict),
        place=_highest_place(verdict),
        outcome=_outcome(verdict),
    )


def name_of(group: Group) -> str:
    """The id of ``group``, or the start of its fingerprint."""
    return group.id or group.fingerprint[:8]


def named(name: str) -> str:
    """``name`` as the page's filters know it: a long one is cut, and stays unlike all others.

    >>> named("x" * 200) != named("x" * 199), len(named("x" * 200))
    (True, 80)
    """
    if len(name) <= _NAME:
        return name
    whole = digest(SURROGATE.sub("\ufffd", name))
    return f"{name[: _NAME - 9]}…{whole[:8]}"


def truth_known(group: Group) -> Truth | None:
    """What the metadata of ``group`` says is known of it; None where that is nothing."""
    try:
        return truth_of(group)
    except InputError:
        return None


def _outcome(verdict: Verdict) -> str:
    truth = truth_known(verdict.group)
    if truth is None or isinstance(truth, Ratings):  # ratings are neither right nor wrong
        return ""
    return str(outcome(verdict.rewards, truth) or "")


def _start(verdict: Verdict) -> str:
    turns = verdict.group.conversation
    text = turns[-1].content[: 4 * _START] if turns else ""
    flat = " ".join(text.split())
    return flat if len(flat) <= _START else f"{flat[: _START - 1]}…"


def _text(value: object) -> str:
    return "" if value is None or value in ([], {}) else named(str(value))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def _differ(verdict: Verdict) -> Iterable[float]:
    voted = voters(verdict)
    for n in range(len(verdict.group.responses)):
        found = votes(voted, n)
        if len(found) > 1:
            yield spread(found)


def _mean(values: Iterable[float]) -> float | None:
    found = list(values)
    return statistics.fmean(found) if found else None


def _highest_place(verdict: Verdict) -> int:
    lifts = Places.of(verdict.judgments).lifts
    return lifts.index(max(lifts)) + 1 if lifts and max(lifts) > min(lifts) else 0
