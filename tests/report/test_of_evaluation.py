"""What the page shows of a figure at every k."""

from __future__ import annotations

import math
from typing import Any

import pytest

from grm_plugin.report.page.of_evaluation import plots


def point(k: int, value: float | None) -> dict[str, Any]:
    return {"k": k, "value": value, "low": None, "high": None}


@pytest.mark.parametrize("nothing", [math.nan, None])
def test_a_score_that_lacks_a_part_has_no_plot(nothing: float | None) -> None:
    assert list(plots([point(1, nothing), point(2, nothing)], "RewardBench")) == []
    (plot,) = plots([point(1, 0.5), point(2, nothing), point(4, 0.75)], "RewardBench")
    assert "rises from 0.500 to 0.750" in plot.title
