"""How a training with a refresh beside it ends: real processes, each a few lines long."""

from __future__ import annotations

import asyncio
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from grm_plugin import GRMConfig
from grm_plugin.errors import EngineError
from grm_plugin.spct.refresh_process import RefreshProcess
from grm_plugin.spct.versions import begun
from recipes.launch import run

_BEGINS = """
import sys, time
from pathlib import Path
from grm_plugin.spct.versions import say_begun
say_begun(Path("made"))
while not Path("trained").exists():
    time.sleep(0.02)
"""
_TRAINS = """
import sys, time
from pathlib import Path
Path("trained").touch()
while not Path("through").exists():
    time.sleep(0.02)
"""


class Refresh(RefreshProcess):
    """One that runs ``script`` in place of `grm train refresh`."""

    def __init__(self, script: str) -> None:
        classifier = {"name": "transformers", "model": "made/current", "reload": True}
        scalar = {"use": "alone", "classifier": classifier}
        super().__init__(
            GRMConfig(record="verdicts.jsonl", scalar=scalar), "base", gpus=(), options=()
        )
        self._command = [sys.executable, "-c", script]


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("made").mkdir()


def trained(
    refresh: Refresh, caplog: pytest.LogCaptureFixture, code: int = 0, until: str = ""
) -> int:
    """How a launch ends whose training ends with ``code`` once ``until`` was logged."""

    def wait() -> None:
        deadline = time.monotonic() + 60
        while until not in caplog.text and time.monotonic() < deadline:
            time.sleep(0.02)
        Path("through").touch()

    command = [sys.executable, "-c", f"{_TRAINS}sys.exit({code})"]
    with ThreadPoolExecutor(1) as waiting:
        waiting.submit(wait)
        return asyncio.run(run([], command, [], refresh))


def test_a_training_whose_refresh_died_has_failed_once_it_is_through(
    caplog: pytest.LogCaptureFixture,
) -> None:
    died = "the refresh of the scalar RM ended with code 4 during the training"
    with pytest.raises(EngineError, match=died):
        trained(Refresh(_BEGINS + "sys.exit(4)"), caplog, until=died)
    assert Path("trained").exists()


def test_a_training_that_failed_says_so_and_not_that_its_refresh_died(
    caplog: pytest.LogCaptureFixture,
) -> None:
    died = Refresh(_BEGINS + "sys.exit(4)")
    assert trained(died, caplog, code=3, until="ended with code 4") == 3


def test_a_refresh_that_was_idle_for_long_lets_its_training_succeed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert trained(Refresh(_BEGINS), caplog, until="ended with code 0") == 0


def test_a_refresh_that_goes_on_ends_with_the_training(caplog: pytest.LogCaptureFixture) -> None:
    assert trained(Refresh(_BEGINS + "time.sleep(600)"), caplog) == 0
    stat = Path(f"/proc/{begun(Path('made'))}/stat")
    assert not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z"
