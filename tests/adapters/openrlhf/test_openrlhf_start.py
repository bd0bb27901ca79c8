"""What a run says before Ray starts, and what it refuses then. Judges are real HTTP servers."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from grm_openrlhf import probing
from grm_openrlhf.command import split
from grm_openrlhf.host import Host
from grm_openrlhf.plan import Plan, make_plan
from grm_openrlhf.train_ppo_ray import check
from grm_plugin import Group, Verdict
from grm_plugin.errors import ConfigError, EngineError, RecordError
from grm_plugin.records import to_line
from grm_plugin.remote.launching.ports import free_port
from tests.adapters.openrlhf.conftest import with_adapter
from tests.adapters.openrlhf.sources import write_release
from tests.engines.judge_server import JudgeServer

HOST = ["--vllm.num_engines", "2", "--rollout.n_samples_per_prompt", "4"]
SMALL = ["--actor.num_gpus_per_node", "1"]
Begin = Callable[..., str]


def planned(*words: str, host: Host | None = None) -> Plan:
    ours, rest = split(["--reward_model", "grm_plugin", *words])
    own = [] if host else [*HOST, *SMALL]
    return make_plan(ours, [*own, *rest], host or Host.installed(), plugins=with_adapter([]))


@pytest.fixture
def begin(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Begin:
    """What a command line, typed in an empty folder, prints before Ray starts."""
    monkeypatch.chdir(tmp_path)

    def begun(*words: str, **more: Any) -> str:
        check(planned(*words, **more))
        return capsys.readouterr().err

    return begun


def line(told: str, name: str) -> str:
    (found,) = (one for one in told.splitlines() if one.startswith(f"  {name} "))
    return " ".join(found.split())


def test_the_block_says_who_judges_what_and_where_it_is_recorded(
    begin: Begin, tmp_path: Path
) -> None:
    with JudgeServer().running() as server:
        told = begin("--grm.engine.url", server.url, "--grm.k", "6", "--grm.record", "out/v.jsonl")
    assert line(told, "judge") == f"judge engine server at {server.url}: answers, model 'judge'"
    assert line(told, "samples") == "samples k = 6; vote: mean"
    assert line(told, "rewards") == "rewards 0 to 1; none where the judge fails"
    assert line(told, "sees") == "sees the messages of the dataset"
    assert line(told, "record") == f"record {tmp_path}/out/v.jsonl.engine0 to engine1"
    assert "agent" not in told


def test_the_block_says_what_a_label_is_and_whose_reward_is_replaced(
    begin: Begin, tmp_path: Path
) -> None:
    own = tmp_path / "own.py"
    own.touch()
    words = ["--grm.engine", "scripted", "--train.agent_func_path", "own.py"]
    words += ["--data.label_key", "answer", "--grm.adapters.openrlhf", "{label: reference}"]
    told = begin(*words, "--grm.vote", "sum", "--reward.clip_range", "0", "100")
    assert line(told, "agent") == (
        f"agent {own}: the last action is judged, and that replaces its own reward"
    )
    assert line(told, "sees").endswith("the label is a good answer")
    assert line(told, "rewards").startswith("rewards 8 to 80;")
    assert line(told, "record").startswith("record none;")


def test_servers_of_the_launcher_and_a_schedule_are_told(begin: Begin, tmp_path: Path) -> None:
    (tmp_path / "grm.yaml").write_text(
        "engine: {serve: {model: some/judge}}\n"
        "schedule: {by: step, stages: [{step: 0, k: 2}, {step: 9, k: 4}]}\n"
        "adapters: {openrlhf: {judge: {replicas: 3, gpus: 2}}}\n"
        "budget: {tokens: 1000}"
    )
    told = begin("--grm_config", "grm.yaml")
    assert line(told, "judge").startswith("judge 3 x some/judge, 2 GPUs each, started before")
    assert line(told, "budget") == "budget 500 tokens for each of 2 rollout actors"
    assert line(told, "samples") == "samples k = 2, 4 by the schedule, 8 in evaluations; vote: mean"


def test_a_judge_that_is_not_there_yet_is_told_and_does_not_stop_the_run(begin: Begin) -> None:
    told = begin("--grm.engine.url", f"http://127.0.0.1:{free_port()}")
    assert "no answer yet, it is asked again with the first group" in line(told, "judge")


async def loading(server: JudgeServer, request: web.Request) -> web.Response:
    return web.json_response({"error": "Loading model"}, status=503)


async def silent(server: JudgeServer, request: web.Request) -> web.Response:
    await server.released.wait()
    return web.Response()


async def locked(server: JudgeServer, request: web.Request) -> web.Response:
    return web.json_response({"error": "Unauthorized"}, status=401)


class Behind(JudgeServer):
    """A server that answers a look at it in its own way."""

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self._answer = answer

    async def _models(self, request: web.Request) -> web.Response:
        found: web.Response = await self._answer(self, request)
        return found


@pytest.mark.parametrize(
    ("behaviour", "said"), [(loading, "503"), (silent, "no answer within 1 s")], ids=["503", "mute"]
)
def test_a_judge_that_loads_or_says_nothing_is_told_in_bounded_time(
    begin: Begin, monkeypatch: pytest.MonkeyPatch, behaviour: Any, said: str
) -> None:
    monkeypatch.setattr(probing, "LIMIT_S", 1.0)
    began = time.monotonic()
    with Behind(behaviour).running() as server:
        assert said in line(begin("--grm.engine.url", server.url), "judge")
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("server", "model", "said"),
    [
        (Behind(locked), "judge", "401"),
        (JudgeServer(), "another", "unknown model 'another'"),
    ],
)
def test_a_judge_that_refuses_the_key_or_the_model_stops_the_run_before_ray_starts(
    begin: Begin, server: JudgeServer, model: str, said: str
) -> None:
    with server.running(), pytest.raises(EngineError, match=said):
        begin("--grm.engine.url", server.url, "--grm.engine.model", model)


def test_a_record_that_can_not_be_written_stops_the_run_and_one_that_can_is_left_as_it_was(
    begin: Begin, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RecordError, match=r"file/v.jsonl.engine0 can not be opened"):
        begin("--grm.engine", "scripted", "--grm.record", "file/v.jsonl")
    kept = tmp_path / "v.jsonl.engine0"
    before = to_line(Verdict(Group.of("q", ["a"]), (0.5,)))
    kept.write_bytes(before)
    begin("--grm.engine", "scripted", "--grm.record", "v.jsonl")
    assert kept.read_bytes() == before
    assert sorted(os.listdir(tmp_path)) == ["file", "v.jsonl.engine0"]
    kept.write_text("notes, no verdicts")
    with pytest.raises(RecordError, match="something else than verdicts"):
        begin("--grm.engine", "scripted", "--grm.record", "v.jsonl")
    assert kept.read_text() == "notes, no verdicts"


def test_files_are_meant_from_where_the_command_was_typed(tmp_path: Path, begin: Begin) -> None:
    (tmp_path / "judge").mkdir()
    serve = "{serve: {model: judge, log: logs/judge.log}}"
    plan = planned("--grm.engine", serve, "--grm.record", "v.jsonl")
    assert plan.servers
    assert plan.servers.serve.model == str(tmp_path / "judge")
    assert plan.servers.serve.log == tmp_path / "logs/judge.log"
    assert plan.settings.config["record"] == str(tmp_path / "v.jsonl")
    hub = planned("--grm.engine", "{serve: {model: org/judge}}").servers
    assert hub and hub.serve.model == "org/judge"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--algo.advantage.estimator", "rloo"], "rloo requires n_samples_per_prompt > 1"),
        (["--train.partial_rollout_enable"], "requires --train.async_enable"),
        (["--actor.num_gpus_per_node", "9999"], "number of sample batches must be greater"),
    ],
)
def test_what_the_host_refuses_is_refused_before_anything_starts(
    words: list[str], told: str, caplog: pytest.LogCaptureFixture
) -> None:
    one = ["--rollout.n_samples_per_prompt", "1", "--grm.engine", "scripted"]
    with pytest.raises(ConfigError, match=r"openrlhf .* refuses these options: ") as caught:
        planned(*one, *words)
    assert told in str(caught.value)
    assert not caplog.text
    planned("--grm.engine", "scripted")  # and nothing else


CHECKING = """
import argparse
from a_library import train

def train_it(args): ...

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--samples", type=int, default=1)
    parser.add_argument("--hub", action="store_true")
    args = parser.parse_args()
    from openrlhf.utils.config import twice
    args.samples = twice(args.samples)
    print("checking")
    {check}
    if args.hub:
        from some_hub import patch
        patch()
    train(args)
    raise ValueError("trained")
"""


@pytest.mark.parametrize(
    ("check", "said"),
    [
        ("assert args.samples == 2, 'samples'", ""),
        ("assert args.samples > 2, f'{args.samples} samples'", "2 samples"),
        ("assert args.samples > 2", "AssertionError"),
        ("raise ValueError('no')", "no"),
        ("torch.cuda.init()", ""),  # needs more than is here, and says so itself
    ],
)
def test_checks_of_the_host_are_run_as_they_stand_and_nothing_else_of_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], check: str, said: str
) -> None:
    root = write_release(tmp_path / "openrlhf", command=CHECKING.replace("{check}", check))
    (root / "utils/config.py").write_text("def twice(n):\n    return 2 * n\n")
    assert Host(root, "9.9.9")._sources.refusal(["--hub"]) == said
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--grm.k", "0"], "--grm.k: expected at least 1, got 0"),
        (["--grm.max_token", "5"], "--grm.max_token: unknown key 'max_token'; known: "),
        (["--grm.config", "x.yaml"], "did you mean --grm_config?"),
        (["--grm.temperature", "9", "--grm.k", "4"], "--grm.temperature: expected at most 5"),
        (["--grm.k", "4", "--grm.min_valid", "5"], "--grm.k, --grm.min_valid: min_valid: expected"),
        (["--grm.engine", "default"], "no judge is named"),
        (
            ["--grm.engine", "{name: server, ur: x}"],
            "--grm.engine: engine 'server': unknown key 'ur'",
        ),
        (["--grm.engine", "scriptd"], "--grm.engine: unknown engine 'scriptd'"),
        (["--grm.template", "gmr", "--grm.k", "4"], "--grm.template: unknown template 'gmr'"),
        (
            ["--grm.k", "4", "--grm.adapters.openrlhf.historry", "all"],
            "--grm.adapters.openrlhf.historry: adapter 'openrlhf': unknown key 'historry'",
        ),
    ],
)
def test_an_error_of_the_command_line_names_its_option_and_not_the_file(
    tmp_path: Path, words: list[str], told: str, recwarn: pytest.WarningsRecorder
) -> None:
    (tmp_path / "grm.yaml").write_text("engine: scripted\nk: 8\n")
    with pytest.raises(ConfigError) as caught:
        planned("--grm_config", str(tmp_path / "grm.yaml"), *words)
    assert told in str(caught.value)
    assert "grm.yaml" not in str(caught.value)
    assert not [one for one in recwarn if "no judge named" in str(one.message)]


def test_an_error_of_the_file_names_the_file_whatever_the_command_line_says(tmp_path: Path) -> None:
    (tmp_path / "grm.yaml").write_text("engine: scripted\nk: none\n")
    with pytest.raises(ConfigError, match=r"config .*grm\.yaml: k: "):
        planned("--grm_config", str(tmp_path / "grm.yaml"), "--grm.temperature", "9")
    assert planned("--grm_config", str(tmp_path / "grm.yaml"), "--grm.k", "4").judge.config.k == 4


def test_an_error_of_a_part_that_the_file_has_alone_names_no_option(tmp_path: Path) -> None:
    (tmp_path / "grm.yaml").write_text("engine: scripted\nadapters: {openrlhf: {historry: all}}\n")
    with pytest.raises(ConfigError, match=r"^adapter .openrlhf.: unknown key .historry."):
        planned("--grm_config", str(tmp_path / "grm.yaml"), "--grm.k", "4")


def test_a_model_of_the_host_that_is_our_name_is_a_misspelt_option() -> None:
    with pytest.raises(ConfigError, match="did you mean --reward_model grm_plugin"):
        planned("--grm.engine", "scripted", "--reward.model_name_or_path", "grm_plugin")
