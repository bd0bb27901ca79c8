"""Ratings: how well rewards go with numbers that people, or other judges, gave to responses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from statistics import fmean
from typing import Any, Literal

from grm_plugin.errors import InputError
from grm_plugin.evaluation.benchmarks.benchmark import BenchmarkOptions, Published, column
from grm_plugin.evaluation.benchmarks.correlating import correlations
from grm_plugin.evaluation.benchmarks.reading import Row
from grm_plugin.evaluation.figures import Figure
from grm_plugin.evaluation.items import BENCHMARK, SOURCE, Item
from grm_plugin.evaluation.truth import RATINGS
from grm_plugin.hosts.columns import Columns
from grm_plugin.hosts.rows import group_of
from grm_plugin.hosts.strict_json import from_json
from grm_plugin.hosts.values import refused
from grm_plugin.types import Group, digest

HEADINGS = {
    "prompt": "The instruction to evaluate:",
    "completion": "Response to evaluate:",
    "reference": "Reference Answer (Score 5):",
    "principles": "Score Rubrics:",
    "": "Feedback:",
}
"""What opens each part in the one text of an absolute grading task."""
_PARTS = re.compile(
    ".*" + "".join(f"^###{re.escape(text)}(.*)" for text in HEADINGS.values()), re.S | re.M
)


class RatingsOptions(BenchmarkOptions):
    """Options of rating data.

    Args:
        rating: the column of the ratings: a number for a single response, N for N of them; several
            for a single one are its ratings by several people, whose mean counts.
        columns: names of the other columns, such as ``prompt=question,responses=a+b``.
        source: the column of what rows share that are not independent; None: their prompt.
        form: ``rows``: as every input has them; ``grading``: the column ``instruction`` holds one
            text with instruction, response, reference and rubric under headings, as Prometheus
            (arXiv:2310.08491) and its MT-Bench data have it.
    """

    rating: str = "ratings"
    columns: str | None = None
    source: str | None = None
    form: Literal["rows", "grading"] = "rows"


class RatedResponses(Published):
    """Responses with ratings, alone or several to a prompt.

    Rows are those of any input, with a column of ratings. Groups of one prompt share a source. The
    figures are correlations of rewards and ratings over all responses, and within a source.
    """

    name = "ratings"
    title = "Ratings"
    Options = RatingsOptions
    options: RatingsOptions

    def groups(self, row: Row) -> Iterator[Group]:
        given = column(row.values, self.options.rating)
        values = {name: it for name, it in row.values.items() if name != self.options.rating}
        if self.options.form == "grading":
            values = _graded(values)
        named = Columns.parse([self.options.columns] if self.options.columns else ())
        group = group_of(values, columns=named)
        yield replace(
            group,
            metadata={
                **group.metadata,
                BENCHMARK: self.name,
                SOURCE: self._source(row.values, group),
                RATINGS: _ratings(given, len(group.responses), self.options.rating),
            },
        )

    def _source(self, values: Mapping[str, Any], group: Group) -> str:
        if self.options.source:
            return str(column(values, self.options.source))
        return digest(repr(group.conversation))

    def figures(self, items: Sequence[Item]) -> Figure:
        """Correlations over all responses, and within a source."""
        return correlations(self.title)


def _graded(values: Mapping[str, Any]) -> dict[str, Any]:
    """The row that a grading task tells in one text."""
    text = column(values, "instruction")
    found = _PARTS.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        headings = ", ".join(f"'###{one}'" for one in HEADINGS.values())
        raise refused(("instruction",), f"a text with the headings {headings}", text)
    parts = dict(zip(HEADINGS, (part.strip() for part in found.groups()), strict=True))
    del parts[""]
    return {name: it for name, it in values.items() if name != "instruction"} | parts


def _ratings(given: Any, n: int, name: str) -> list[float]:
    """One of each response; of a single response the mean of all that are given."""
    numbers = _listed(given, name)
    for place, number in enumerate(numbers):
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise refused((name, place), "a number", number)
    if n == 1 and numbers:
        return [fmean(numbers)]
    if len(numbers) != n:
        raise refused((name,), f"{n} numbers, one for each response", given)
    return numbers


def _listed(given: Any, name: str) -> list[Any]:
    """What is given as a list, a number, or a text of either."""
    try:
        values = from_json(given) if isinstance(given, str) else given
    except InputError as error:
        raise refused((name,), "a number or a list of numbers", given) from error
    return list(values) if isinstance(values, list | tuple) else [values]
