"""The tables of ``grm eval`` say what a number is made without."""

from __future__ import annotations

import io

from rich.console import Console

from grm_plugin.cli.eval_tables import figures_table
from grm_plugin.evaluation.gains import Gained
from grm_plugin.evaluation.measuring import Measured, measure
from tests.evaluation.benchmarks.published import figures_of_subsets


def gained(measured: Measured) -> Gained:
    return Gained(measured, {}, tuple(map(gained, measured.parts)))


def test_a_section_that_lacks_subsets_says_how_many() -> None:
    figure, items = figures_of_subsets({"llmbar-natural": 0.5, "mt-bench-hard": 1.0})
    console = Console(file=io.StringIO(), width=160)
    console.print(figures_table(gained(measure(figure, items, resamples=2))))
    shown = console.file.getvalue()
    assert "Chat Hard (without 4 parts)" in shown
    assert "RewardBench (" not in shown  # it is no number at all
