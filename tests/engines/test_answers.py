"""Every form in which servers answer is understood or named, and no number costs a sample."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st

from grm_plugin import GRM, Group
from grm_plugin.engine import Draw
from grm_plugin.engines.completions import read_draws
from grm_plugin.errors import EngineError, TransportError
from grm_plugin.hosts.counting import Tally
from grm_plugin.records import read_verdicts
from grm_plugin.records.line import to_line
from grm_plugin.remote.http import Answer
from grm_plugin.types import Reason, Verdict
from tests.engines.conftest import Serve
from tests.engines.judge_server import JudgeServer, choices_with, completion
from tests.engines.requests_to_judge import request_for

ANSWER = "Criteria, analysis. Scores: \\boxed{7, 3}"


def scored(serve: Serve, act: Any, **more: Any) -> Verdict:
    server = serve(JudgeServer(otherwise=act))
    engine = {"name": "server", "url": server.url}
    with GRM(engine=engine, **{"k": 2, "permutations": 1, "find_culprits": 0, **more}) as grm:
        return grm.score(Group.of("q", ["a", "b"]))


def answered(**message: Any) -> Any:
    return choices_with(message={"role": "assistant", **message})


@pytest.mark.parametrize(
    "message",
    [
        {"content": ANSWER},
        {"content": [{"type": "text", "text": ANSWER}]},
        {"content": [{"type": "text", "text": ANSWER[:9]}, {"text": ANSWER[9:]}]},
        {"content": [{"type": "output_text", "text": ANSWER}]},
        {"content": ANSWER, "reasoning_content": "\\boxed{1, 9}?"},
        {"content": ANSWER, "reasoning": "\\boxed{1, 9}?"},
        {"content": ANSWER, "reasoning": {"not": "text"}, "tool_calls": None, "refusal": None},
        {
            "content": [
                {"type": "thinking", "thinking": [{"type": "text", "text": "\\boxed{1, 9}?"}]},
                {"type": "text", "text": ANSWER},
            ]
        },
        {"content": [{"type": "reasoning", "text": "hm"}, {"type": "text", "text": ANSWER}]},
    ],
)
def test_an_answer_is_read_wherever_it_stands(serve: Serve, message: dict[str, Any]) -> None:
    assert scored(serve, answered(**message)).judgments[0].scores in ((7, 3), (3, 7))


@pytest.mark.parametrize(
    "word", ["stop", "STOP", "end_turn", "eos", "eos_token", "stop_sequence", None, ""]
)
def test_every_word_for_an_end_is_an_end(serve: Serve, word: str | None) -> None:
    message = {"content": ANSWER}
    assert scored(serve, choices_with(finish_reason=word, message=message)).scored


@pytest.mark.parametrize("word", ["length", "max_tokens", "MAX_TOKENS", "model_length"])
def test_every_word_for_a_cut_is_a_cut(serve: Serve, word: str) -> None:
    verdict = scored(serve, choices_with(finish_reason=word, message={"content": ANSWER}))
    assert verdict.failures_by_reason == {Reason.TRUNCATED: 2}


def test_a_server_that_names_no_end_is_believed_to_have_cut_at_the_limit(serve: Serve) -> None:
    async def full(server: JudgeServer, request: web.Request, body: dict[str, Any]) -> Any:
        told = completion(body, finish_reason=None, message={"content": ANSWER})
        return web.json_response(told | {"usage": {"completion_tokens": body["max_tokens"]}})

    assert scored(serve, full, k=1).failures_by_reason == {Reason.TRUNCATED: 1}


@pytest.mark.parametrize(
    ("changes", "reason", "told"),
    [
        ({"message": {"content": None, "reasoning_content": ANSWER}}, "only_thinking", "parser"),
        ({"message": {"content": "", "reasoning": ANSWER}}, "only_thinking", "max_tokens"),
        ({"message": {"content": "<think>never closed"}}, "only_thinking", "think less"),
        ({"message": {"content": None, "refusal": "I will not."}}, "declined", "I will not."),
        (
            {"message": {"content": [{"type": "refusal", "refusal": "No."}]}},
            "declined",
            "No.",
        ),
        ({"finish_reason": "content_filter"}, "declined", "the provider's filter ended"),
        ({"finish_reason": "SAFETY"}, "declined", "the provider's filter ended"),
        ({"finish_reason": "refusal"}, "declined", "would not judge this: 'judgment of"),
        ({"finish_reason": "tool_calls"}, "unreadable", "called a tool in place of an answer"),
        (
            {"message": {"content": None, "tool_calls": [{"function": {"name": "f"}}]}},
            "unreadable",
            "called a tool",
        ),
        ({"message": {"content": None}}, "unreadable", "got an empty text"),
        ({"finish_reason": "insufficient_system_resource"}, "transport", "system_resource"),
        ({"finish_reason": "error", "error": {"message": "upstream"}}, "transport", "upstream"),
        ({"message": {"content": [{"type": "image_url"}]}}, "transport", "image_url"),
        ({"message": None}, "transport", "expected a choice of a chat completion"),
        ({"message": {"content": 7}}, "transport", "expected a choice of a chat completion"),
    ],
)
def test_what_is_no_answer_has_a_reason_of_its_own(
    serve: Serve, changes: dict[str, Any], reason: str, told: str
) -> None:
    verdict = scored(serve, choices_with(**changes))
    assert verdict.failures_by_reason == {Reason(reason): 2}
    assert told in verdict.unscored


def test_what_was_paid_for_an_answer_that_is_none_is_counted(serve: Serve) -> None:
    verdict = scored(serve, choices_with(finish_reason="content_filter"))
    assert verdict.cost.output_tokens == 11


@pytest.mark.parametrize("places", [(None, None, None), (0, 0, 0), (1, 1, 2), ("a", "b", "c")])
def test_places_that_are_missing_or_double_are_those_in_the_list(places: tuple[Any, ...]) -> None:
    choices = [choice(text, index=at) for text, at in zip("abc", places, strict=True)]
    assert texts({"choices": choices}, n=3) == ["a", "b", "c"]


def test_places_that_are_there_once_each_are_kept() -> None:
    choices = [choice(text, index=at) for text, at in zip("cab", (2, 0, 1), strict=True)]
    assert texts({"choices": choices}, n=3) == ["a", "b", "c"]


def choice(text: str = ANSWER, **more: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": text}
    return {"index": 0, "finish_reason": "stop", "message": message, **more}


def texts(value: Any, n: int = 1) -> list[str]:
    draws = read_draws(Answer(value, 1.0), request_for(n=n))
    return [draw.text for draw in draws if isinstance(draw, Draw)]


NUMBERS = ["1e999", "-3", "-1e999", "9" * 400, "9" * 5000, '"many"', "null", "[]", "NaN", "0.5"]


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("name", ["prompt_tokens", "completion_tokens", "total_tokens"])
def test_no_number_of_tokens_costs_a_sample_or_stops_the_counting(
    serve: Serve, tmp_path: Path, name: str, number: str
) -> None:
    async def act(server: JudgeServer, request: web.Request, body: dict[str, Any]) -> Any:
        told = completion(body, message={"content": ANSWER}) | {"usage": {name: "NUMBER"}}
        return web.Response(text=json.dumps(told).replace('"NUMBER"', number))

    path = tmp_path / "verdicts.jsonl"
    verdict = scored(serve, act, record=path)
    tally = Tally()
    tally.add(verdict)
    assert len(verdict.judgments) == 2
    assert verdict.cost.prompt_tokens >= 0 and verdict.cost.output_tokens >= 0
    assert [one.rewards for one in read_verdicts(path)] == [verdict.rewards]


@pytest.mark.parametrize("usage", ["many", 7, [1], None, {"prompt_tokens": {"a": {}}}])
def test_a_usage_of_any_kind_costs_no_sample(usage: object) -> None:
    assert texts({"choices": [choice()], "usage": usage}) == [ANSWER]


@pytest.mark.parametrize("told", ["many", 7, {"content": [{"logprob": "x"}]}, {"content": 3}])
def test_probabilities_that_nobody_asked_for_cost_no_sample(told: object) -> None:
    assert texts({"choices": [choice(logprobs=told)]}) == [ANSWER]


WHOLE = {
    "id": "x",
    "choices": [
        {
            "index": 0,
            "finish_reason": "stop",
            "message": {
                "role": "assistant",
                "content": [{"type": "text", "text": ANSWER}],
                "reasoning_content": "hm",
                "reasoning": "hm",
                "refusal": None,
                "tool_calls": [{"function": {"name": "f"}}],
            },
            "logprobs": {
                "content": [
                    {
                        "token": ANSWER,
                        "logprob": -1.0,
                        "top_logprobs": [{"token": ANSWER, "logprob": -1.0}],
                    }
                ]
            },
            "error": None,
        }
    ],
    "usage": {"prompt_tokens": 3, "completion_tokens": 5, "details": {"cached": 1}},
}


def _paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    inner = value if isinstance(value, dict) else range(len(value) if type(value) is list else 0)
    for key in inner:
        yield from _paths(value[key], (*path, key))


def _with(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = _with(value[path[0]], path[1:], new)
    return copy


PATHS = list(_paths(WHOLE))
USAGE = [path for path in PATHS if path[:1] == ("usage",)]
HALF = st.just("half a character: \ud800")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | HALF,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.sampled_from(PATHS), JSON, st.sampled_from([0, 5]))
def test_any_value_in_any_field_gives_draws_or_engine_errors(
    path: tuple[Any, ...], value: Any, logprobs: int
) -> None:
    request = replace(request_for(n=2), logprobs=logprobs)
    try:
        draws = read_draws(Answer(_with(WHOLE, path, value), 1.0), request)
    except TransportError:
        return
    assert 1 <= len(draws) <= 2
    for draw in draws:
        assert isinstance(draw, Draw | EngineError)
        if isinstance(draw, Draw):
            assert isinstance(draw.text, str) and draw.finish_reason.islower()
            assert all(isinstance(one, int) for one in (draw.prompt_tokens, draw.output_tokens))


@given(st.sampled_from(USAGE), JSON)
def test_no_value_in_the_usage_costs_a_draw(path: tuple[Any, ...], value: Any) -> None:
    (draw,) = read_draws(Answer(_with(WHOLE, path, value), 1.0), request_for())
    assert isinstance(draw, Draw)
    assert draw.prompt_tokens >= 0 and draw.output_tokens >= 0


@pytest.fixture(scope="module")
def any_answer() -> Iterator[tuple[JudgeServer, GRM]]:
    """A judge that sends whatever ``body`` holds, as one running session asks it."""

    async def act(server: JudgeServer, request: web.Request, body: dict[str, Any]) -> Any:
        return web.Response(body=server.body, content_type="application/json")  # type: ignore[attr-defined]

    with JudgeServer(otherwise=act).running() as server:
        engine = {"name": "server", "url": server.url}
        with GRM(engine=engine, k=1, find_culprits=0, tries=1, dead_groups=1000) as grm:
            yield server, grm


def test_whatever_a_judge_sends_a_group_has_a_verdict_that_can_be_recorded(
    any_answer: tuple[JudgeServer, GRM], tmp_path_factory: pytest.TempPathFactory
) -> None:
    server, grm = any_answer
    path = tmp_path_factory.mktemp("fuzz") / "verdicts.jsonl"
    asked = 0

    @given(st.sampled_from(PATHS[1:]), JSON)
    @settings(max_examples=60, deadline=None)
    def ask(place: tuple[Any, ...], value: Any) -> None:
        nonlocal asked
        asked += 1
        server.body = json.dumps(_with(WHOLE, place, value)).encode()  # type: ignore[attr-defined]
        verdict = grm.score(Group.of(f"question {asked}", ["a", "b"]))
        with path.open("ab") as lines:
            lines.write(to_line(verdict))

    ask()
    assert len(list(read_verdicts(path))) == asked
