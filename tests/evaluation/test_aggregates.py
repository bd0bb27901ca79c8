"""The paper's own tables come of their parts (arXiv:2504.02495v3, percents of one decimal)."""

from __future__ import annotations

import pytest

from grm_plugin.errors import InputError
from grm_plugin.evaluation.aggregates import (
    OVERALL,
    PPE_CORRECTNESS,
    REWARD_BENCH,
    RMB,
    mean_of,
)

ROUNDING = 0.06
# DeepSeek-GRM-27B: RewardBench, PPE Preference, PPE Correctness, RMB, and the Overall it prints
TABLE = {
    "RFT only, greedy": (84.5, 64.1, 59.6, 67.0, 68.8),
    "greedy": (86.0, 64.7, 59.8, 69.0, 69.9),
    "one sample": (85.2, 62.4, 59.5, 64.4, 67.9),
    "vote@8": (87.7, 64.9, 60.3, 69.5, 70.6),
    "vote@32": (88.5, 65.3, 60.4, 69.7, 71.0),
    "meta@8": (89.8, 66.4, 63.0, 68.8, 72.0),
    "meta@32": (90.4, 67.2, 63.2, 70.3, 72.8),
}
PARTS = {
    "RewardBench": (REWARD_BENCH, (94.1, 78.3, 88.0, 83.8), 86.0),
    "PPE Correctness": (PPE_CORRECTNESS, (64.8, 68.8, 55.6, 50.1, 59.8), 59.8),
    "RMB": (RMB, (62.3, 80.5, 57.0, 76.1), 69.0),
}


@pytest.mark.parametrize("row", TABLE)
def test_overall_is_the_plain_mean_of_four_benchmarks(row: str) -> None:
    *figures, overall = TABLE[row]
    assert mean_of(OVERALL, dict(zip(OVERALL, figures, strict=True))) == pytest.approx(
        overall, abs=ROUNDING
    )


@pytest.mark.parametrize("name", PARTS)
def test_a_benchmark_is_the_plain_mean_of_its_parts(name: str) -> None:
    parts, figures, score = PARTS[name]
    found = mean_of(parts, dict(zip(parts, figures, strict=True)) | {"ReaLMistake": 72.2})
    assert found == pytest.approx(score, abs=ROUNDING)


def test_a_missing_part_is_named() -> None:
    with pytest.raises(InputError, match="missing: Safety, Reasoning"):
        mean_of(REWARD_BENCH, {"Chat": 94.1, "Chat Hard": 78.3})
