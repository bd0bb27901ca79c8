"""``grm`` as it is met first: how it is called, and what stands in pipes and logs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grm_plugin import __version__
from tests.cli.conftest import RUN, Ended
from tests.cli.files import rows, write

TASK = "Write a list of words: include the word sunrise; use exactly 3 items."


def test_the_version_is_told_and_nothing_else(grm: Callable[..., Ended]) -> None:
    assert grm("--version") == Ended(0, f"grm-plugin {__version__}", "")


def test_without_its_script_the_package_is_run_as_a_module(environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", "grm_plugin", "--version"]
    assert subprocess.check_output(command, env=environment, text=True).split()[-1] == __version__


def test_a_shell_completes_commands(environment: dict[str, str]) -> None:
    asked = {"_GRM_COMPLETE": "complete_bash", "COMP_WORDS": "grm sc", "COMP_CWORD": "1"}
    listed = subprocess.check_output(RUN, env={**environment, **asked}, text=True)
    assert {"score", "scale"} <= set(listed.split())


@pytest.mark.parametrize("command", [("show", "verdicts.jsonl", "--lowest", "400"), ("--help",)])
def test_a_reader_that_has_seen_enough_ends_a_command_in_silence(
    command: tuple[str, ...],
    grm: Callable[..., Ended],
    process: Callable[..., Any],
    tmp_path: Path,
) -> None:
    write(tmp_path / "groups.jsonl", rows(400))
    log = f"--set=engine.log={tmp_path / 'log'}"
    grm("score", "groups.jsonl", "-o", "verdicts.jsonl", "--engine=tiny", log, "-k", "1")
    running = process(*command)
    running.stdout.readline()
    running.stdout.close()
    assert running.stderr.read() == b""
    running.wait(30)


def test_bars_of_libraries_stay_out_of_pipes(environment: dict[str, str], tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    row = {"prompt": TASK, "responses": ["sunrise, teapot, airport", "teapot, airport"]}
    (tmp_path / "groups.jsonl").write_text(json.dumps(row) + "\n")
    command = [*RUN, "score", "groups.jsonl", "-o", "out.jsonl", "--engine=reference"]
    done = subprocess.run(
        command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "Loading" not in done.stderr
    assert "it/s" not in done.stderr


def test_bars_stay_out_of_the_log_of_a_program_that_loads_a_judge(
    environment: dict[str, str],
) -> None:
    pytest.importorskip("transformers")
    program = (
        "from grm_plugin import GRM, Group\n"
        "from transformers.utils.logging import is_progress_bar_enabled\n"
        "GRM(engine='reference').start()\n"
        "assert is_progress_bar_enabled()\n"
    )
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Loading" not in done.stderr
