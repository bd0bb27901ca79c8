"""A judge's health as a table for the terminal."""

from __future__ import annotations

from itertools import groupby

from rich.table import Table

from grm_plugin.evaluation.health import Health
from grm_plugin.report.terminal import plain_table

OFF = "*"
"""Stands beside a number whose interval leaves out what it is without a bias."""


def health_table(health: Health) -> Table:
    """A row for each number, those of one section together; ``*`` marks a bias."""
    table = plain_table("", "", ">value", "95 % interval", "", ">n", "", title="judge health")
    for section, found in groupby(health, key=lambda one: one.meaning.section):
        for place, one in enumerate(found):
            mark = OFF if one.off_neutral else ""
            name = "" if place else section
            meaning = one.meaning
            table.add_row(
                name, meaning.title, one.told, one.interval, mark, f"{one.n:,}", meaning.units
            )
    return table


def explained(health: Health) -> list[str]:
    """A line for each number that shows a bias: which one, and what it says."""
    return [
        f"{one.meaning.title}, {one.text}: {one.meaning.text}" for one in health if one.off_neutral
    ]
