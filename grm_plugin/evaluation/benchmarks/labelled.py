"""Any file of labelled groups, and the figures of groups by what is known of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from grm_plugin.errors import InputError
from grm_plugin.evaluation.benchmarks.benchmark import BenchmarkOptions, Published
from grm_plugin.evaluation.benchmarks.correlating import correlations, rank_correlation
from grm_plugin.evaluation.benchmarks.discrimination import roc_auc
from grm_plugin.evaluation.benchmarks.reading import Row
from grm_plugin.evaluation.figures import Figure, Mean, Statistic, each_of
from grm_plugin.evaluation.items import BENCHMARK, LABEL, PICK, SOURCE, SUBSET, TRUTH, Item
from grm_plugin.evaluation.outcomes import Ties
from grm_plugin.evaluation.selecting import Where
from grm_plugin.evaluation.truth import LABELS, RATINGS
from grm_plugin.hosts.cells import Cells
from grm_plugin.hosts.columns import Columns
from grm_plugin.hosts.rows import group_of
from grm_plugin.hosts.strict_json import from_json
from grm_plugin.types import Group

Way = Callable[[Sequence[Item], Where], Mean | Statistic]


class LabelledOptions(BenchmarkOptions):
    """Options of labelled groups.

    Args:
        columns: names of the columns, such as ``prompt=question,responses=a+b``.
        source: the column of what rows share that are not independent, such as their prompt or
            their author; rows without it, and of None all rows, count as independent. Of rows that
            all share one there is no interval.
    """

    columns: str | None = None
    source: str | None = SOURCE


class Labelled(Published):
    """Any groups with labels of your own.

    Rows are those of any input, with ``best`` (an index, or several), ``correct`` (0 or 1, or one
    of each response) or ``ratings`` (N numbers), and perhaps ``subset`` and ``source``. The figure
    is how often a right response has the highest reward; of single responses that are right or
    wrong the area under the ROC curve; of ratings their correlation with rewards. Each has one for
    every subset.
    """

    Options = LabelledOptions
    options: LabelledOptions
    name = "labelled"
    title = "Labelled groups"

    def groups(self, row: Row) -> Iterator[Group]:
        group = group_of(row.values, columns=self._columns)
        known = dict(group.metadata)
        known[SOURCE] = known.get(self.options.source) if self.options.source else None
        if isinstance(row.values, Cells):
            known |= {key: _read(key, known[key]) for key in LABELS if known.get(key)}
        yield replace(group, metadata={**known, BENCHMARK: self.name})

    def figures(self, items: Sequence[Item]) -> Figure:
        return figures_of(items, self.ties)

    @property
    def _columns(self) -> Columns:
        return Columns.parse([self.options.columns] if self.options.columns else ())


def figures_of(items: Sequence[Item], ties: Ties) -> Figure:
    """The figures of a benchmark that has none of its own, by what is known of its groups.

    Where groups are known in several ways, those of the first way are on top.

    Args:
        items: judged, at least one.
        ties: what a tie at the top counts.
    """
    kinds = {item.get(TRUTH) for item in items}
    ways: Mapping[str, Way] = {
        PICK: partial(_accuracy, ties),
        LABEL: _discrimination,
        RATINGS: _agreement,
    }
    first, *others = [way(items, {TRUTH: kind}) for kind, way in ways.items() if kind in kinds]
    return replace(first, below=(*first.below, *others)) if others else first


def _accuracy(ties: Ties, items: Sequence[Item], where: Where) -> Mean | Statistic:
    subsets = each_of(items, SUBSET, where=where, tie=ties)
    return Mean("Accuracy", where=where, tie=ties, below=subsets)


def _discrimination(items: Sequence[Item], where: Where) -> Mean | Statistic:
    subsets = (roc_auc(one.name, where=one.where) for one in each_of(items, SUBSET, where=where))
    return roc_auc("ROC-AUC", where=where, below=tuple(subsets))


def _agreement(items: Sequence[Item], where: Where) -> Mean | Statistic:
    subsets = each_of(items, SUBSET, where=where)
    below = (rank_correlation(one.name, one.where) for one in subsets)
    top = correlations("Agreement", where)
    return replace(top, below=(*top.below, *below))


def _read(key: str, cell: str) -> Any:
    try:
        return from_json(cell)
    except InputError as error:
        raise InputError(f"{key}: {error}") from error
