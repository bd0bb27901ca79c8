"""``grm eval`` of the four benchmarks whose mean the paper calls Overall."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from statistics import fmean
from typing import Any

import pytest

from tests.cli.conftest import Ended
from tests.cli.files import write

pytest.importorskip("numpy")
pytest.importorskip("scipy")
pytest.importorskip("datasets")

from tests.evaluation.benchmarks.test_ppe import FILES, many, preference
from tests.evaluation.benchmarks.test_rewardbench import PAIRS
from tests.evaluation.benchmarks.test_rmb import best_of, pair

TINY = ("--engine", "tiny", "--set", "engine.log=log", "-k", "2")
GOALS = ("Helpfulness", "Harmlessness")


def four_benchmarks(folder: Path) -> list[str]:
    """A few rows of each; the tiny judge likes long texts, which are right in some."""
    ppe, rmb = folder / "ppe", folder / "rmb"
    ppe.mkdir()
    rmb.mkdir()
    write(folder / "rb.jsonl", [{**one, "chosen": "better"} for one in PAIRS])
    longer = [preference(n, "model_b", response_2="longer") for n in range(6)]
    write(folder / "preference.jsonl", [*longer, preference(6), preference(7, "tie")])
    for place, name in enumerate(FILES):
        answers = {"response_1": "long answer" if place else "no", "response_2": "short"}
        rows = [many(n, True, False, **answers, prompt=f"{name} {n}") for n in range(4)]
        write(ppe / name, rows)
    write(rmb / "pairs.jsonl", [pair(n, GOALS[n % 2]) for n in range(4)])
    write(rmb / "lists.jsonl", [best_of(n, goal=GOALS[n % 2]) for n in range(4)])
    paths = ("rb.jsonl", "preference.jsonl", "ppe", "rmb")
    names = ("rewardbench", "ppe_preference", "ppe_correctness", "rmb")
    return [f"{name}:{folder / path}" for name, path in zip(names, paths, strict=True)]


def test_the_overall_is_the_mean_of_the_four_with_an_interval_of_its_own(
    grm: Callable[..., Ended], tmp_path: Path
) -> None:
    ended = grm("eval", *four_benchmarks(tmp_path), "--out", "out", *TINY)
    assert ended.code == 0, ended.err
    assert "Overall" in ended.out and "rows left out by its own rules: 1" in ended.err
    found: dict[str, Any] = json.loads((tmp_path / "out" / "eval.json").read_text())
    values = [one["value"] for one in found["benchmarks"].values()]
    assert len(values) == 4 and None not in values
    overall = found["overall"]
    assert overall["value"] == pytest.approx(fmean(values))
    assert overall["low"] < overall["value"] < overall["high"]
    again = grm("eval", "out", "--out", "again")
    assert again.code == 0 and "Overall" in again.out
    shutil.copytree(tmp_path / "out" / "rewardbench", tmp_path / "another")
    twice = grm("eval", "out", "another", "--out", "twice")
    assert twice.code == 0 and "5 benchmarks" in twice.out and "Overall" not in twice.out


def test_three_of_the_four_make_no_overall(grm: Callable[..., Ended], tmp_path: Path) -> None:
    ended = grm("eval", *four_benchmarks(tmp_path)[1:], "--out", "out", *TINY)
    assert ended.code == 0 and "Overall" not in ended.out
    assert json.loads((tmp_path / "out" / "eval.json").read_text())["overall"] is None
