from __future__ import annotations

import asyncio
import os
import threading
from collections import deque
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from grm_plugin.errors import InputError
from grm_plugin.records import read_verdicts
from grm_plugin.testing import ScriptedEngine
from tests.adapters.openrlhf.conftest import MakeActor, RolloutEngine, shown


def rewards(outputs: list[dict[str, Any]]) -> list[float]:
    return [output["reward"] for output in outputs]


async def test_the_samples_of_a_prompt_are_judged_in_one_group(
    actor: MakeActor, by_length: ScriptedEngine
) -> None:
    found = await actor(by_length, k=1).generate_responses("q", ["a", "a b", "a b c"])
    assert [sorted(shown(request)) for request in by_length.requests] == [["a", "a b", "a b c"]]
    assert rewards(found) == pytest.approx([0, 1 / 9, 2 / 9])
    assert [output["scores"] for output in found] == rewards(found)


async def test_equal_prompts_in_flight_at_once_stay_two_groups(
    actor: MakeActor, by_length: ScriptedEngine
) -> None:
    one = actor(by_length, k=1)
    found = await asyncio.gather(
        one.generate_responses("q", ["a", "a b"]), one.generate_responses("q", ["a b c", "a"])
    )
    assert sorted(sorted(shown(request)) for request in by_length.requests) == [
        ["a", "a b"],
        ["a", "a b c"],
    ]
    assert [rewards(group) for group in found] == [
        pytest.approx([0, 1 / 9]),
        pytest.approx([2 / 9, 0]),
    ]


async def test_one_object_of_sampling_parameters_may_serve_several_prompts(
    actor: MakeActor, by_length: ScriptedEngine
) -> None:
    sampling = SimpleNamespace(temperature=1.0, max_tokens=64, logprobs=None)
    one = actor(by_length, k=1)
    await asyncio.gather(
        one.generate_responses("p", ["a", "a b"], sampling=sampling),
        one.generate_responses("q", ["a b c"], sampling=sampling),
    )
    assert sorted(len(shown(request)) for request in by_length.requests) == [1, 2]


@pytest.mark.parametrize("count", [1, 2, 7])
async def test_a_group_has_as_many_samples_as_the_host_started(
    actor: MakeActor, by_length: ScriptedEngine, count: int
) -> None:
    texts = [" ".join("a" * (n + 1)) for n in range(count)]
    found = await actor(by_length, k=1).generate_responses("q", texts)
    assert [len(shown(request)) for request in by_length.requests] == [count]
    assert len(found) == count


async def test_evaluation_with_another_sample_count_is_judged_beside_training(
    actor: MakeActor, by_length: ScriptedEngine
) -> None:
    one = actor(by_length, k=1)
    train, test = await asyncio.gather(
        one.generate_responses("q", ["a", "b"]),
        one.generate_responses("q", ["a", "b", "c"], temperature=0.6),
    )
    assert (len(train), len(test)) == (2, 3)


async def test_equal_responses_are_judged_once_and_rewarded_equally(
    actor: MakeActor, by_length: ScriptedEngine
) -> None:
    found = await actor(by_length, k=1).generate_responses("q", ["a b", "a", "a b"])
    assert sorted(shown(by_length.requests[0])) == ["a", "a b"]
    assert rewards(found)[0] == rewards(found)[2] > rewards(found)[1]


async def test_other_prompts_are_rolled_out_while_a_group_is_judged(actor: MakeActor) -> None:
    loop, judging, rolled_out = asyncio.get_running_loop(), asyncio.Event(), threading.Event()

    def waits(request: Any, i: int) -> str:
        loop.call_soon_threadsafe(judging.set)
        assert rolled_out.wait(20), "the judge held up the rollouts"
        return "\\boxed{5}"

    one = actor(waits, k=1)
    first = asyncio.create_task(one.generate_responses("p", ["a"]))
    await judging.wait()
    engine = RolloutEngine(one.tokenizer, deque(["b"]), when_used=rolled_out.set)
    engine.opened.set()
    await asyncio.gather(first, one.generate_responses("q", ["b"], engine=engine))


async def test_a_failed_sample_ends_the_wait_of_its_siblings(
    actor: MakeActor, by_length: ScriptedEngine
) -> None:
    broken = ValueError("no tokens left")
    async with asyncio.timeout(5):
        with pytest.raises(ValueError, match="no tokens left"):
            await actor(by_length).generate_responses("q", ["a", broken, "b"])
    assert by_length.requests == []


async def test_a_failed_group_leaves_other_groups_alone(
    actor: MakeActor, by_length: ScriptedEngine
) -> None:
    one = actor(by_length, k=1)
    failed, fine = await asyncio.gather(
        one.generate_responses("q", ["a", ValueError("gone")]),
        one.generate_responses("q", ["a", "a b"]),
        return_exceptions=True,
    )
    assert isinstance(failed, ValueError)
    assert rewards(fine) == pytest.approx([0, 1 / 9])


async def test_special_tokens_and_the_prompt_are_not_shown_to_the_judge(
    actor: MakeActor, by_length: ScriptedEngine, tokenizer: Any
) -> None:
    await actor(by_length, k=1).generate_responses("tell me a fact", ["a fact"])
    (text,) = shown(by_length.requests[0])
    assert text == "a fact"


async def test_the_raw_messages_are_the_conversation_and_nobody_else_sees_them(
    actor: MakeActor, by_length: ScriptedEngine
) -> None:
    messages = [{"role": "system", "content": "be brief"}, {"role": "user", "content": "why?"}]
    one = actor(by_length, k=1, run={"label": "conversation", "own_label": True})
    found = await one.generate_responses("<chat>why?</chat>", ["a"], label=messages)
    prompt = by_length.requests[0].messages[-1].content
    assert "be brief" in prompt
    assert "<chat>" not in prompt
    assert found[0]["label"] == ""


async def test_without_raw_messages_the_judge_sees_the_policys_prompt(
    actor: MakeActor, by_length: ScriptedEngine
) -> None:
    found = await actor(by_length, k=1).generate_responses("<chat>why?</chat>", ["a"], label="42")
    prompt = by_length.requests[0].messages[-1].content
    assert "<chat>why?</chat>" in prompt
    assert "42" not in prompt
    assert found[0]["label"] == "42"


async def test_a_label_that_is_no_conversation_is_an_error_that_shows_it(
    actor: MakeActor, by_length: ScriptedEngine
) -> None:
    one = actor(by_length, run={"label": "conversation"})
    with pytest.raises(InputError, match=r"label\.0: expected a message .* got '7'"):
        await one.generate_responses("q", ["a", "b"], label=[7])


async def test_a_reference_label_reaches_the_judge(
    actor: MakeActor, by_length: ScriptedEngine
) -> None:
    one = actor(by_length, k=1, run={"label": "reference"})
    await one.generate_responses("q", ["a"], label=42)
    assert "42" in by_length.requests[0].messages[-1].content


@pytest.mark.parametrize(("thinking", "seen"), [("drop", "c"), ("keep", "a b (quoted: think) c")])
async def test_thinking_is_dropped_unless_it_is_wanted(
    actor: MakeActor, by_length: ScriptedEngine, thinking: str, seen: str
) -> None:
    one = actor(by_length, k=1, adapters={"openrlhf": {"thinking": thinking}})
    await one.generate_responses("q <think>", ["a b </think> c"])
    assert shown(by_length.requests[0]) == [seen]


async def test_of_an_agent_with_several_turns_the_last_action_is_judged(
    actor: MakeActor, by_length: ScriptedEngine, tokenizer: Any
) -> None:
    async def two_turns(**call: Any) -> dict[str, Any]:
        parts = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in ["a", "b", "c"]]
        tokens = [token for part in parts for token in part]
        one, two, three = (len(part) for part in parts)
        ranges = [(0, one), (one + two, one + two + three)]
        own = {"turns": 2.0}
        return {"observation_tokens": tokens, "action_ranges": ranges, "extra_logs": own}

    found = await actor(by_length, k=1, roll_out=two_turns).generate_responses("q", ["-"])
    assert shown(by_length.requests[0]) == ["c"]
    assert found[0]["extra_logs"]["turns"] == 2.0
    assert found[0]["extra_logs"]["grm/k"] == 1.0


async def test_a_rollout_without_any_action_is_an_empty_response(
    actor: MakeActor, by_length: ScriptedEngine
) -> None:
    async def no_room(**call: Any) -> dict[str, Any]:
        return {"observation_tokens": [1], "action_ranges": [], "extra_logs": {}}

    await actor(by_length, k=1, roll_out=no_room).generate_responses("q", ["-"])
    assert shown(by_length.requests[0]) == ["(this response is empty)"]


async def test_every_actor_writes_a_record_of_its_own(actor: MakeActor, tmp_path: Path) -> None:
    await actor(["\\boxed{5}"], record=tmp_path / "seen").generate_responses("q", ["a"])
    (path,) = tmp_path.glob("*")  # noqa: ASYNC240
    (verdict,) = read_verdicts(path)
    assert path.name == f"seen.process-{os.getpid()}"
    assert verdict.group.metadata == {"step": 0, "phase": "train"}
