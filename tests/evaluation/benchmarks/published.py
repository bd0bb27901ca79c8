"""Numbers that others published of the parts of a benchmark, put in place of credits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from grm_plugin.evaluation.figures import Average, Figure, Mean
from grm_plugin.evaluation.items import Item
from grm_plugin.evaluation.measuring import Measured, measure
from tests.evaluation.benchmarks.judged import benchmark, item

OFFICIAL = Path(__file__).parent / "goldens" / "rewardbench.json"
"""What the package rewardbench says of random tables; see ``official_scorers``."""


def figures_of_subsets(shares: Mapping[str, float]) -> tuple[Figure, list[Item]]:
    """RewardBench's figures over one item a subset, which counts its share of right pairs."""
    items = [item((0.9, 0.1), subset=name, share=share) for name, share in shares.items()]
    return _by_share(benchmark("rewardbench").figures(items)), items


def of_subsets(shares: Mapping[str, float]) -> Measured:
    """RewardBench with the share of right pairs of each subset."""
    figure, items = figures_of_subsets(shares)
    return measure(figure, items, resamples=2)


def sections_of(found: Measured) -> dict[str, float | None]:
    """The parts by name."""
    return {part.name: part.value for part in found.parts}


def _by_share(figure: Figure) -> Figure:
    if isinstance(figure, Mean):
        return replace(figure, value=lambda one: one.metadata["share"])
    assert isinstance(figure, Average)
    return replace(figure, of=tuple(map(_by_share, figure.of)), below=())
