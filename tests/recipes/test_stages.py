"""Chains of commands: each is run once, and whatever kills a chain, it goes on."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from grm_plugin.errors import ConfigError
from recipes.journal import Journal
from recipes.stages import Stage, run

ROOT = Path(__file__).parents[2]
COPY = """
import sys, pathlib
made = pathlib.Path(sys.argv[-1])
parts = [pathlib.Path(name).read_text() for name in sys.argv[1:-1]]
made.write_text("".join(parts) + made.name)
"""


def stage(made: Path, *of: Path, code: str = COPY) -> Stage:
    return Stage(made.name, (sys.executable, "-c", code, *map(str, of), str(made)), made)


def chain(folder: Path) -> list[Stage]:
    a, b, c = (folder / name for name in "abc")
    return [stage(a), stage(b, a), stage(c, a, b)]


def ran(stages: list[Stage], folder: Path, jobs: int = 1) -> int:
    return asyncio.run(run(stages, Journal(folder / "journal.json"), jobs=jobs))


def test_every_stage_is_run_once_with_its_time(tmp_path: Path) -> None:
    assert ran(chain(tmp_path), tmp_path) == 0
    before = (tmp_path / "journal.json").read_text()
    assert (tmp_path / "c").read_text() == "aabc"
    assert ran(chain(tmp_path), tmp_path) == 0
    assert (tmp_path / "journal.json").read_text() == before
    assert {name: one["runs"] for name, one in json.loads(before).items()} == dict.fromkeys(
        "abc", 1
    )
    assert all(one["seconds"] > 0 for one in json.loads(before).values())


def test_what_tells_of_all_that_is_there_is_run_every_time(tmp_path: Path) -> None:
    a, b, _ = chain(tmp_path)
    told = stage(tmp_path / "told", a.makes)
    told = replace(told, anew=True)
    assert ran([a, told], tmp_path) == 0
    more = replace(stage(told.makes, a.makes, b.makes), anew=True)
    assert ran([a, b, more], tmp_path) == 0
    assert told.makes.read_text() == "aabtold"


def test_a_chain_goes_on_where_it_failed(tmp_path: Path) -> None:
    a, b, c = chain(tmp_path)
    obstacle = tmp_path / "obstacle"
    obstacle.touch()
    check = f"import pathlib, sys\npathlib.Path({str(obstacle)!r}).exists() and sys.exit(7)\n"
    broken = stage(b.makes, a.makes, code=check + COPY)
    assert ran([a, broken, c], tmp_path) == 7
    assert not c.makes.exists()
    obstacle.unlink()
    assert ran([a, broken, c], tmp_path) == 0
    runs = json.loads((tmp_path / "journal.json").read_text())
    assert [runs[name]["runs"] for name in "abc"] == [1, 2, 1]


def test_a_failure_leaves_out_what_reads_its_output_and_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a, b, c = chain(tmp_path)
    broken = stage(b.makes, a.makes, code="raise SystemExit(7)")
    alone = stage(tmp_path / "d")
    assert ran([a, broken, c, stage(tmp_path / "e", c.makes), alone], tmp_path) == 7
    assert sorted(one.name for one in tmp_path.glob("[a-e]")) == ["a", "d"]
    told = capsys.readouterr().err
    assert "c: left out" in told and "e: left out" in told


def test_output_of_another_command_is_refused_before_anything_runs(tmp_path: Path) -> None:
    a, b, _ = chain(tmp_path)
    ran([a, b], tmp_path)
    changed = stage(b.makes, a.makes, a.makes)
    a.makes.unlink()
    with pytest.raises(ConfigError, match=r"b: .*was begun by .*delete it, or choose another"):
        ran([a, changed], tmp_path)
    assert not a.makes.exists()


def test_output_of_what_was_made_anew_is_refused(tmp_path: Path) -> None:
    stages = chain(tmp_path)
    ran(stages, tmp_path)
    stages[1].makes.unlink()
    with pytest.raises(ConfigError, match=r"c: .*was made of what b made before"):
        ran(stages, tmp_path)
    stages[2].makes.unlink()
    assert ran(stages, tmp_path) == 0


def test_stages_that_do_not_read_each_other_run_at_once(tmp_path: Path) -> None:
    meet = """
import pathlib, sys, time
made = pathlib.Path(sys.argv[-1])
made.touch()
for _ in range(200):
    if len(list(made.parent.glob("[xy]"))) == 2: sys.exit(0)
    time.sleep(0.05)
sys.exit(9)
"""
    stages = [stage(tmp_path / "x", code=meet), stage(tmp_path / "y", code=meet)]
    assert ran([*stages, stage(tmp_path / "z", *(one.makes for one in stages))], tmp_path, 2) == 0
    assert (tmp_path / "z").read_text() == "z"
    assert (tmp_path / "x.log").exists()


def test_a_name_that_another_begins_with_is_not_read(tmp_path: Path) -> None:
    model = Stage("rl", ("train",), tmp_path / "rl")
    reader = Stage("rows", ("read", str(tmp_path / "rl.jsonl")), tmp_path / "rows")
    inside = Stage("judge", ("grm", f"engine.model={tmp_path / 'rl' / 'final'}"), tmp_path / "out")
    assert not reader.reads(model)
    assert inside.reads(model)


def test_two_chains_do_not_run_in_one_folder(tmp_path: Path) -> None:
    with (
        Journal(tmp_path / "journal.json").alone(),
        pytest.raises(ConfigError, match=r"journal.json: another process is writing it"),
    ):
        ran(chain(tmp_path), tmp_path)
    assert ran(chain(tmp_path), tmp_path) == 0


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_stopped_chain_leaves_no_process_and_its_stage_is_run_again(
    tmp_path: Path, sent: signal.Signals
) -> None:
    slow = "import os, pathlib, sys, time\nmade = pathlib.Path(sys.argv[-1])\n"
    slow += "made.write_text(str(os.getpid()))\ntime.sleep(60)"
    script = f"""
import asyncio, sys, pathlib
from recipes.launch import until_interrupted
from recipes.journal import Journal
from recipes.stages import Stage, run
made = pathlib.Path({str(tmp_path / "pid")!r})
stage = Stage("slow", (sys.executable, "-c", {slow!r}, str(made)), made)
work = run([stage], Journal(made.with_name("journal.json")))
sys.exit(asyncio.run(until_interrupted(work)))
"""
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    chain = subprocess.Popen([sys.executable, "-c", script], env=env)
    pid = _when_written(tmp_path / "pid")
    chain.send_signal(sent)
    assert chain.wait(30) == (-9 if sent == signal.SIGKILL else 130)
    _assert_gone(pid)
    entry = json.loads((tmp_path / "journal.json").read_text())["slow"]
    assert entry["finished"] is None
    assert (entry["seconds"] > 0) == (sent != signal.SIGKILL)


def _when_written(path: Path) -> int:
    deadline = time.monotonic() + 20
    while not path.exists() or not path.read_text():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return int(path.read_text())


def _assert_gone(pid: int) -> None:
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
