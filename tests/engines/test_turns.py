"""Local judges: a template's missing system turn, and its end of turn that ends nothing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from grm_plugin import GRM, Group
from grm_plugin.engine import SampleRequest, Sampling
from grm_plugin.errors import RefusedError
from grm_plugin.local.chat import ChatEncoder
from grm_plugin.local.turns import ChatTemplate
from grm_plugin.types import Message
from tests.engines.requests_to_judge import request_for
from tests.engines.test_transformers_engine import drawn
from tests.engines.test_transformers_engine import engine_for as transformers_for

ASKED = (Message("system", "You judge."), Message("user", "Which?"))
FOLDED = (Message("user", "You judge.\n\nWhich?"),)
REFUSES = (
    "{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}"
    "{% endif %}"
)
DROPS = "{% for m in messages if m.role != 'system' %}<user> {{ m.content }} {% endfor %}"
PLAIN = "{% for m in messages %}<{{ m.role }}> {{ m.content }} {% endfor %}"
TURNS = (
    "{% for m in messages %}<user> {{ m.content }}\n<turn>{{ '\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}<assistant> {% endif %}"
)


def tokenizer(template: str | None) -> Any:
    pytest.importorskip("torch")
    from tests.engines.tiny_models import tokenizer as made

    tiny = made()
    tiny.chat_template = template
    tiny.add_tokens(["<turn>"])
    return tiny


@pytest.mark.parametrize("template", [REFUSES + PLAIN, DROPS])
def test_a_template_without_a_system_turn_gets_its_text_in_the_users(
    template: str, caplog: pytest.LogCaptureFixture
) -> None:
    encoder = ChatEncoder(tokenizer(template), owner="engine 'x'")
    for _ in range(3):
        assert encoder.encode(ASKED) == encoder.encode(FOLDED)
    assert encoder.template.altered == {"system": "in the user turn"}
    told = "the chat template has no system turn; its text goes in front of the user's turn"
    assert [one.getMessage() for one in caplog.records] == [f"engine 'x': {told}"]


def test_a_template_with_a_system_turn_keeps_it() -> None:
    template = ChatTemplate(tokenizer(PLAIN))
    assert template.rendered(ASKED) == "<system> You judge. <user> Which? "
    assert template.altered == {}


def test_a_system_turn_goes_to_the_users_where_that_is_asked_for() -> None:
    template = ChatTemplate(tokenizer(PLAIN), "user")
    assert template.rendered(ASKED) == "<user> You judge.\n\nWhich? "
    assert template.altered == {"system": "in the user turn"}


def test_turns_that_a_template_refuses_are_our_error_that_says_what_to_do() -> None:
    said = "takes no turns of 'system, user': 'System role not supported'; set system: user, or"
    with pytest.raises(RefusedError, match=said):
        ChatTemplate(tokenizer(REFUSES + PLAIN), "turn").rendered(ASKED)
    with pytest.raises(RefusedError, match="takes no turns of 'tool'"):
        ChatTemplate(tokenizer("{{ raise_exception('no') }}")).rendered([Message("tool", "x")])


@pytest.mark.parametrize(
    ("template", "ends"),
    [
        (TURNS, ["<turn>"]),
        (PLAIN, []),
        ("{% for m in messages %}{{ m.content }}</s>{% endfor %}", ["</s>"]),
        ("{% for m in messages %}{{ m.content }} bye <turn>{% endfor %}", []),
        ("{{ raise_exception('no') }}", []),
        ("always the same", []),
        (None, []),
    ],
)
def test_what_stands_right_behind_an_answer_ends_it(template: str | None, ends: list[str]) -> None:
    assert list(ChatTemplate(tokenizer(template)).ends().values()) == ends


@pytest.fixture
def endless(judge_folder: Path, tmp_path: Path) -> Path:
    """The tiny judge, whose template ends a turn with ``bu``-like token that is no end token."""
    folder = tmp_path / "endless"
    shutil.copytree(judge_folder, folder)
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": [3]}))
    made = tokenizer("{% for m in messages %}<user> {{ m.content }} <assistant>{% endfor %}")
    made.save_pretrained(folder)
    return folder


async def test_the_end_of_a_turn_ends_an_answer_also_where_the_checkpoint_does_not_say_so(
    endless: Path,
) -> None:
    async with transformers_for(endless) as engine:
        draws = await drawn(engine, request_for(n=16, max_tokens=64))
        ends = engine._generator.ends if engine._generator else frozenset()
    assert ends == {3, 5}
    assert not any("<assistant>" in draw.text for draw in draws)
    assert {"stop"} <= {draw.finish_reason for draw in draws}


def test_what_is_altered_by_a_local_engine_is_in_the_origin(
    judge_folder: Path, tmp_path: Path
) -> None:
    folder, template = tmp_path / "judge", tmp_path / "judge.txt"
    shutil.copytree(judge_folder, folder)
    tokenizer(REFUSES + PLAIN).save_pretrained(folder)
    template.write_text("---\nsystem: ba be\n---\n{{conversation}}\n{{responses}}\n")
    engine = {"name": "transformers", "model": str(folder)}
    with GRM(engine=engine, template=str(template), k=1, max_tokens=2, find_culprits=0) as grm:
        verdict = grm.score(Group.of("ba", ["be", "bi"]))
    assert verdict.origin["altered"] == {"system": "in the user turn"}


async def test_a_judge_without_a_template_for_these_turns_is_refused_at_once(
    judge_folder: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "judge"
    shutil.copytree(judge_folder, folder)
    tokenizer(REFUSES + PLAIN).save_pretrained(folder)
    async with transformers_for(folder, system="turn") as engine:
        with pytest.raises(RefusedError, match="leave system out of the prompt template"):
            await engine.sample(SampleRequest(ASKED, 1, 0, Sampling(max_tokens=2)))
