"""What judge servers do wrong, against the executor that OpenRLHF loads into a rollout actor.

The server is a process of its own; only vLLM is stood in for.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from transformers import AutoTokenizer

from grm_openrlhf.settings import ENV, RunSettings
from grm_plugin.errors import EngineError, JudgeDeadError
from grm_plugin.reference.policy import POLICY_MODEL, policy_prompt
from tests.adapters.openrlhf.conftest import Actor
from tests.e2e.openrlhf.judge_process import JudgeProcess

ABSENCE_S = 8.0
PROMPT = policy_prompt("Please list three words.")
TEXTS = ("sunrise", "seaweed", "milkman", "catwalk")

Group = list[dict[str, Any]]
Start = Callable[..., Actor]


@pytest.fixture
def judge() -> Iterator[JudgeProcess]:
    with JudgeProcess() as process:
        yield process


@pytest.fixture
def actor(monkeypatch: pytest.MonkeyPatch, judge: JudgeProcess) -> Start:
    """Makes rollout actors with the settings that the launcher would give them."""

    def start(engine: dict[str, Any] | None = None, **settings: Any) -> Actor:
        config = {"k": 2, "tries": 1, "dead_groups": 1000, **settings}
        run = RunSettings(config={"engine": {"url": judge.url, **(engine or {})}, **config})
        monkeypatch.setenv(ENV, run.model_dump_json())
        from grm_openrlhf.agent import AgentExecutor

        return Actor(AgentExecutor(), AutoTokenizer.from_pretrained(POLICY_MODEL))

    return start


def is_unscored(group: Group) -> bool:
    """Whether a group has no reward of its own; then its responses have one and the same."""
    (unscored,) = {one["extra_logs"]["grm/unscored_rate"] for one in group}
    if unscored:
        assert len({one["reward"] for one in group}) == 1
    return bool(unscored)


@pytest.mark.parametrize(
    ("behaviour", "says"),
    [("error", "500"), ("garbage", "<html>"), ("hang", "within 1 s")],
)
async def test_a_judge_that_fails_costs_only_the_groups_of_that_time(
    actor: Start,
    judge: JudgeProcess,
    caplog: pytest.LogCaptureFixture,
    behaviour: str,
    says: str,
) -> None:
    judge.start(behaviour)
    rollouts = actor(request_timeout_s=1)
    with caplog.at_level(logging.WARNING):
        assert is_unscored(await rollouts.generate_responses(PROMPT, TEXTS))
    assert "has no reward" in caplog.text
    assert says in caplog.text
    judge.kill()
    judge.start()
    assert not is_unscored(await rollouts.generate_responses(PROMPT, TEXTS))


async def come_back(judge: JudgeProcess) -> None:
    await asyncio.sleep(ABSENCE_S)
    await asyncio.to_thread(judge.start)


async def test_a_judge_that_is_back_in_time_costs_no_group(
    actor: Start, judge: JudgeProcess
) -> None:
    judge.start()
    rollouts = actor(dead_groups=1, dead_after_s=0)
    before = await rollouts.generate_responses(PROMPT, TEXTS)
    judge.kill()
    back = asyncio.create_task(come_back(judge))
    absent = [rollouts.generate_responses(PROMPT, TEXTS) for _ in range(8)]
    for group in await asyncio.gather(*absent):
        assert not is_unscored(group)
        assert [one["reward"] for one in group] == [one["reward"] for one in before]
        assert ABSENCE_S - 1 < group[0]["extra_logs"]["grm/wait_seconds"] < 60
    await back


async def test_a_judge_that_is_back_late_costs_only_the_groups_of_its_absence(
    actor: Start, judge: JudgeProcess
) -> None:
    judge.start()
    rollouts = actor(request_timeout_s=1)
    before = await rollouts.generate_responses(PROMPT, TEXTS)
    assert not is_unscored(before)
    judge.kill()
    back = asyncio.create_task(come_back(judge))
    absent = []
    while is_unscored(group := await rollouts.generate_responses(PROMPT, TEXTS)):
        absent.append(group)
    await back
    assert [one["reward"] for one in group] == [one["reward"] for one in before]
    mean = sum(one["reward"] for one in before) / len(before)
    filled = [one["reward"] for group in absent for one in group]
    assert filled == [pytest.approx(mean)] * (len(absent) * len(TEXTS))
    assert absent


async def test_a_judge_that_is_gone_for_good_ends_the_run_with_its_own_message(
    actor: Start, judge: JudgeProcess
) -> None:
    judge.start()
    rollouts = actor(dead_groups=2, dead_after_s=0, request_timeout_s=1)
    assert not is_unscored(await rollouts.generate_responses(PROMPT, TEXTS))
    judge.kill()
    assert is_unscored(await rollouts.generate_responses(PROMPT, TEXTS))
    with pytest.raises(JudgeDeadError, match=r"2 groups in a row .* without one reward"):
        await rollouts.generate_responses(PROMPT, TEXTS)


@pytest.mark.parametrize("engine", [{}, {"api_key_env": "MY_KEY"}], ids=["missing", "wrong"])
async def test_a_key_that_is_missing_or_wrong_ends_the_run_before_the_first_reward(
    actor: Start, judge: JudgeProcess, monkeypatch: pytest.MonkeyPatch, engine: dict[str, str]
) -> None:
    monkeypatch.setenv("JUDGE_KEY", "the-key")
    monkeypatch.setenv("MY_KEY", "a-guess")
    judge.start()
    with pytest.raises(EngineError, match="401") as caught:
        await actor(engine).generate_responses(PROMPT, TEXTS)
    assert "a-guess" not in str(caught.value)
