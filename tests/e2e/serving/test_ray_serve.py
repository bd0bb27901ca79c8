"""``grm serve --replicas``: the judge on a real Ray Serve, whole groups on its replicas."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import ANY

import pytest

from grm_plugin.records import read_verdicts
from tests.cli.conftest import ROOT, RUN
from tests.engines.judge_server import JudgeServer
from tests.serving.conftest import Process, Server, command, row
from tests.serving.honest_judge import honest

pytest.importorskip("ray.serve")
pytestmark = pytest.mark.timeout(600)
# a replica that is at a task may bear the name of the task
REPLICA = ("ray::ServeReplica:grm-", "ray::SERVE_REPLICA::grm-")
# a cluster starts in half a minute, and in minutes where its processes wait for a core
START_S = 300
END_S = 120


class ReleasedJudge(JudgeServer):
    """An honest judge that can be told to wait."""

    waits = False

    async def _post(self, request: Any) -> Any:
        if self.waits and request.path != "/tokenize":
            await self.released.wait()
        return await super()._post(request)


@pytest.fixture(scope="module")
def judge() -> Iterator[ReleasedJudge]:
    with ReleasedJudge(otherwise=honest).running() as server:
        yield server


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ray") / "verdicts.jsonl"


@pytest.fixture(scope="module")
def process(judge: ReleasedJudge, record: Path) -> Iterator[Process]:
    options = ["--replicas", "2", "--serving", "cpus_per_replica=0.1", "--set", f"record={record}"]
    # a cluster of its own, whatever else runs on this machine
    process = Process(command(judge.url, *options), {"RAY_ADDRESS": "local"})
    process.line("listening on", START_S)
    yield process
    process.end()


@pytest.fixture
async def server(process: Process) -> AsyncIterator[Server]:
    server = Server(process)
    await server.until("ready", START_S)
    yield server
    await server.session.close()


async def test_groups_are_judged_on_the_replicas(server: Server) -> None:
    assert len(replicas()) == 2
    verdicts = await server.score(*(row(10, 1, id=str(n)) for n in range(8)))
    assert [verdict["rewards"] for verdict in verdicts] == [[1.0, 0.0]] * 8


@pytest.mark.parametrize(
    ("size", "status", "telling"),
    [({"k": 3}, 200, '"k": 3'), ({"k": 3, "k_meta": 2}, 422, "expected none with select: all")],
)
async def test_replicas_draw_as_many_samples_as_a_call_asks_for(
    server: Server, size: dict[str, int], status: int, telling: str
) -> None:
    body = {"groups": [row(10, 1, id="sized")], "size": size}
    answered = await server.post("/v1/score", body)
    assert answered[0] == status
    assert telling in json.dumps(answered[1])


async def test_single_calls_of_a_group_are_judged_together(
    server: Server, judge: ReleasedJudge
) -> None:
    assert await server.rewards(1, 10, 4) == [(200, 0.0), (200, 1.0), (200, pytest.approx(3 / 9))]
    shown = judge.bodies[-1]["messages"][-1]["content"]
    assert all(f"quality {quality}\n" in shown for quality in (1, 10, 4))


async def test_a_group_that_can_not_be_judged_says_why(server: Server) -> None:
    (refused,) = await server.score({"prompt": "word " * 5000, "responses": ["quality 5"]})
    assert refused["unscored"].startswith("refused: group")


async def test_the_limits_hold_in_front_of_the_replicas(server: Server) -> None:
    wrong = {"Host": "elsewhere.example"}
    assert (await server.post("/v1/score", {"groups": [row(1)]}, headers=wrong))[0] == 421
    packed = {"Content-Encoding": "gzip"}
    assert (await server.post("/v1/score", {"groups": [row(1)]}, headers=packed))[0] == 415
    status, said = await server.post("/v1/score", {"groups": [row(1)], "size": {"k": 65}})
    assert (status, "at most 64 samples" in said["error"]) == (413, True)


async def test_a_replica_that_is_killed_costs_no_group(
    server: Server, judge: ReleasedJudge
) -> None:
    judge.waits = True
    scoring = asyncio.create_task(server.score(*(row(10, 1, id=str(n)) for n in range(8))))
    await server.until_metric("grm_groups_in_flight", 8)
    os.kill(replicas()[0], signal.SIGKILL)
    judge.waits = False
    judge.release()
    assert [verdict["rewards"] for verdict in await scoring] == [[1.0, 0.0]] * 8
    await server.until("ready")


async def test_sigterm_ends_the_server_and_its_replicas_and_the_record_is_whole(
    server: Server, process: Process, record: Path
) -> None:
    process.child.send_signal(signal.SIGTERM)
    assert process.child.wait(END_S) == 0
    assert replicas() == []
    ids = [verdict.group.id for verdict in read_verdicts(record)]
    refused = ""
    assert sorted(ids) == sorted([*map(str, range(8)), *map(str, range(8)), "g", "sized", refused])


SICK_JUDGE = '''
"""Engine ``sick``: the first process that starts it has no rewards; with the file ALL, none has."""
import re
from pathlib import Path

from grm_plugin import hookimpl
from grm_plugin.errors import TransportError
from grm_plugin.testing import ScriptedEngine


class Sick(ScriptedEngine):
    def __init__(self, options, limits):
        super().__init__(self.answer)
        self.folder, self.sick = Path(options["folder"]), False

    async def start(self):
        try:
            (self.folder / "FIRST").open("x").close()
            self.sick = True
        except FileExistsError:
            pass

    def answer(self, request, i):
        if self.sick or (self.folder / "ALL").exists():
            return TransportError("its GPU is lost")
        scores = re.findall(r"quality (\\d+)", request.messages[-1].content)
        return f"Scores: \\\\boxed{{{', '.join(scores)}}}"


@hookimpl
def grm_register_engines(register):
    register("sick", Sick)
'''


@pytest.fixture(scope="module")
def sick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Process, Path]]:
    """Two replicas of which the first has a judge without rewards, and their folder."""
    folder = tmp_path_factory.mktemp("sick")
    (folder / "sick_judge.py").write_text(SICK_JUDGE)
    info = folder / "sick_judge-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: sick-judge\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[grm_plugin]\nsick_judge = sick_judge\n")
    engine = f"engine={{name: sick, folder: '{folder}'}}"
    dead = ["--set", "k=1", "--set", "dead_groups=2", "--set", "dead_after_s=0"]
    place = ["--replicas", "2", "--serving", "cpus_per_replica=0.1", "--port", "0"]
    paths = os.pathsep.join([str(ROOT), str(folder), os.environ.get("PYTHONPATH", "")])
    process = Process(
        [*RUN, "serve", "--set", engine, *dead, *place],
        {"RAY_ADDRESS": "local", "PYTHONPATH": paths},
    )
    process.line("listening on", START_S)
    yield process, folder
    process.end()


async def test_a_replica_whose_judge_is_dead_is_replaced_and_a_judge_that_all_lack_ends_it(
    sick: tuple[Process, Path],
) -> None:
    process, folder = sick
    server = Server(process)
    try:
        await server.until("ready", START_S)
        verdicts = [(await server.score(row(10, 1)))[0] for _ in range(24)]
        lost = [verdict["unscored"] for verdict in verdicts if verdict["rewards"] is None]
        assert len(lost) <= 1, lost  # the first of the two that tell a dead judge
        assert all(one["rewards"] == [1.0, 0.0] for one in verdicts if one["rewards"])
        await server.until("ready", START_S)
        (folder / "ALL").touch()
        statuses = [(await server.post("/v1/score", {"groups": [row(1)]}))[0] for _ in range(3)]
        assert statuses[-1] == 503
        assert "came back without one reward" in await server.until("dead")
    finally:
        await server.session.close()


def test_a_judge_that_can_not_be_started_ends_the_server_with_its_reason() -> None:
    options = ["--port", "0", "--replicas", "1", "--url", "http://127.0.0.1:9"]
    options += ["--set", "engine.start_timeout_s=0"]
    process = Process([*RUN, "serve", *options], {"RAY_ADDRESS": "local"})
    try:
        process.line("error: the judge can not be deployed on Ray: .*no judge server", START_S)
        assert process.child.wait(END_S) == 1
    finally:
        process.end()


def test_replicas_for_which_there_is_no_room_end_the_server_in_time(judge: ReleasedJudge) -> None:
    process = Process(without_room(judge, "deploy_s=5"), {"RAY_ADDRESS": "local"})
    try:
        process.line("error: .* expected 1 running replicas within 5 s", START_S)
        assert process.child.wait(END_S) == 1
    finally:
        process.end()


async def test_sigterm_ends_a_server_that_is_still_deploying(judge: ReleasedJudge) -> None:
    process = Process(without_room(judge), {"RAY_ADDRESS": "local"})
    process.line("listening on", START_S)
    server = Server(process)
    try:
        assert await server.health() == (503, {"status": "starting", "reason": ANY})
        process.child.send_signal(signal.SIGTERM)
        assert process.child.wait(END_S) == 0
    finally:
        await server.session.close()
        process.end()


def test_an_address_without_a_cluster_is_told_at_once(judge: ReleasedJudge) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
    process = Process(command(judge.url, "--replicas", "1"), {"RAY_ADDRESS": address})
    try:
        process.line(f"error: .*RAY_ADDRESS is {address} and no cluster answers there")
        assert process.exit_code() == 1
    finally:
        process.end()


def without_room(judge: ReleasedJudge, *more: str) -> list[str]:
    """The command of a server whose replicas no cluster can place."""
    pairs = ("gpus_per_replica=1000", *more)
    return command(judge.url, "--replicas", "1", *(f"--serving={pair}" for pair in pairs))


def replicas() -> list[int]:
    """Process ids of the judges on this machine."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_text()
        except OSError:
            continue
        if words.startswith(REPLICA):
            found.append(int(folder.name))
    return found
