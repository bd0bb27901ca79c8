"""What other commands measured, as parts of the page: plots and tables under one heading."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from grm_plugin.report.page import of_evaluation, of_health
from grm_plugin.report.page.plots import Plot
from grm_plugin.report.page.tables import DataTable, Links, is_figure, settings_table, tables_of


@dataclass(frozen=True)
class Section:
    """A part of the page: ``name`` is its place in addresses."""

    name: str
    title: str
    plots: list[Plot]
    tables: list[DataTable]


def section(name: str, value: Any, links: Links) -> Section | None:
    """The part of the page for one kind of measurement; None where there is nothing to tell.

    Args:
        name: measured, health or criteria.
        value: JSON values; of a shape that is not known they are told as they are.
        links: to the groups of a subset, by its name.
    """
    if not value:
        return None
    if name == "measured":
        return Section(name, "Evaluation", *_evaluation(value, links))
    if name == "health":
        return Section(name, "Judge health", *_health(value))
    return Section(name, "Criteria", [], tables_of(_criteria(value), subsets=links))


def _criteria(value: Any) -> Any:
    """As tables, also where they are all that a report counted."""
    if not isinstance(value, Mapping) or not {"criteria", "parts", "by"} <= value.keys():
        return value
    from grm_plugin.report.criteria import for_page  # needs numpy, as who counted them does

    return for_page(value)


def _evaluation(value: Any, links: Links) -> tuple[list[Plot], list[DataTable]]:
    if not isinstance(value, Mapping):
        return [], tables_of(value, subsets=links)
    figures, curve = value.get("figures"), value.get("curve") or ()
    if not isinstance(figures, Mapping) or not is_figure(figures):
        return [], tables_of(value, subsets=links)
    rest = {key: one for key, one in value.items() if key not in ("figures", "curve")}
    return list(of_evaluation.plots(curve, str(figures.get("name", "figure")))), [
        *tables_of(figures, subsets=links),
        *of_evaluation.curve_tables(curve),
        *([settings_table("How it was measured", rest)] if rest else []),
    ]


def _health(value: Any) -> tuple[list[Plot], list[DataTable]]:
    measurements: Any = value.get("measurements") if isinstance(value, Mapping) else None
    if not of_health.are_measurements(measurements):
        return [], tables_of(value)
    return list(of_health.plots(measurements)), list(of_health.tables(measurements))
