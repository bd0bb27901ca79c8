"""Any file of labelled groups: accuracy over all of them and by subset."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from grm_plugin.evaluation.benchmarks.benchmark import Published
from grm_plugin.evaluation.benchmarks.reading import Row
from grm_plugin.evaluation.figures import Figure, Mean, each_of
from grm_plugin.evaluation.items import BENCHMARK, SUBSET, Item
from grm_plugin.evaluation.outcomes import Ties
from grm_plugin.hosts.rows import group_of
from grm_plugin.types import Group


class Labelled(Published):
    """Groups as `grm score` reads them, with ``best``, ``correct`` or ``ratings``, and perhaps
    ``subset`` and ``source``: how often a best response wins, over all and for each subset.
    """

    name = "labelled"
    title = "Accuracy"

    def groups(self, row: Row) -> Iterator[Group]:
        yield group_of({BENCHMARK: self.name, **row.values})

    def figures(self, items: Sequence[Item]) -> Figure:
        return accuracy(self.title, items, self.ties)


def accuracy(name: str, items: Sequence[Item], ties: Ties) -> Figure:
    """How often a right response wins, over all items and for each subset."""
    return Mean(name, tie=ties, below=each_of(items, SUBSET, tie=ties))
