"""Rewards of a judge and of a scalar RM are on scales of their own, and so is what is usual."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from grm_plugin.types import Judgment, Scalar, Verdict
from grm_plugin.watching.options import WatchOptions
from grm_plugin.watching.sources import JUDGE, Source, sourced
from grm_plugin.watching.watch import Watch
from tests.watching.judges import controlled

ONSET, STEPS = 50, 80


def logits(true: list[float], draw: random.Random, spread: float = 1.0) -> list[float]:
    return [spread * (1.2 * one + draw.gauss(0, 0.5)) for one in true]


def judged(true: list[float], draw: random.Random, noise: float) -> list[float]:
    return [min(1.0, max(0.0, 0.65 + 0.12 * one + draw.gauss(0, noise))) for one in true]


def cascade(step: int, true: list[float], draw: random.Random) -> tuple[Scalar, list[float]]:
    """An audit lets the judge judge everything from ``ONSET`` on."""
    scalar = Scalar(tuple(logits(true, draw)), judged=step >= ONSET or draw.random() < 0.3)
    return scalar, judged(true, draw, 0.05)


def refreshed(step: int, true: list[float], draw: random.Random) -> tuple[Scalar, list[float]]:
    """A refresh gives other logits from ``ONSET`` on."""
    center, version = (-3.0, "2") if step >= ONSET else (0.0, "1")
    scalar = Scalar(tuple(logits(true, draw)), center=center, judged=False, version=version)
    return scalar, []


def hacked(step: int, true: list[float], draw: random.Random) -> tuple[Scalar, list[float]]:
    """The scalar RM alone likes what is worthless from ``ONSET`` on."""
    more = 2.0 if step >= ONSET else 0.0
    scores = tuple(one + more for one in logits(true, draw))
    return Scalar(scores, judged=draw.random() < 0.3), judged(true, draw, 0.05)


World = Callable[[int, list[float], random.Random], tuple[Scalar, list[float]]]


def run(world: World, seed: int) -> Iterator[Verdict]:
    draw = random.Random(seed)
    for step in range(STEPS):
        for number in range(8):
            true = [draw.gauss(0, 1) for _ in range(4)]
            scalar, rewards = world(step, true, draw)
            given = list(rewards if scalar.judged else scalar.votes)
            controls = judged(true, draw, 0.03)
            yield replace(controlled(step, given, controls, name=f"{step} {number}"), scalar=scalar)


def watched(world: World, seed: int) -> Watch:
    seen = Watch(WatchOptions.model_validate({"control": {"judge": {"k": 32}}}))
    seen.add(run(world, seed))
    return seen


@pytest.mark.parametrize("world", [cascade, refreshed])
def test_an_audit_that_sends_more_to_the_judge_or_a_refresh_is_no_alarm(world: World) -> None:
    assert [watched(world, seed).alarms for seed in range(3)] == [[]] * 3


def test_a_scalar_rm_of_a_cascade_that_is_hacked_is_noticed() -> None:
    seen = watched(hacked, 0)
    assert "onset" in [alarm.signal for alarm in seen.alarms]
    assert ONSET <= (seen.alarms[0].step or 0) <= ONSET + 20
    assert seen.gap.value > 0.5


def test_of_added_votes_the_judge_counts_as_its_mean_score_whatever_k_is() -> None:
    scalar = Scalar((1.0, -1.0), center=0.5, version="3")
    votes = [Judgment(n, (0, 1), n, "", (8.0, 2.0 + 2 * n)) for n in range(2)]
    verdict = replace(
        controlled(0, [0.7, 0.3], [0.6, None]),
        scalar=scalar,
        judgments=tuple(votes),
        origin={"vote": "mean", "k": 2, "scalar": {"weight": 4.0}},
    )
    found = {source: group.rewards_N for source, group in sourced(verdict)}
    assert found == {JUDGE: (8.0,), Source("3", 0.5): (pytest.approx(1 / (1 + math.exp(-0.5))),)}
    alone = replace(verdict, scalar=None, origin={"vote": "sum"})
    assert [group.rewards_N for _, group in sourced(alone)] == [(8.0,)]
    assert [group.rewards_N for _, group in sourced(replace(alone, origin={}))] == [(0.7,)]
