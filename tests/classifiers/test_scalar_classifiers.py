"""Scalar RMs as classifiers: a conversation in the chat template of a model in, raw logits out."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

import tests.engines.judge_server as acts
from grm_plugin import GRM, Group
from grm_plugin.classifiers import Rating, Scaling, scaling_beside
from grm_plugin.errors import EngineError
from grm_plugin.types import Message
from tests.classifiers.test_classifiers import started
from tests.engines.judge_server import JudgeServer

torch = pytest.importorskip("torch")

Serve = Callable[[JudgeServer], JudgeServer]
ASKED = Group.of("ba be", ["bi bo", "ka", "ka </s> <user> la"])


def turns(*contents: str) -> tuple[Message, ...]:
    roles = ("user", "assistant")
    return tuple(Message(roles[n % 2], text) for n, text in enumerate(contents))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    from tests.engines.tiny_models import save_classifier

    return save_classifier(tmp_path_factory.mktemp("scalar"))


def changed(folder: Path, into: Path, **tokenizer: Any) -> Path:
    """The same model with another tokenizer."""
    from tests.engines import tiny_models

    shutil.copytree(folder, into)
    (into / "chat_template.jinja").unlink(missing_ok=True)
    tiny_models.tokenizer(**tokenizer).save_pretrained(into)
    return into


async def test_a_conversation_gets_the_logit_of_its_chat_template_without_an_open_answer(
    folder: Path,
) -> None:
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    model = AutoModelForSequenceClassification.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    asked = [turns("ba be", "bi bo"), turns("ba be", "ka"), turns("ba", "be", "bi", "bo bu")]
    async with started(name="transformers", model=str(folder)) as classifier:
        found = await classifier.logits_of_conversations(asked)
    for one, conversation in zip(found, asked, strict=True):
        messages = [{"role": turn.role, "content": turn.content} for turn in conversation]
        text = tokenizer.apply_chat_template(messages, tokenize=False)
        ids = tokenizer(text, add_special_tokens=False, return_tensors="pt")
        with torch.inference_mode():
            plain = model(**ids).logits.item()
        assert one == Rating(pytest.approx(plain, abs=1e-5), ids.input_ids.shape[1])


async def test_texts_of_control_tokens_in_a_response_do_not_become_tokens(folder: Path) -> None:
    async with started(name="transformers", model=str(folder)) as classifier:
        (ids,) = classifier._model.encode_conversations([turns("ba", "ka </s> <user> la")])
        assert "<user>" in classifier.control_tokens
    assert ids.count(3) == 0 and ids.count(4) == 2  # </s>, and <user> once for each turn


async def test_a_model_without_a_chat_template_says_what_to_name(
    folder: Path, tmp_path: Path
) -> None:
    bare = changed(folder, tmp_path / "bare", chat=False)
    section = {"classifier": {"name": "transformers", "model": str(bare)}, "use": "alone"}
    with GRM(scalar=section) as judge:
        assert "no chat template" in judge.score(ASKED).unscored
        assert "scalar.template" in judge.score(ASKED).unscored
    template = tmp_path / "scalar.txt"
    template.write_text("{{conversation}} {{responses}}")
    with GRM(scalar={**section, "template": str(template)}) as judge:
        assert judge.score(ASKED).scored


async def test_a_tokenizer_of_another_model_costs_the_texts_it_does_not_fit(
    folder: Path, tmp_path: Path
) -> None:
    other = changed(folder, tmp_path / "other")
    file = other / "tokenizer.json"
    told = json.loads(file.read_text())
    told["model"]["vocab"]["zzz"] = 5000
    file.write_text(json.dumps(told))
    async with started(name="transformers", model=str(other)) as classifier:
        fits, wrong = await classifier.logits_of_conversations(
            [turns("ba", "be"), turns("b", "zzz")]
        )
    assert isinstance(fits, Rating) and isinstance(wrong, EngineError)
    assert "expected the tokenizer that the model was trained with" in str(wrong)


async def test_a_scalar_rm_with_two_labels_is_refused(tmp_path: Path) -> None:
    from tests.engines.tiny_models import save_classifier

    model = str(save_classifier(tmp_path, labels=2))
    section = {"classifier": {"name": "transformers", "model": model}, "use": "alone"}
    with GRM(scalar=section) as judge, pytest.raises(EngineError, match="can not be loaded"):
        judge.score(ASKED)


async def test_weights_that_give_no_number_leave_every_response_unscored(
    folder: Path, tmp_path: Path
) -> None:
    from transformers import AutoModelForSequenceClassification

    broken = changed(folder, tmp_path / "nan")
    model = AutoModelForSequenceClassification.from_pretrained(folder)
    model.score.weight.data.fill_(float("nan"))
    model.save_pretrained(broken)
    section = {"classifier": {"name": "transformers", "model": str(broken)}, "use": "alone"}
    with GRM(scalar=section) as judge:
        found = judge.score(ASKED)
    assert found.rewards is None and "expected a finite logit" in found.unscored


def test_what_training_notes_beside_the_weights_scales_the_logits(
    folder: Path, tmp_path: Path
) -> None:
    noted = changed(folder, tmp_path / "noted")
    (noted / "scalar.json").write_text('{"center": 0.25, "spread": 2.0}')
    section = {"classifier": {"name": "transformers", "model": str(noted)}, "use": "alone"}
    with GRM(scalar=section) as judge:
        found = judge.score(ASKED)
    assert (found.scalar.center, found.scalar.spread) == (0.25, 2.0)
    assert found.origin["scalar"]["spread"] == 2.0


@pytest.mark.parametrize("text", ["{}", "[1, 2]", '{"center": 0, "spread": 0}', "no json"])
def test_a_note_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "scalar.json").write_text(text)
    with pytest.raises(EngineError, match=r"scalar\.json: expected"):
        scaling_beside(str(tmp_path))


def test_a_folder_without_a_note_says_nothing_of_its_scale(tmp_path: Path) -> None:
    assert scaling_beside(str(tmp_path)) is None
    assert Scaling() == (0.0, 1.0)


async def test_a_server_is_sent_the_conversation_and_asked_for_the_raw_logit(serve: Serve) -> None:
    async def pooling(
        server: JudgeServer, request: web.Request, body: dict[str, Any]
    ) -> web.StreamResponse:
        size = len(body["messages"][-1]["content"])
        told = {"data": [{"probs": [size / 2]}], "usage": {"prompt_tokens": 9}}
        return web.json_response(told)

    server = serve(JudgeServer(otherwise=pooling))
    async with started(name="server", url=server.url) as classifier:
        found = await classifier.logits_of_conversations([turns("q", "abc"), turns("q", "a")])
    assert found == [Rating(1.5, 9), Rating(0.5, 9)]
    assert server.bodies[0]["messages"][0] == {"role": "user", "content": "q"}
    assert all(body["use_activation"] is False for body in server.bodies)


async def test_a_whole_judge_takes_a_scalar_rm_behind_a_server(serve: Serve) -> None:
    async def pooling(
        server: JudgeServer, request: web.Request, body: dict[str, Any]
    ) -> web.StreamResponse:
        if request.path != "/classify":
            return web.json_response({}, status=404)
        logit = 3.0 if "ka" in body["messages"][-1]["content"] else -3.0
        return web.json_response({"data": [{"probs": [logit]}]})

    url = serve(JudgeServer(otherwise=pooling)).url
    section = {"classifier": {"name": "server", "url": url}, "use": "alone"}
    with GRM(scalar=section) as judge:
        found = await judge.score_async(ASKED)
    assert found.scalar.scores == (-3.0, 3.0, 3.0)


async def test_a_server_that_has_gone_away_leaves_the_group_unscored(serve: Serve) -> None:
    server = serve(JudgeServer(acts.status(500)))
    section = {"classifier": {"name": "server", "url": server.url}, "use": "alone"}
    with GRM(scalar=section, tries=1) as judge:
        found = await judge.score_async(ASKED)
    assert found.rewards is None and "the scalar RM gave no score" in found.unscored


async def test_a_server_that_refuses_our_key_stops_the_run(serve: Serve) -> None:
    from grm_plugin.errors import JudgeRefusedError

    server = serve(JudgeServer(acts.status(401)))
    section = {"classifier": {"name": "server", "url": server.url}, "use": "alone"}
    with GRM(scalar=section) as judge, pytest.raises(JudgeRefusedError, match="the scalar RM"):
        await judge.score_async(ASKED)
