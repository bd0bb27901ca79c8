"""A judge's health in the terminal."""

from __future__ import annotations

import io

from rich.console import Console

from grm_plugin.evaluation.health import health_of
from grm_plugin.report.health import explained, health_table
from tests.evaluation.health.judges import SimulatedJudge, record


def test_every_number_has_a_row_and_a_bias_its_mark() -> None:
    health = health_of(record(SimulatedJudge(first=2.0), 40, k=4))
    file = io.StringIO()
    Console(file=file, width=120).print(health_table(health))
    lines = file.getvalue().splitlines()
    first = next(line for line in lines if "first place" in line)
    assert "position" in first and "*" in first and "judgments" in first
    assert len([line for line in lines if line.strip()]) == len(list(health)) + 2
    assert not any("*" in line for line in lines if "samples valid" in line)


def test_a_bias_is_explained_with_what_to_do() -> None:
    told = explained(health_of(record(SimulatedJudge(first=2.0), 40, k=4)))
    assert any("keep shuffle balanced" in line for line in told)
    assert not explained(health_of([]))
