"""Judges that die, hang and babble, callers that go missing: no hang, no wrong reward, counted."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from tests.engines.judge_server import Act, JudgeServer, hang, raw, status
from tests.serving.conftest import Process, Serve, row
from tests.serving.honest_judge import honest

# An outage shorter than this many tries is not even noticed; tests have no patience for that.
FAST = ("--set", "tries=1", "--set", "request_timeout_s=1")
UNSCORED = 'grm_groups_total{outcome="unscored"}'
SCORED = 'grm_groups_total{outcome="scored"}'
FILLED = 'grm_filled_responses_total{number="recent_mean"}'


def asked(*texts: str) -> dict[str, Any]:
    """A call of OpenRLHF's protocol with several samples of one prompt."""
    count = len(texts)
    return {
        "query": ["q" + text for text in texts],
        "prompts": ["q"] * count,
        "labels": [None] * count,
    }


async def test_a_judge_that_is_killed_and_comes_back_costs_only_the_groups_in_between(
    serve: Serve, judge_process: Callable[..., tuple[Process, int]]
) -> None:
    judge, port = judge_process()
    server = await serve(f"http://127.0.0.1:{port}", *FAST)
    assert await server.rewards(10, 1, group="before") == [(200, 1.0), (200, 0.0)]
    judge.end()
    assert await server.rewards(10, 1, group="between") == [(200, 0.5), (200, 0.5)]
    assert "no judge server answers" in await server.until("unreachable")
    server.process.line("group between has no reward: 0 of 2 samples are valid.*refused")
    judge_process(port)
    await server.until("ready")
    async with asyncio.timeout(60):  # the engine puts a server aside that failed, for a while
        n = 0
        while (after := await server.rewards(10, 1, group=f"after {n}"))[0][1] == 0.5:
            n += 1
    assert after == [(200, 1.0), (200, 0.0)]
    counted = await server.metrics()
    assert (counted[SCORED], counted[UNSCORED]) == (2, 1 + n)
    assert counted[FILLED] == 2 * (1 + n)
    assert counted['grm_samples_total{outcome="transport"}'] == 2 * (1 + n)


async def test_a_judge_that_stays_away_counts_as_dead_and_calls_are_told_why(
    serve: Serve, judge_process: Callable[..., tuple[Process, int]]
) -> None:
    judge, port = judge_process()
    patience = ("--set", "dead_groups=4", "--set", "dead_after_s=0")
    server = await serve(f"http://127.0.0.1:{port}", *FAST, *patience)
    judge.end()
    for n in range(3):
        assert await server.rewards(10, 1, group=str(n)) == [(200, 0.5), (200, 0.5)]
    calls = await server.rewards(10, 1, group="last")
    assert [code for code, _ in calls] == [503, 503]
    telling = "4 groups in a row came back without one reward in .*; the last says: 0 of 2"
    server.process.line(f"no more calls are served: {telling}")
    assert "came back without one reward" in calls[0][1]
    assert "came back without one reward" in await server.until("dead")
    assert (await server.post("/v1/score", {"groups": [row(1)]}))[0] == 503


async def test_a_judge_that_refuses_us_ends_the_serving_at_its_first_group(serve: Serve) -> None:
    with JudgeServer(otherwise=honest).running() as judge:
        server = await serve(judge.url)
        assert await server.rewards(10, 1, group="before") == [(200, 1.0), (200, 0.0)]
        judge.otherwise = status(401, "this key has expired")
        code, said = await server.post("/v1/score", {"groups": [row(1)]})
        assert (code, "this key has expired" in said["error"]) == (503, True)
        assert "this key has expired" in await server.until("dead")
        await asyncio.sleep(0.3)
        asked = len(judge.bodies)
        assert (await server.rewards(1, group="after"))[0][0] == 503
        assert len(judge.bodies) == asked
        server.process.line("no more calls are served: .*this key has expired")


@pytest.mark.parametrize(
    ("act", "reason"),
    [
        (status(500), "transport"),
        (raw("<html>not JSON</html>"), "transport"),
        (hang, "timeout"),
    ],
    ids=["500", "garbage", "hang"],
)
async def test_a_judge_that_fails_leaves_the_group_unscored_with_the_reason(
    serve: Serve, act: Act, reason: str
) -> None:
    with JudgeServer(otherwise=act).running() as judge:
        server = await serve(judge.url, *FAST)
        (verdict,) = await server.score(row(10, 1))
        assert verdict["rewards"] is None
        assert f"2 {reason}" in verdict["unscored"]
        assert await server.rewards(10, 1) == [(200, 0.5), (200, 0.5)]
        counted = await server.metrics()
    assert counted[f'grm_samples_total{{outcome="{reason}"}}'] == 4
    assert (counted[UNSCORED], counted[FILLED]) == (2, 2)


async def test_an_unscored_group_gets_the_mean_of_recent_rewards(serve: Serve) -> None:
    with JudgeServer(otherwise=honest).running() as judge:
        server = await serve(judge.url, *FAST)
        assert await server.rewards(10, 4, group="scored") == [(200, 1.0), (200, 3 / 9)]
        judge.otherwise = status(500)
        between = pytest.approx((1 + 3 / 9) / 2)
        assert await server.rewards(10, 4, group="not") == [(200, between)] * 2


async def test_a_group_without_a_reward_gets_finite_numbers_a_flag_and_a_score_to_be_dropped_by(
    serve: Serve,
) -> None:
    with JudgeServer(otherwise=status(500)).running() as judge:
        server = await serve(judge.url, *FAST)
        answer = await server.post("/get_reward", asked("quality 10", "quality 1"))
    assert (answer[1]["rewards"], answer[1]["scores"]) == ([0.5, 0.5], [-1, -1])
    assert answer[1]["extra_logs"]["grm/unscored_rate"] == [1, 1]
    assert answer[1]["extra_logs"]["grm/filled_rate"] == [0, 0]


async def test_a_response_that_breaks_the_count_is_unscored_alone(
    serve: Serve, judge: JudgeServer
) -> None:
    server = await serve(judge.url)
    texts = ("quality 10", "quality 2, or quality 3", "quality 4")
    (verdict,) = await server.score({"prompt": "q", "responses": list(texts)})
    assert verdict["rewards"] == [1.0, None, pytest.approx(3 / 9)]
    _, answer = await server.post("/get_reward", asked(*texts))
    assert answer["rewards"] == answer["scores"] == pytest.approx([1, 6 / 9, 3 / 9])
    assert answer["extra_logs"]["grm/filled_rate"] == [0, 1, 0]
    assert answer["extra_logs"]["grm/unscored_rate"] == [0, 0, 0]


async def test_a_sample_that_is_lost_without_an_id_leaves_the_next_step_whole(
    serve: Serve, judge: JudgeServer
) -> None:
    server = await serve(judge.url, "--serving", "group_size=2", "--serving", "flush_s=0.5")
    assert await server.reward("quality 10") == (200, 1.0)
    for _ in range(2):
        step = await asyncio.gather(*(server.reward(f"quality {points}") for points in (4, 7)))
        assert step == [(200, pytest.approx(3 / 9)), (200, pytest.approx(6 / 9))]
    assert (await server.metrics())["grm_partial_groups_total"] == 1


async def test_the_same_ids_in_another_step_are_other_groups(
    serve: Serve, judge: JudgeServer
) -> None:
    server = await serve(judge.url, "--serving", "flush_s=0.5")
    ids = {"group_ids": "prompt 17", "group_sizes": 2}
    first = await server.reward("quality 10", **ids, sample_indices=0, steps=1)
    assert first == (200, 1.0)
    second = (
        server.reward(f"quality {points}", **ids, sample_indices=index, steps=2)
        for index, points in enumerate((4, 7))
    )
    assert await asyncio.gather(*second) == [
        (200, pytest.approx(3 / 9)),
        (200, pytest.approx(6 / 9)),
    ]
    late = await server.reward("quality 2", **ids, sample_indices=1, steps=1)
    assert late == (200, 1.0)
    refused = await server.reward("quality 3", **ids, sample_indices=0, steps=1)
    assert (refused[0], "in every step, or send steps" in refused[1]) == (409, True)


@pytest.mark.parametrize(
    ("partial", "first", "late"),
    [("judge", [1.0, 0.0], 0.5), ("unscored", [0.5, 0.5], 0.5)],
)
async def test_half_a_group_is_answered_after_flush_s_by_the_policy(
    serve: Serve, judge: JudgeServer, partial: str, first: list[float], late: float
) -> None:
    options = ("--serving", "flush_s=0.5", "--serving", f"partial={partial}")
    server = await serve(judge.url, *options)
    assert await server.rewards(10, 1, size=3) == [(200, reward) for reward in first]
    last = {"group_ids": "g", "group_sizes": 3, "sample_indices": 2}
    assert await server.reward("quality 3", **last) == (200, late)
    counted = await server.metrics()
    assert counted["grm_partial_groups_total"] == 1
    assert counted['grm_filled_responses_total{number="late"}'] == 1
    server.process.line("group g.*only 2 of 3 responses came in time")
    server.process.line("group 'g': a response came too late")


async def test_a_caller_that_loses_patience_finds_its_answer_when_it_asks_again(
    serve: Serve, judge: JudgeServer
) -> None:
    server = await serve(judge.url, "--serving", "group_size=2")
    first = asyncio.create_task(server.reward("quality 10"))
    await server.until_metric("grm_collecting_groups", 1)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    await server.until_metric('grm_calls_total{path="/get_reward",status="499"}', 1)
    again = asyncio.create_task(server.reward("quality 10"))
    await server.until_metric("grm_repeated_responses_total", 1)
    assert await server.reward("quality 1") == (200, 0.0)
    assert await again == (200, 1.0)
    assert (await server.metrics())[SCORED] == 1


async def test_of_10000_single_calls_at_once_each_is_answered_and_counted(
    serve: Serve, judge: JudgeServer
) -> None:
    size, groups = 50, 200
    limits = ("--serving", "queue=150", "--serving", f"group_size={size}")
    server = await serve(judge.url, *limits, "--serving", "flush_s=3", "--set", "k=1")
    async with aiohttp.ClientSession(
        server.url, connector=aiohttp.TCPConnector(limit=1000), timeout=aiohttp.ClientTimeout(200)
    ) as session:

        async def call(n: int) -> tuple[int, float | None]:
            prompt = f"question {n // size}. "  # those of a group come together
            body = {
                "query": [f"{prompt}quality {n % 10 + 1}"],
                "prompts": [prompt],
                "labels": [None],
            }
            async with session.post("/get_reward", json=body) as answer:
                found = await answer.json()
                return answer.status, found["rewards"][0] if answer.status == 200 else None

        answers = await asyncio.gather(*(call(n) for n in range(size * groups)))
    statuses = Counter(code for code, _ in answers)
    assert statuses == {200: size * groups}
    counted = await server.metrics()
    assert counted['grm_calls_total{path="/get_reward",status="200"}'] == size * groups
    judged_right = sum(
        reward == pytest.approx(n % 10 / 9)
        for n, (code, reward) in enumerate(answers)
        if code == 200
    )
    assert judged_right == statuses[200]
    assert counted[UNSCORED] == counted["grm_groups_in_flight"] == counted["grm_queue_depth"] == 0


async def test_a_budget_that_is_spent_ends_the_calls_with_the_reason_and_counts_the_money(
    serve: Serve, judge: JudgeServer
) -> None:
    money = ("--set", "prices={prompt: 1000, output: 1000}", "--set", "budget.money=12")
    server = await serve(judge.url, *money, "--set", "max_tokens=100")
    (verdict,) = await server.score(row(9, 2))
    assert verdict["cost"]["money"] > 0
    while (answer := await server.post("/v1/score", {"groups": [row(9, 2)]}))[0] == 200:
        pass
    assert answer[0] == 503
    assert "budget.money: $" in answer[1]["error"]
    assert "of $12.00 is spent" in answer[1]["error"]
    assert "of $12.00 is spent" in await server.until("dead")
    server.process.line(r"no more calls are served: budget\.money")
    counted = await server.metrics()
    assert counted["grm_judge_dollars_total"] == pytest.approx(
        counted[SCORED] * verdict["cost"]["money"]
    )
    assert counted["grm_unpriced_samples_total"] == 0
