"""The page of a run: written once at its end, and never at the cost of the run."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from grm_plugin.errors import ConfigError
from grm_plugin.records import to_line
from grm_plugin.report import run_page
from grm_trl import GRMReward
from grm_trl.run_page import RunPage
from tests.adapters.trl.test_trl_reward import Trainer
from tests.report.pages import rows_in, verdict

pytest.importorskip("jinja2")
pytest.importorskip("matplotlib")

Make = Callable[..., GRMReward]


def test_the_page_and_a_picture_are_written_when_the_reward_is_closed(
    make: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page, record = tmp_path / "run.html", tmp_path / "verdicts.jsonl"
    reward = make(page=page, record=record)
    Trainer().call(reward)
    assert not page.exists()
    reward.close()
    assert "<html" in page.read_text()
    assert (tmp_path / "run.png").read_bytes().startswith(b"\x89PNG")
    assert f"page of the run: {page}" in capsys.readouterr().err


def test_a_reward_that_is_used_again_writes_it_again(make: Make, tmp_path: Path) -> None:
    page = tmp_path / "run.html"
    reward = make(page=page, record=tmp_path / "verdicts.jsonl")
    for _ in range(2):
        Trainer().call(reward)
        page.unlink(missing_ok=True)
        reward.close()
        assert page.exists()


def test_the_page_of_several_ranks_holds_what_they_recorded_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = tmp_path / "verdicts.jsonl"
    for ending, numbers in (("", [1]), (".rank0", [2]), (".rank1", [3]), (".rank2", [4])):
        lines = [to_line(verdict(number)) for number in numbers]
        Path(f"{record}{ending}").write_bytes(b"".join(lines))
    monkeypatch.setattr("grm_trl.run_page.here", lambda: (0, 2))
    page = RunPage(tmp_path / "run.html", record)
    page.begin()
    page.write()
    assert [one["id"] for one in rows_in(tmp_path / "run.html")] == ["group-2", "group-3"]


def test_nothing_judged_writes_nothing(make: Make, tmp_path: Path) -> None:
    make(page=tmp_path / "run.html", record=tmp_path / "verdicts.jsonl").close()
    assert not list(tmp_path.glob("run*"))


def test_a_page_that_can_not_be_written_is_told_with_the_command_that_makes_it(
    make: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("in the way")
    page = tmp_path / "file" / "run.html"
    reward = make(page=page, record=tmp_path / "verdicts.jsonl")
    rewards = Trainer().call(reward)
    reward.close()
    assert None not in rewards
    told = " ".join(capsys.readouterr().err.split())
    assert f"the page {page} was not written" in told
    assert f"grm show {tmp_path / 'verdicts.jsonl'} --html {page}" in told


def test_a_page_without_a_record_is_refused_before_the_run(make: Make, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="page: expected a record to write it from, got none"):
        make(page=tmp_path / "run.html")


def test_libraries_that_the_page_needs_are_named_before_the_run(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_page, "_NEEDED", ("jinja2", "no_such_library"))
    with pytest.raises(ConfigError, match=r"needs no_such_library; pip install .grm-plugin\[eval"):
        make(page=tmp_path / "run.html", record=tmp_path / "verdicts.jsonl")


SCRIPT = """
from grm_trl import GRMReward
reward = GRMReward(engine="reference", k=2, page="run.html", record="verdicts.jsonl")
ask = "Write a list of words: use exactly 2 items."
print(reward(prompts=[ask] * 2, completions=["sunrise, teapot", "sunrise"]))
"""


def test_a_script_that_closes_nothing_has_its_page_at_the_end(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=tmp_path, capture_output=True, text=True, timeout=250
    )
    assert ended.returncode == 0, ended.stderr
    assert "page of the run: run.html" in ended.stderr
    assert (tmp_path / "run.html").exists()
    assert not (tmp_path / "run.png").exists()  # nobody told a step


FORKS = (
    SCRIPT
    + """
import multiprocessing, os
for end in (lambda: None, reward.close):
    child = multiprocessing.get_context("fork").Process(target=end)
    child.start()
    child.join()
    print(child.exitcode, os.path.exists("run.html"))
reward.close()
print(os.path.exists("run.html"))
"""
)


def test_a_process_that_training_forks_writes_no_page(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", FORKS], cwd=tmp_path, capture_output=True, text=True, timeout=250
    )
    assert ended.stdout.splitlines()[1:] == ["0 False", "0 False", "True"], ended.stderr
    assert ended.stderr.count("page of the run") == 1
