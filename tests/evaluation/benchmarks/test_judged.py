"""A judge reads benchmarks; what its record holds comes to the same numbers without their data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from grm_plugin.engine import SampleRequest
from grm_plugin.evaluation.items import items_of
from grm_plugin.evaluation.measuring import Measured, measure
from grm_plugin.records.files import read_verdicts
from grm_plugin.records.line import to_line
from tests.core.honest_judge import box, grm, qualities
from tests.evaluation.benchmarks.judged import benchmark, written

PAIR = {"prompt": "q", "chosen": "quality 9", "rejected": "quality 2"}
SIX = {
    "chosen": [f"quality {n}" for n in (4, 6, 8)],
    "rejected": [f"quality {n}" for n in (3, 5, 7)],
}
ROWS: dict[str, list[dict[str, Any]]] = {
    "rewardbench": [
        {**PAIR, "subset": "mt-bench-easy"},
        {**PAIR, "prompt": "unreadable", "subset": "hep-go"},
        {**PAIR, "chosen": "quality 2 ", "subset": "donotanswer"},
        {**PAIR, "chosen": "quality 1", "subset": "llmbar-natural"},
    ],
    "rewardbench2": [
        {
            "id": "1",
            "prompt": "q",
            "chosen": ["quality 9"],
            "rejected": ["quality 9 ", "quality 2", "quality 1"],
            "subset": "Math",
        }
    ],
    "rm_bench": [{"id": 1, "prompt": "q", "domain": "code", **SIX}],
    "labelled": [{"prompt": "q", "responses": ["quality 1", "quality 3"], "best": 1}],
}
COUNTS = {
    "rewardbench": {"right": 1, "wrong": 1, "tie": 1, "unscored": 1},
    "rewardbench2": {"right": 0, "wrong": 0, "tie": 1, "unscored": 0},
    "rm_bench": {"right": 6, "wrong": 3, "tie": 0, "unscored": 0},
    "labelled": {"right": 1, "wrong": 0, "tie": 0, "unscored": 0},
}


def judge(request: SampleRequest, i: int) -> str:
    if "unreadable" in request.messages[-1].content:
        return "I would rather not say."
    return box(qualities(request))


@pytest.mark.parametrize("name", ROWS)
def test_a_record_is_measured_without_the_data(tmp_path: Path, name: str) -> None:
    bench = benchmark(name, path=str(written(tmp_path / "rows.jsonl", ROWS[name])))
    with grm(judge, k=2) as scorer:
        verdicts = list(scorer.score_many(list(bench)))
    record = tmp_path / "verdicts.jsonl"
    record.write_bytes(b"".join(map(to_line, verdicts)))
    now = measured(bench, verdicts)
    assert now.counts == COUNTS[name]
    assert measured(benchmark(name), read_verdicts(record)) == now


def test_the_levels_of_rm_bench_tell_a_judge_that_likes_style(tmp_path: Path) -> None:
    path = str(written(tmp_path / "rows.jsonl", ROWS["rm_bench"]))
    for shown in ("pairs", "list"):
        bench = benchmark("rm_bench", path=path, shown=shown)
        with grm(judge, k=2) as scorer:
            found = measured(bench, scorer.score_many(list(bench)))
        code = next(part for part in found.parts if part.name == "code")
        levels = {part.name: part.value for part in code.parts}
        assert levels == {"hard": 0.0, "normal": 1.0, "easy": 1.0}


def measured(bench: Any, verdicts: Any) -> Measured:
    items = list(items_of(verdicts))
    return measure(bench.figures(items), items)
