"""RM-Bench: the matrix of styles, its levels and domains, as pairs and as lists of six."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from grm_plugin.errors import InputError
from grm_plugin.evaluation.benchmarks.rm_bench import CELLS, STYLES
from grm_plugin.evaluation.measuring import Measured, measure
from tests.evaluation.benchmarks.judged import benchmark, item, judged, written
from tests.shared_data import shared_data

RIGHT, WRONG = (0.9, 0.1), (0.1, 0.9)
DOMAINS = ("chat", "math", "code", "safety-refuse", "safety-response")
ROWS = [
    {
        "id": n,
        "prompt": f"q{n}",
        "chosen": [f"right {style}" for style in STYLES],
        "rejected": [f"wrong {style}" for style in STYLES],
        "domain": DOMAINS[n % 5],
    }
    for n in range(20)
]
PUBLISHED = (
    {"chat": (861, 129), "math": (4371, 529), "code": (1521, 228), "safety": (3788, 441)},
    {"chat": (888, 129), "math": (3835, 529), "code": (1356, 228), "safety": (3724, 441)},
)
"""Pairs won of nine an item, and items, of two published runs of RM-R1 (Apache-2.0)."""
TOTALS = (0.8388277867114855, 0.7923628112760438)


def named(found: Measured, *names: str) -> float | None:
    for name in names:
        found = next(part for part in found.parts if part.name == name)
    return found.value


def test_a_row_is_nine_pairs_of_one_source_or_one_list_of_six(tmp_path: Path) -> None:
    path = str(written(tmp_path / "total_dataset.jsonl", ROWS[:1]))
    pairs = list(benchmark("rm_bench", path=path))
    assert [one.metadata["styles"] for one in pairs] == [
        f"{STYLES[i]}/{STYLES[j]}" for i, j in CELLS
    ]
    assert pairs[5].responses == ("right plain", "wrong markdown")
    assert {one.metadata["source"] for one in pairs} == {"chat:0"}
    (six,) = benchmark("rm_bench", path=path, shown="list")
    assert (len(six.responses), six.metadata["best"]) == (6, [0, 1, 2])


def test_pairs_and_lists_with_the_same_rewards_come_to_the_same_numbers(tmp_path: Path) -> None:
    path, rng = str(written(tmp_path / "rm.jsonl", ROWS)), random.Random(1)
    lists, pairs = benchmark("rm_bench", path=path, shown="list"), benchmark("rm_bench", path=path)
    six = [[rng.randint(1, 5) / 5 for _ in range(6)] for _ in ROWS]
    two = [(rewards[i], rewards[3 + j]) for rewards in six for i, j in CELLS]
    of_lists, of_pairs = judged(lists, six), judged(pairs, two)
    one = measure(lists.figures(of_lists), of_lists)
    other = measure(pairs.figures(of_pairs), of_pairs)
    assert values(one) == pytest.approx(values(other), abs=1e-12)
    assert other.n == 9 * one.n == 180


def values(found: Measured) -> list[float | None]:
    return [found.value, *(one for part in found.parts for one in values(part))]


def test_hard_is_a_plain_right_answer_beside_a_fancy_wrong_one() -> None:
    bench = benchmark("rm_bench")
    items = [
        item(RIGHT if i >= j else WRONG, section=domain, styles=f"{STYLES[i]}/{STYLES[j]}")
        for domain in ("chat", "math", "code", "safety")
        for i, j in CELLS
    ]
    found = measure(bench.figures(items), items)
    assert [named(found, level) for level in ("hard", "normal", "easy")] == [0.0, 1.0, 1.0]
    assert named(found, "chat", "hard", "concise/markdown") == 0.0
    assert found.value == pytest.approx(2 / 3)


@pytest.mark.parametrize("run", [0, 1])
def test_published_wins_come_to_the_published_totals(run: int) -> None:
    items, rng = [], random.Random(run)
    for domain, (won, number) in PUBLISHED[run].items():
        found = [RIGHT] * won + [WRONG] * (9 * number - won)
        rng.shuffle(found)
        cells = [f"{STYLES[i]}/{STYLES[j]}" for _ in range(number) for i, j in CELLS]
        items += [
            item(one, section=domain, styles=styles)
            for one, styles in zip(found, cells, strict=True)
        ]
    measured = measure(benchmark("rm_bench").figures(items), items, resamples=2)
    assert measured.value == pytest.approx(TOTALS[run], abs=1e-9)
    levels = [named(measured, level) for level in ("hard", "normal", "easy")]
    assert sum(levels) / 3 == pytest.approx(measured.value, abs=1e-12)


@pytest.mark.parametrize(
    ("run", "model"),
    [(0, "RM-R1-DeepSeek-Distilled-Qwen-32B"), (1, "RM-R1-Qwen2.5-Instruct-32B")],
)
def test_the_published_wins_are_those_of_the_published_file(run: int, model: str) -> None:
    found = json.loads((shared_data("rm-r1") / model / "rm_bench_final_result.json").read_text())
    for domain, (won, number) in PUBLISHED[run].items():
        assert found[domain] == pytest.approx(won / (9 * number), abs=1e-12)
    assert found["total_avg_acc"] == pytest.approx(TOTALS[run], abs=1e-15)


def test_a_domain_that_is_absent_leaves_the_total_without_a_number() -> None:
    items = [item(RIGHT, section="chat", styles=f"{STYLES[i]}/{STYLES[j]}") for i, j in CELLS]
    found = measure(benchmark("rm_bench").figures(items), items)
    assert (found.value, found.missing) == (None, ("math", "code", "safety"))
    assert named(found, "chat") == 1.0


def test_the_domain_of_a_file_without_the_column_is_in_its_name(tmp_path: Path) -> None:
    rows = [{k: v for k, v in row.items() if k != "domain"} for row in ROWS[:1]]
    written(tmp_path / "all" / "safety-refuse_filtered.jsonl", rows)
    group = next(iter(benchmark("rm_bench", path=str(tmp_path / "all"))))
    assert (group.metadata["subset"], group.metadata["section"]) == ("safety-refuse", "safety")
    written(tmp_path / "other.jsonl", rows)
    with pytest.raises(InputError, match="line 1: domain: unknown domain 'other'; known: chat"):
        list(benchmark("rm_bench", path=str(tmp_path / "other.jsonl")))


@pytest.mark.parametrize("bad", [["a", "b"], "abc", None])
def test_a_row_without_three_answers_is_refused(tmp_path: Path, bad: object) -> None:
    path = written(tmp_path / "rm.jsonl", [{**ROWS[0], "rejected": bad}])
    with pytest.raises(InputError, match=r"rm.jsonl, line 1: rejected: expected"):
        list(benchmark("rm_bench", path=str(path)))


def test_the_real_files_hold_what_their_authors_say() -> None:
    groups = list(benchmark("rm_bench", path=str(shared_data("rm-bench")), shown="list"))
    counts = {"chat": 129, "code": 228, "safety-refuse": 284, "safety-response": 157}
    found = [one.metadata["subset"] for one in groups]
    assert {name: found.count(name) for name in found} == counts
