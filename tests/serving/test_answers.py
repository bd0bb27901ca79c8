"""What the two protocols answer, and what they refuse."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from grm_plugin.records import from_record
from grm_plugin.serving.protocols.groups import ScoreAnswer, ScoreCall
from tests.engines.judge_server import JudgeServer, status
from tests.serving.conftest import Serve, Server, row


async def test_score_gives_a_whole_verdict_for_every_group_in_their_order(shared: Server) -> None:
    answer = await shared.post("/v1/score", {"groups": [row(10, 1, id="a"), row(1, 10, id="b")]})
    first, second = (from_record(record) for record in answer[1]["verdicts"])
    assert (first.group.id, first.rewards) == ("a", (1.0, 0.0))
    assert (second.group.id, second.rewards) == ("b", (0.0, 1.0))
    assert len(first.judgments) == 2
    assert all("boxed" in judgment.text for judgment in first.judgments)
    assert ScoreAnswer.model_validate_json(json.dumps(answer[1]))


async def test_a_call_can_ask_for_another_number_of_samples(shared: Server) -> None:
    status, answer = await shared.post("/v1/score", {"groups": [row(10, 1)], "size": {"k": 5}})
    (verdict,) = answer["verdicts"]
    assert (status, len(verdict["judgments"]), verdict["origin"]["k"]) == (200, 5, 5)


@pytest.mark.parametrize(
    ("size", "status", "telling"),
    [
        ({"k": 65}, 413, "size.k: expected at most 64 samples, got 65"),
        ({"k": 4, "k_meta": 2}, 422, "size: k_meta: expected none with select: all, got 2"),
        ({"k": 0}, 422, "size.k: expected at least 1, got '0'"),
    ],
)
async def test_a_size_that_can_not_be_is_refused(
    shared: Server, size: dict[str, int], status: int, telling: str
) -> None:
    answered = await shared.post("/v1/score", {"groups": [row(10)], "size": size})
    assert answered[0] == status
    assert telling in answered[1]["error"]


async def test_a_verdict_has_the_fields_that_the_schema_promises(shared: Server) -> None:
    (verdict,) = await shared.score(row(10))
    async with shared.session.get("/openapi.json") as answer:
        schemas = (await answer.json())["components"]["schemas"]
    assert verdict.keys() == schemas["Line"]["properties"].keys()
    for example in schemas["ScoreCall"]["examples"]:
        assert ScoreCall.model_validate(example)


async def test_a_group_that_can_not_be_judged_is_unscored_and_the_others_are_not(
    shared: Server,
) -> None:
    over_context = {"prompt": "word " * 5000, "responses": ["quality 5"]}
    refused, scored = await shared.score(over_context, row(10))
    assert refused["rewards"] is None
    assert "refused: " in refused["unscored"]
    assert scored["rewards"] == [1.0]


async def test_single_calls_with_an_id_are_judged_together_and_each_gets_its_own_reward(
    shared: Server,
) -> None:
    assert await shared.rewards(1, 10, 7) == [(200, 0.0), (200, 1.0), (200, pytest.approx(6 / 9))]


async def test_the_same_names_are_logged_for_every_sample(shared: Server) -> None:
    asked = {"query": ["qquality 1", "qquality 10"], "prompts": ["q", "q"], "labels": [None, None]}
    _, answer = await shared.post("/get_reward", asked)
    assert answer["rewards"] == answer["scores"] == [0.0, 1.0]
    assert answer["extra_logs"]["grm/unscored_rate"] == [0.0, 0.0]
    assert answer["extra_logs"]["grm/k"] == [2.0, 2.0]
    assert all(len(numbers) == 2 for numbers in answer["extra_logs"].values())


async def test_an_empty_batch_is_answered_with_empty_lists(shared: Server) -> None:
    status, answer = await shared.post("/get_reward", {"query": [], "prompts": [], "labels": []})
    assert (status, answer["rewards"], answer["scores"]) == (200, [], [])


async def test_a_sample_sent_again_gets_the_same_answer_and_is_not_judged_again(
    shared: Server,
) -> None:
    first = await shared.rewards(3, 9, group="again")
    before = await shared.metrics()
    assert await shared.rewards(3, 9, group="again") == first
    after = await shared.metrics()
    assert all(after[name] == before[name] for name in after if name.startswith("grm_groups_total"))
    assert after["grm_repeated_responses_total"] == before["grm_repeated_responses_total"] + 2


async def test_an_id_can_not_forge_a_line_of_the_log(serve: Serve) -> None:
    with JudgeServer(otherwise=status(500)).running() as judge:
        server = await serve(judge.url, "--set", "tries=1")
        await server.score(row(10, id="a\nERROR forged"))
        server.process.line(r"group 'a\\nERROR forged' has no reward")


async def test_samples_that_come_alone_and_without_ids_are_told_of_once(
    serve: Serve, judge: JudgeServer
) -> None:
    server = await serve(judge.url)
    for _ in range(2):
        assert await server.reward("quality 10") == (200, 1.0)
    server.process.line("so each is judged alone.*--serving group_size=N")
    assert sum("judged alone" in line for line in server.process.lines) == 1


async def test_without_extra_logs_an_answer_has_none(serve: Serve, judge: JudgeServer) -> None:
    server = await serve(judge.url, "--serving", "extra_logs=false")
    asked = {"query": ["qquality 10"], "prompts": ["q"], "labels": [None]}
    assert await server.post("/get_reward", asked) == (200, {"rewards": [1.0], "scores": [1.0]})


@pytest.mark.parametrize(
    ("body", "status", "telling"),
    [
        (b"{", 422, "json"),
        (b"[" * 100_000, 422, "too many levels"),
        (b'{"groups": [], "groups": []}', 422, "key 'groups' is there twice"),
        (b'{"groups": [' + b"9" * 5000 + b"]}", 422, "expected a json object, got"),
        (b'{"groups": [{"prompt": "q", "responses": ["a"], "x": 1e999}]}', 422, "'1e999' is more"),
        (b'{"groups": "\xff"}', 422, "expected utf-8, got b'\\xff'"),
        (b'{"groups": []}', 422, "groups: list should have at least 1 item"),
        (b'{"groups": [{"prompt": "q"}]}', 422, "groups.0: expected a key 'responses'"),
        (json.dumps({"groups": [row(*[1] * 65)]}).encode(), 413, "at most 64 responses"),
        (json.dumps({"groups": [row(1)] * 257}).encode(), 413, "at most 256 groups in a call"),
        (
            json.dumps({"groups": [{"prompt": "q" * 10**6, "responses": ["a"]}]}).encode(),
            413,
            "at most 1000000 characters in a group, got 1000001",
        ),
    ],
    ids=[
        "cut",
        "deep",
        "twice",
        "digits",
        "infinite",
        "bytes",
        "none",
        "no responses",
        "wide",
        "many",
        "long",
    ],
)
async def test_a_body_that_makes_no_sense_is_refused_with_a_sentence(
    shared: Server, body: bytes, status: int, telling: str
) -> None:
    headers = {"Content-Type": "application/json"}
    async with shared.session.post("/v1/score", data=body, headers=headers) as answer:
        assert answer.status == status
        assert telling in (await answer.json())["error"].lower()


async def test_a_query_without_its_prompt_is_refused(shared: Server) -> None:
    asked = {"query": ["something"], "prompts": ["else"], "labels": [None]}
    status, answer = await shared.post("/get_reward", asked)
    assert (status, "begins with its prompt" in answer["error"]) == (422, True)


async def test_contradicting_calls_of_one_group_are_refused(shared: Server) -> None:
    first = asyncio.create_task(shared.rewards(3, group="c", size=2))
    await shared.until_metric("grm_collecting_groups", 1)
    status, said = await shared.reward("quality 4", group_ids="c", group_sizes=3)
    assert (status, "expected size 2" in said) == (409, True)
    other = await shared.reward("quality 4", group_ids="c", group_sizes=2, sample_indices=1)
    assert [*await first, other] == [(200, pytest.approx(2 / 9)), (200, pytest.approx(3 / 9))]


async def test_half_a_surrogate_pair_is_a_character_like_others(shared: Server) -> None:
    assert await shared.reward("quality 10 \ud800") == (200, 1.0)


async def huge() -> Any:
    for _ in range(100):
        yield b" " * 1_000_000


@pytest.mark.parametrize("body", ["told", "chunked"])
async def test_a_body_of_100_mb_is_refused_and_not_kept(shared: Server, body: str) -> None:
    before = peak_memory_mb(shared)
    data = b" " * 100_000_000 if body == "told" else huge()
    async with shared.session.post("/v1/score", data=data) as answer:
        assert answer.status == 413
        assert "at most 8000000 bytes" in (await answer.json())["error"]
    assert peak_memory_mb(shared) - before < 40


def peak_memory_mb(server: Server) -> float:
    with open(f"/proc/{server.process.child.pid}/status") as lines:
        (peak,) = [line.split()[1] for line in lines if line.startswith("VmHWM")]
    return int(peak) / 1000


async def test_groups_with_enough_samples_before_k_are_counted(
    serve: Serve, judge: JudgeServer
) -> None:
    server = await serve(judge.url, "--set", "k=8", "--set", "stop.name=ranking")
    clear, alone = await server.score(row(10, 1), row(10))
    assert [len(one["judgments"]) for one in (clear, alone)] == [4, 8]
    counted = await server.metrics()
    assert (counted["grm_early_groups_total"], counted["grm_k"]) == (1, 8)
    assert counted['grm_samples_total{outcome="valid"}'] == 12
