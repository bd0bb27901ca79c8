"""RM-Bench (arXiv:2410.16184): right and wrong answers in three styles each, compared crosswise."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import product
from typing import Any, Literal

from grm_plugin.errors import InputError, unknown
from grm_plugin.evaluation.benchmarks.benchmark import BenchmarkOptions, Published, column
from grm_plugin.evaluation.benchmarks.reading import Row
from grm_plugin.evaluation.figures import Average, Figure, Mean
from grm_plugin.evaluation.items import PAIR, SECTION, SOURCE, Item
from grm_plugin.evaluation.outcomes import Ties, credit
from grm_plugin.evaluation.truth import Best
from grm_plugin.hosts.values import refused
from grm_plugin.types import Group

DOMAINS = ("chat", "math", "code", "safety")
STYLES = ("concise", "plain", "markdown")
"""Of the three right answers, and of the three wrong ones, in their order."""
LEVELS = ("hard", "normal", "easy")
"""The right answer is in a plainer style than the wrong one, in the same, or in a fancier one."""
_SUBSETS = {one: one for one in DOMAINS} | dict.fromkeys(
    ("safety-refuse", "safety-response"), "safety"
)
CELLS = tuple(product(range(len(STYLES)), repeat=2))
"""Of the matrix: the style of the right answer, and of the wrong one."""
STYLE = "styles"
"""Names in the metadata of a pair the styles of its answers, the right one first."""


class RMBenchOptions(BenchmarkOptions):
    """Options of RM-Bench.

    Args:
        shown: how answers are judged: ``pairs``: each right one beside each wrong one, nine groups
            of two a row; ``list``: all six in one group.
    """

    shown: Literal["pairs", "list"] = "pairs"


class RMBench(Published):
    """Right and wrong answers in three styles each, compared crosswise (arXiv:2410.16184).

    Rows are ``id, prompt, chosen, rejected``, with three answers each: concise, detailed in plain
    text, detailed in Markdown; and ``domain``, or a file name that begins with it. In each domain a
    matrix says how often the right answer in one style is strictly above the wrong one in another.
    Hard is the mean where the wrong one has the fancier style, easy where the right one has, normal
    where both have the same; a domain is the mean of the three, the score that of four domains.
    Safety pools its two files. The pairs of a row share a source.
    """

    Options = RMBenchOptions
    options: RMBenchOptions
    name = "rm_bench"
    title = "RM-Bench"
    truths = (Best,)
    hub = "hub:THU-KEG/RM-Bench"

    def groups(self, row: Row) -> Iterator[Group]:
        values, subset = row.values, _subset(row)
        prompt, id = column(values, "prompt"), f"{subset}:{column(values, 'id')}"
        right, wrong = (_three(values, name) for name in ("chosen", "rejected"))
        known = {"subset": subset, SECTION: _SUBSETS[subset], SOURCE: id}
        if self.options.shown == "list":
            shown = {"prompt": prompt, "responses": [*right, *wrong]}
            yield self.group(shown, id=id, best=[0, 1, 2], **known)
            return
        for i, j in CELLS:
            shown, styles = {"prompt": prompt, "responses": [right[i], wrong[j]]}, _styles(i, j)
            yield self.group(shown, id=f"{id}:{styles}", best=0, **{STYLE: styles}, **known)

    def check(self, group: Group) -> None:
        super().check(group)
        shown = len(group.responses)
        styles = group.metadata.get(STYLE)
        if (styles is None and shown != 2 * len(STYLES)) or (styles is not None and shown != PAIR):
            raise refused(
                (STYLE,), "the styles of a pair, or none of all six answers together", styles
            )

    def figures(self, items: Sequence[Item]) -> Figure:
        """The mean of the domains; below it hard, normal and easy, each over all domains."""
        paired = any(STYLE in item.metadata for item in items)
        cell = partial(_of_pairs if paired else _of_lists, self.ties)
        domains = [
            _whole(domain, [_mean(level, level, domain, cell) for level in LEVELS])
            for domain in DOMAINS
        ]
        levels = [
            _whole(level, [_mean(domain, level, domain, cell) for domain in DOMAINS])
            for level in LEVELS
        ]
        return Average(self.title, tuple(domains), whole=True, below=tuple(levels))


def _whole(name: str, parts: Sequence[Figure]) -> Average:
    return Average(name, tuple(parts), whole=True)


def _mean(name: str, level: str, domain: str, cell: Callable[[str, int, int], Mean]) -> Average:
    """Hard, normal or easy of one domain: the mean of three cells of its matrix."""
    cells = tuple(cell(domain, i, j) for i, j in CELLS if _level(i, j) == level)
    return _whole(name, cells)


def _level(right: int, wrong: int) -> str:
    return LEVELS[0] if right < wrong else LEVELS[1] if right == wrong else LEVELS[2]


def _styles(right: int, wrong: int) -> str:
    return f"{STYLES[right]}/{STYLES[wrong]}"


def _of_pairs(ties: Ties, domain: str, right: int, wrong: int) -> Mean:
    styles = _styles(right, wrong)
    return Mean(styles, where={SECTION: domain, STYLE: styles}, tie=ties)


def _of_lists(ties: Ties, domain: str, right: int, wrong: int) -> Mean:
    won = partial(_won, right, wrong + len(STYLES), ties)
    return Mean(_styles(right, wrong), where={SECTION: domain}, tie=ties, value=won)


def _won(right: int, wrong: int, ties: Ties, item: Item) -> float:
    """What one right answer counts beside one wrong one, of a group of all six."""
    rewards = item.rewards or (None,) * 2 * len(STYLES)
    return credit((rewards[right], rewards[wrong]), Best((0,)), ties)


def _subset(row: Row) -> str:
    named = str(row.values.get("domain") or row.file.name.split("_")[0].split(".")[0])
    if named not in _SUBSETS:
        raise InputError(f"domain: {unknown('domain', named[:80], _SUBSETS)}")
    return named


def _three(values: Mapping[str, Any], name: str) -> Sequence[Any]:
    found = column(values, name)
    if not isinstance(found, list | tuple) or len(found) != len(STYLES):
        raise refused((name,), f"{len(STYLES)} answers ({', '.join(STYLES)})", found)
    return found
