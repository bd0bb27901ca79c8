"""Judges that will never take a request of ours: the run stops at once, and says what to change."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

import pytest

from grm_plugin import GRM, Group
from grm_plugin.errors import EngineError, JudgeDeadError, JudgeRefusedError
from grm_plugin.types import Verdict
from tests.engines.conftest import Serve, serve  # noqa: F401 (a fixture)
from tests.engines.judge_server import JudgeServer, status
from tests.faults.limited_judge import judging, refusing

MANY = 192


def groups(count: int) -> list[Group]:
    return [Group.of(f"Name fruit {n}.", ["apple", "chair"], id=str(n)) for n in range(count)]


NO_CREDIT = '{"error": {"message": "over", "code": "insufficient_quota"}}'
REFUSALS = {
    "a wrong key": (refusing(401, "bad key"), "api_key_env"),
    "no right to it": (refusing(403, "not yours"), "api_key_env"),
    "another model": (refusing(404, "The model `judge` does not exist"), "the model's name"),
    "no credit": (refusing(402, "Insufficient Balance"), "no credit left"),
    "a quota used up": (refusing(429, "insufficient_quota"), "no credit left"),
    "a field of ours": (refusing(400, "temperature must be nice"), "temperature must be nice"),
    "something": (refusing(422, "I would rather not"), "a harmless text, too"),
    "no chat template": (
        refusing(400, "you must provide a chat template if the tokenizer does not define one"),
        "--chat-template",
    ),
    "a redirect": (refusing(308, Location="https://elsewhere"), "redirects to 'https://elsewhere'"),
}


@pytest.mark.parametrize("what", REFUSALS)
def test_a_run_stops_at_once_and_few_groups_are_asked_for(
    serve: Serve,  # noqa: F811
    what: str,
) -> None:
    act, telling = REFUSALS[what]
    server = serve(JudgeServer(otherwise=act))
    started = time.monotonic()
    with GRM(engine={"url": server.url}, k=8) as grm:
        with pytest.raises(JudgeRefusedError, match="takes no request of ours") as caught:
            grm.score_batch(groups(MANY))
        asked = len(server.bodies)
        with pytest.raises(JudgeRefusedError):
            grm.score(groups(1)[0])
    assert telling in str(caught.value)
    assert isinstance(caught.value, JudgeDeadError)  # who stops for a dead judge stops for this
    assert time.monotonic() - started < 15
    assert asked < MANY * 8 / 2


def test_a_stream_stops_too_and_gives_what_was_judged_before(
    serve: Serve,  # noqa: F811
    tmp_path: Path,
) -> None:
    server = serve(JudgeServer(*[judging] * 10, otherwise=refusing(401, "the key has expired")))
    given: list[Verdict] = []
    record = tmp_path / "record.jsonl"
    with (
        GRM(engine={"url": server.url}, k=1, max_concurrent_groups=2, record=record) as grm,
        pytest.raises(JudgeRefusedError, match="the key has expired"),
    ):
        for verdict in grm.score_many(groups(MANY)):
            given.append(verdict)
    assert [one.group.id for one in given] == [str(n) for n in range(10)]
    assert all(one.scored for one in given)
    (first, *_) = [line for line in record.read_text().splitlines() if '"refused"' in line]
    assert "the key has expired" in first


def test_what_a_batch_had_judged_comes_with_its_error(serve: Serve) -> None:  # noqa: F811
    server = serve(JudgeServer(*[judging] * 6, otherwise=refusing(401)))
    settings: dict[str, Any] = {"k": 1, "max_concurrent_groups": 1}
    with (
        GRM(engine={"url": server.url}, **settings) as grm,
        pytest.raises(JudgeRefusedError) as caught,
    ):
        grm.score_batch(groups(9))
    assert sum(one.scored for one in caught.value.verdicts) == 6
    assert caught.value.verdicts[-1].failures_by_reason == {"refused": 1}


def test_a_text_that_is_refused_costs_its_group_and_no_run(serve: Serve) -> None:  # noqa: F811
    async def dislikes_three(server: Any, request: Any, body: dict[str, Any]) -> Any:
        disliked = request.path == "/v1/chat/completions" and "fruit 3." in str(body["messages"])
        act = status(400, "I do not read that") if disliked else judging
        return await act(server, request, body)

    server = serve(JudgeServer(otherwise=dislikes_three))
    with GRM(engine={"url": server.url}, k=4) as grm:
        verdicts = grm.score_batch(groups(8))
    assert [one.scored for one in verdicts] == [n != 3 for n in range(8)]
    assert verdicts[3].failures_by_reason == {"declined": 4}
    assert "I do not read that" in verdicts[3].unscored


def test_a_replica_that_refuses_is_put_aside_and_told_and_the_others_judge(
    serve: Serve,  # noqa: F811
    caplog: pytest.LogCaptureFixture,
) -> None:
    wrong = serve(JudgeServer(otherwise=refusing(401, "bad key")))
    right = serve(JudgeServer(otherwise=judging))
    with (
        caplog.at_level(logging.WARNING),
        GRM(engine={"urls": [wrong.url, right.url]}, k=4) as grm,
    ):
        verdicts = grm.score_batch(groups(16))
    assert [one.scored for one in verdicts] == [True] * 16
    (line,) = [line for line in caplog.messages if "judge server" in line]
    assert wrong.url in line
    assert "bad key" in line


def test_a_run_stops_when_all_replicas_refuse(serve: Serve) -> None:  # noqa: F811
    urls = [serve(JudgeServer(otherwise=refusing(401, "bad key"))).url for _ in range(2)]
    with GRM(engine={"urls": urls}, k=4) as grm, pytest.raises(JudgeRefusedError, match="bad key"):
        grm.score_batch(groups(MANY))


def test_a_meta_rm_that_refuses_stops_the_run_too(serve: Serve) -> None:  # noqa: F811
    judge = serve(JudgeServer(otherwise=judging))
    meta = serve(JudgeServer(otherwise=status(401, "bad key")))
    classifier = {"name": "server", "url": meta.url}
    select = {"name": "meta_rm", "classifier": classifier}
    with (
        GRM(engine={"url": judge.url}, k=2, select=select) as grm,
        pytest.raises(JudgeRefusedError, match=r"meta RM.*bad key"),
    ):
        grm.score_batch(groups(MANY))
    assert len(judge.bodies) < MANY


def test_a_server_that_lets_nobody_in_is_told_when_it_is_started(
    serve: Serve,  # noqa: F811
) -> None:
    class Closed(JudgeServer):
        async def _models(self, request: Any) -> Any:
            return await status(401, "bad key")(self, request, {})

    server = serve(Closed())
    started = time.monotonic()
    with GRM(engine={"url": server.url}) as grm, pytest.raises(EngineError, match="api_key_env"):
        grm.start()
    assert time.monotonic() - started < 5
