"""``grm score`` with ``stop: ranking`` and the embedded judge: fewer samples, told at the end."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from grm_plugin.records import read_verdicts
from tests.cli.conftest import Ended
from tests.cli.files import write

Grm = Callable[..., Ended]
JUDGE = ("--engine", "reference", "-k", "8", "--set", "max_tokens=300")
RANKING = ("--set", "stop.name=ranking", "--set", "stop.error=0.2")


def test_the_reference_judge_draws_fewer_samples_and_says_how_many(
    grm: Grm, tmp_path: Path
) -> None:
    pytest.importorskip("torch")
    from grm_plugin.reference.tasks.data import best_of_groups

    groups = best_of_groups(3, "heldout", responses=2, number=6)
    write(
        tmp_path / "in.jsonl",
        [{"prompt": g.task.query, "responses": g.responses, "best": g.best} for g in groups],
    )
    ended = grm("score", "in.jsonl", "-o", "few.jsonl", *JUDGE, *RANKING)
    assert ended.code == 0
    grm("score", "in.jsonl", "-o", "all.jsonl", *JUDGE)
    few, all_ = list(read_verdicts(Path("few.jsonl"))), list(read_verdicts(Path("all.jsonl")))
    mean = sum(one.drawn for one in few) / len(few)
    early = sum(one.ended_early for one in few) / len(few)
    assert 4 <= mean < 8
    told = rf"samples a group +{mean:.1f} +mean; {early:.1%} of groups had enough before k"
    assert re.search(told, ended.err)
    for one, whole in zip(few, all_, strict=True):
        first = whole.judgments[: one.drawn]
        assert [j.scores for j in one.judgments] == [j.scores for j in first]
        assert one.rewards == pytest.approx(
            [sum(c) / len(c) / 9 - 1 / 9 for c in zip(*(j.scores for j in first), strict=True)]
        )


def test_a_run_that_is_cut_goes_on_as_it_would_have(grm: Grm, tmp_path: Path) -> None:
    rows = [{"id": str(n), "prompt": f"{n}?", "responses": ["a", "bbbbbbbb"]} for n in range(9)]
    write(tmp_path / "in.jsonl", rows)
    tiny = ("--engine", "tiny", "--set", "engine.log=log", "-k", "8", *RANKING)
    assert grm("score", "in.jsonl", "-o", "whole.jsonl", *tiny).code == 0
    whole = Path("whole.jsonl").read_bytes().splitlines(keepends=True)
    Path("cut.jsonl").write_bytes(b"".join(whole[:4]) + whole[4][:40])
    assert grm("score", "in.jsonl", "-o", "cut.jsonl", *tiny).code == 0
    found = [(one.group.id, one.rewards, one.drawn) for one in read_verdicts(Path("cut.jsonl"))]
    assert found == [
        (one.group.id, one.rewards, one.drawn) for one in read_verdicts(Path("whole.jsonl"))
    ]
    ended = grm("score", "in.jsonl", "-o", "cut.jsonl", *tiny[:-1], "stop.error=0.1")
    assert ended.code == 1 and "stop" in ended.err
