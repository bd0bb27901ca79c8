"""A scalar RM that fails never becomes a reward."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import Any

import pytest

from grm_plugin import Group
from grm_plugin.errors import (
    EngineError,
    JudgeDeadError,
    JudgeRefusedError,
)
from grm_plugin.testing import ScriptedEngine
from tests.core.honest_judge import honest
from tests.pipeline.scalar_rm import SURE, ScalarRM, grm


@pytest.mark.parametrize("use", ["vote", "cascade", "alone"])
@pytest.mark.parametrize(
    ("broken", "telling"),
    [("scalar nan", "expected a finite logit, got 'nan'"), ("AWAY", "the server is away")],
)
def test_what_it_can_not_score_is_unscored_alone(use: str, broken: str, telling: str) -> None:
    asked = Group.of("q", ["quality 2, scalar -3", f"quality 5 {broken}", "quality 9, scalar 3"])
    with grm({"use": use}, k=2) as judge:
        found = judge.score(asked)
    assert found.rewards is not None and found.rewards[1] is None
    assert None not in (found.rewards[0], found.rewards[2])
    assert telling in found.unscored_responses[1]
    assert found.scalar.scores[1] is None and telling in found.scalar.failures[1]


@pytest.mark.parametrize("use", ["vote", "cascade", "alone"])
def test_a_group_without_one_scalar_score_is_unscored_and_spends_no_sample(use: str) -> None:
    engine = ScriptedEngine(honest)
    with grm({"use": use}, engine, k=2) as judge:
        found = judge.score(Group.of("q", ["quality 1 AWAY", "quality 2 AWAY"]))
    assert found.rewards is None and "the server is away" in found.unscored
    assert not engine.requests


def test_a_scalar_rm_that_stays_away_stops_the_run() -> None:
    asked = [Group.of(f"q{n}", ["AWAY 1", "AWAY 2"]) for n in range(3)]
    with (
        grm({"use": "alone"}, dead_groups=3, dead_after_s=0) as judge,
        pytest.raises(JudgeDeadError, match="the server is away"),
    ):
        judge.score_batch(asked)


def test_a_scalar_rm_that_stays_away_stops_a_run_and_one_that_answers_does_not() -> None:
    lost = [Group.of(f"q{n}", ["AWAY 1", "AWAY 2"]) for n in range(9)]
    with grm({"use": "cascade", "audit": 1e-9}, dead_groups=3, dead_after_s=0) as judge:
        for n in range(6):
            judge.score_batch([lost[n], SURE])  # which resets what was lost
        with pytest.raises(JudgeDeadError, match=r"3 groups in a row .* the server is away"):
            for one in lost[6:]:
                judge.score(one)


def test_a_scalar_rm_that_refuses_us_stops_the_run_at_once() -> None:
    with (
        grm({"use": "cascade"}) as judge,
        pytest.raises(JudgeRefusedError, match=r"the scalar RM takes no request of ours.*no such"),
    ):
        judge.score(Group.of("q", ["LOCKED", "LOCKED too"]))


def test_one_that_does_not_answer_in_time_leaves_the_group_unscored() -> None:
    import asyncio

    class Slow(ScalarRM):
        async def logits_of_conversations(self, conversations):
            await asyncio.sleep(60)

    with grm({"use": "alone"}, rm=Slow(), group_timeout_s=0.2) as judge:
        found = judge.score(SURE)
    assert found.rewards is None and "deadline passed before the scalar RM" in found.unscored


def test_one_that_answers_too_little_is_named() -> None:
    class Short(ScalarRM):
        async def logits_of_conversations(self, conversations):
            return [1.0]

    with grm({"use": "alone"}, rm=Short()) as judge:
        assert "expected 2 logits, one a text" in judge.score(SURE).unscored


@pytest.mark.parametrize("wrong", [(0.0, 0.0), (0.0, -1.0), (math.nan, 1.0), (1.0,), ("x", 1.0)])
@pytest.mark.parametrize("beside_the_logits", [False, True])
def test_a_scaling_that_can_be_none_never_becomes_a_reward(
    wrong: Any, beside_the_logits: bool
) -> None:
    telling = r"scalar RM \(classifier 'said'\): scaling: expected a finite center and a spread"

    class Wrong(ScalarRM):
        def _logit(self, text: str) -> Any:
            return replace(super()._logit(text), scaling=wrong)

    rm = Wrong() if beside_the_logits else ScalarRM()
    rm.scaling = None if beside_the_logits else wrong
    with grm({"use": "alone"}, rm=rm) as judge:
        if beside_the_logits:
            found = judge.score(SURE)
            assert found.rewards is None and re.search(telling, found.unscored)
        else:
            with pytest.raises(EngineError, match=telling):
                judge.score(SURE)


def test_a_part_that_can_not_start_says_so() -> None:
    class Broken(ScalarRM):
        async def start(self) -> None:
            raise EngineError("no such folder")

    with grm({"use": "alone"}, rm=Broken()) as judge, pytest.raises(EngineError, match="no such"):
        judge.score(SURE)
