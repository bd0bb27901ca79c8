"""Votes of repeated judgments: replayed from a record, held against judgments that did not vote."""

from __future__ import annotations

import json
import random
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

pytest.importorskip("numpy")

INSTRUCTIONS, ANSWERS = 20, 4
TASK = """###Task Description:
Grade it.

###The instruction to evaluate:
Say {0}.

###Response to evaluate:
answer {1} to {0}

###Reference Answer (Score 5):
the best answer to {0}

###Score Rubrics:
[Is it said?]

###Feedback: """


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
    import mt_bench_votes

    return mt_bench_votes


def row(number: int, answer: int, noise: float) -> dict[str, Any]:
    rng = random.Random(f"{number} {answer}")
    quality = rng.uniform(1, 5)
    scores = [min(5, max(1, round(quality + rng.gauss(0, noise)))) for _ in range(3)]
    return {
        "idx": number,
        "instruction": TASK.format(number, answer),
        "gpt4_score": scores,
        "gpt4_feedback": [f"The answer is worth {score}." for score in scores],
    }


def studied(script: ModuleType, folder: Path, noise: float, **change: Any) -> dict[str, Any]:
    rows = [row(n, answer, noise) for n in range(INSTRUCTIONS) for answer in range(ANSWERS)]
    rows[0] |= change
    file = folder / "graded.json"
    file.write_text(json.dumps(rows))
    return script.studied(*script.replayed(file, folder / "record.jsonl"))


def test_a_second_vote_agrees_more_with_a_judgment_that_did_not_vote(
    script: ModuleType, tmp_path: Path
) -> None:
    found = studied(script, tmp_path, noise=1.0)
    assert (found["answers"], found["unscored"], found["instructions"]) == (80, 0, 20)
    for name in ("Pearson", "Spearman", "order of two answers, ties half"):
        one, two, gain = (
            found["figures"][f"{name}, {told}"]
            for told in (
                "against one other",
                "against the mean of the two others",
                "gained by the second vote",
            )
        )
        assert gain["value"] == pytest.approx(two["value"] - one["value"], abs=2e-4)
        assert 0 < gain["low"] < gain["value"] < gain["high"]


def test_one_judgment_agrees_with_another_as_reliably_as_it_is(
    script: ModuleType, tmp_path: Path
) -> None:
    found = studied(script, tmp_path, noise=0.7)
    one = found["figures"]["Pearson, against one other"]
    assert one["value"] == pytest.approx(found["reliability of one judgment"]["value"], abs=0.03)


def test_a_judge_that_never_errs_gains_nothing(script: ModuleType, tmp_path: Path) -> None:
    found = studied(script, tmp_path, noise=0.0)
    assert found["reliability of one judgment"]["value"] == 1.0
    assert found["figures"]["Pearson, gained by the second vote"]["value"] == 0.0
    assert len(set(found["ties of pairs"].values())) == 1


def test_fewer_pairs_tie_with_more_votes(script: ModuleType, tmp_path: Path) -> None:
    one, two, three = studied(script, tmp_path, noise=1.0)["ties of pairs"].values()
    assert one > two > three


def test_a_judgment_that_can_not_be_read_is_dropped_and_counted(
    script: ModuleType, tmp_path: Path
) -> None:
    texts = ["fine", "It says [RESULT] 4, which it must not.", "fine"]
    found = studied(script, tmp_path, noise=1.0, gpt4_feedback=texts)
    assert (found["answers"], found["with three readable judgments"]) == (80, 79)
    assert found["dropped judgments"] == {"unreadable": 1}
