from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm_plugin.engine import Draw, Limits
from grm_plugin.engines.server import ServerEngine
from grm_plugin.errors import ConfigError, TransportError
from grm_plugin.local.tokens import aligned
from grm_plugin.types import Token
from tests.engines.conftest import Serve
from tests.engines.judge_server import JudgeServer, choices_with
from tests.engines.requests_to_judge import request_for
from tests.engines.test_transformers_engine import drawn, engine_for

PIECES = st.lists(st.text("ab", min_size=1, max_size=3), min_size=1, max_size=8)


async def test_a_draw_tells_its_tokens_and_their_texts_are_the_text(judge_folder: Path) -> None:
    request = replace(request_for(n=8), logprobs=5)
    async with engine_for(judge_folder) as engine:
        draws = await drawn(engine, request)
    for draw in draws:
        assert "".join(token.text for token in draw.tokens) == draw.text
        for token in draw.tokens:
            assert 5 <= len(token.top) <= 6
            assert token.top[token.text] == token.logprob
            assert all(logprob <= 0 for logprob in token.top.values())


async def test_probabilities_are_the_models_own_at_temperature_1(judge_folder: Path) -> None:
    """Whatever was sampled with; checked against a plain forward pass, token by token."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    request = replace(request_for("ba be", temperature=0.3, top_p=0.5, max_tokens=9), logprobs=62)
    async with engine_for(judge_folder) as engine:
        (draw,) = await drawn(engine, request)
    model = AutoModelForCausalLM.from_pretrained(judge_folder)
    tokenizer = AutoTokenizer.from_pretrained(judge_folder)
    text = f"<user> ba be <assistant> {draw.text}"
    ids = tokenizer(text, return_tensors="pt").input_ids
    expected = model(ids).logits[0].detach().log_softmax(-1)
    start = ids.shape[1] - len(draw.tokens)
    for place, token in enumerate(draw.tokens, start):
        assert token.logprob == pytest.approx(float(expected[place - 1, ids[0, place]]), abs=1e-4)
        assert sum(map(math.exp, token.top.values())) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize(("logprobs", "passes"), [(0, 0), (2, 3)])
async def test_probabilities_cost_one_pass_a_text_and_nothing_when_nobody_asks(
    judge_folder: Path, logprobs: int, passes: int
) -> None:
    async with engine_for(judge_folder) as engine:
        assert engine._generator is not None
        whole: list[int] = []

        def hook(module: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            whole.extend([1] if kwargs.get("use_cache") is False else [])

        engine._generator.model.register_forward_pre_hook(hook, with_kwargs=True)
        draws = await drawn(engine, replace(request_for(n=3), logprobs=logprobs))
    assert len(whole) == passes
    assert [bool(draw.tokens) for draw in draws] == [logprobs > 0] * 3


def test_a_model_that_can_not_leave_out_the_prompt_tells_the_same(
    judge_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from transformers import AutoModelForCausalLM

    from grm_plugin.local.probabilities import likeliest

    model = AutoModelForCausalLM.from_pretrained(judge_folder)
    forward, seen = model.forward, []

    def plain(input_ids: Any, use_cache: bool) -> Any:
        seen.append(input_ids.shape[1])
        return forward(input_ids, use_cache=use_cache)

    prompt, output = [4, 7, 8, 5], [9, 10, 3]
    whole = likeliest(model, prompt, output, 2)
    monkeypatch.setattr(model, "forward", plain)
    for one, other in zip(likeliest(model, prompt, output, 2), whole, strict=True):
        assert one == pytest.approx(other, abs=1e-5)
    assert seen == [7]


async def test_asking_for_probabilities_changes_no_draw(judge_folder: Path) -> None:
    async with engine_for(judge_folder) as engine:
        plain = await drawn(engine, request_for(n=4))
        told = await drawn(engine, replace(request_for(n=4), logprobs=3))
    assert [draw.text for draw in plain] == [draw.text for draw in told]


async def test_tokens_end_where_a_stop_text_cut_the_text(judge_folder: Path) -> None:
    async with engine_for(judge_folder) as engine:
        (whole,) = await drawn(engine, request_for(seed=3))
        stop = whole.text.split()[2]
        (cut,) = await drawn(engine, replace(request_for(seed=3, stop=(stop,)), logprobs=1))
    assert "".join(token.text for token in cut.tokens) == cut.text
    assert len(cut.tokens) == 2 or cut.tokens[-1].text.isspace()


async def test_the_reference_judge_tells_its_tokens() -> None:
    from grm_plugin.reference.judge import ReferenceJudge

    engine: Any = ReferenceJudge()({}, Limits())
    await engine.start()
    try:
        text = "[Query]\nName some words\n[Response 1]\nsunrise\n[Judgment]\n"
        (draw,) = await drawn(engine, replace(request_for(text, max_tokens=300), logprobs=4))
    finally:
        await engine.close()
    assert "".join(token.text for token in draw.tokens) == draw.text
    assert len(draw.tokens) > 10


def test_the_bytes_of_one_character_are_told_with_the_last_of_its_tokens() -> None:
    from transformers import AutoTokenizer

    from grm_plugin.local.tokens import TokenReader
    from grm_plugin.reference.judge import MODEL

    tokenizer = AutoTokenizer.from_pretrained(MODEL)
    text = "ok, 猫 \u200d👍🏽é; bad"
    ids = tokenizer(text, add_special_tokens=False).input_ids
    tokens = TokenReader(tokenizer).tokens(ids, text, [{one: -1.0} for one in ids])
    assert "".join(token.text for token in tokens) == text
    assert "猫" in [token.text for token in tokens]


@given(PIECES, st.integers(0, 3), st.lists(st.text("ab", min_size=1), max_size=3))
def test_aligned_tokens_are_always_the_end_of_the_text(
    pieces: list[str], cut: int, behind: list[str]
) -> None:
    whole = "".join(pieces)
    text = whole[: max(1, len(whole) - cut)]
    tokens = aligned([Token(piece, -1.0) for piece in (*pieces, *behind)], text)
    assert "".join(token.text for token in tokens) == text


def test_only_the_tokens_of_the_answer_are_left_where_thinking_was_moved() -> None:
    written = [Token(text, -1.0) for text in ("\n", "hm", "</think>", "\n\n", "7", "</s>")]
    assert [token.text for token in aligned(written, "<think>hm</think>7")] == ["7"]


def _told(text: str) -> dict[str, Any]:
    top = [{"token": text, "logprob": -0.5}, {"token": "x", "logprob": -1.5}]
    return {"token": text, "logprob": -0.5, "bytes": list(text.encode()), "top_logprobs": top}


async def test_a_server_is_asked_for_probabilities_and_what_it_tells_is_kept(serve: Serve) -> None:
    content = {"content": [_told(text) for text in ("judg", "ment of seed 7", "</s>")]}
    server = serve(JudgeServer(choices_with(logprobs=content), choices_with()))
    engine = ServerEngine({"url": server.url}, Limits())
    await engine.start()
    try:
        (draw,) = await engine.sample(replace(request_for(), logprobs=2))
        await engine.sample(request_for())
    finally:
        await engine.close()
    assert isinstance(draw, Draw)
    assert draw.tokens[0] == Token("judg", -0.5, {"judg": -0.5, "x": -1.5})
    assert "".join(token.text for token in draw.tokens) == draw.text
    asked, not_asked = server.bodies
    assert (asked["logprobs"], asked["top_logprobs"]) == (True, 2)
    assert not {"logprobs", "top_logprobs"} & not_asked.keys()


async def test_a_server_that_leaves_probabilities_out_fails_the_draw_by_name(serve: Serve) -> None:
    server = serve(JudgeServer())
    engine = ServerEngine({"url": server.url}, Limits())
    await engine.start()
    try:
        (draw,) = await engine.sample(replace(request_for(), logprobs=2))
    finally:
        await engine.close()
    assert isinstance(draw, TransportError)
    assert "told none" in str(draw)


def test_probabilities_can_not_be_set_behind_the_contracts_back() -> None:
    with pytest.raises(ConfigError, match="extra_body must not set logprobs"):
        ServerEngine({"url": "http://x:1", "extra_body": {"logprobs": True}}, Limits())
