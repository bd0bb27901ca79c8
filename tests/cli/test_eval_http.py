"""``grm eval`` with a judge behind real HTTP, some of whose answers are lost."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Ended
from tests.cli.files import write
from tests.cli.test_score_again import failing, quality
from tests.engines.judge_server import JudgeServer, status
from tests.serving.honest_judge import honest

pytest.importorskip("numpy")
pytest.importorskip("scipy")


@pytest.fixture
def judge() -> Iterator[JudgeServer]:
    with JudgeServer(otherwise=honest).running() as server:
        yield server


def test_lost_judgments_end_with_3_and_the_same_command_measures_them(
    grm: Callable[..., Ended], judge: JudgeServer, tmp_path: Path
) -> None:
    write(tmp_path / "rm.jsonl", [{**row, "best": 1} for row in quality(4)])
    command = ("eval", "labelled:rm.jsonl", "--out", "out", "--url", judge.url, "-k", "2")
    command += ("--engine", "server")
    command += ("--set", "tries=1", "--set", "group_timeout_s=3", "--set", "find_culprits=0")
    judge.otherwise = failing(1, 2, act=status(500))
    first = grm(*command)
    assert first.code == 3, first.err
    assert "lost on the way (transport, timeout or a refusal): 2 groups" in first.err
    assert counts(tmp_path) == {"right": 2, "wrong": 0, "tie": 0, "unscored": 2}
    judge.otherwise = honest
    assert grm(*command).code == 0
    assert counts(tmp_path) == {"right": 4, "wrong": 0, "tie": 0, "unscored": 0}


def counts(folder: Path) -> dict[str, int]:
    return json.loads((folder / "out" / "eval.json").read_text())["figures"]["counts"]
