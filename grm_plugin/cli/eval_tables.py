"""The tables of ``grm eval``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol

from rich.console import Console
from rich.table import Table

from grm_plugin.evaluation.gains import GREEDY, ONE, AtK, Gained
from grm_plugin.evaluation.measuring import Measured
from grm_plugin.evaluation.resampled import FEWEST
from grm_plugin.evaluation.resampling import Difference
from grm_plugin.evaluation.statistics import Estimate
from grm_plugin.prices import dollars
from grm_plugin.report.tally import paid_for
from grm_plugin.report.terminal import one_line, out, plain_table
from grm_plugin.types import Cost

_WIDE = 120
OUTCOMES = ("right", "wrong", "tie", "unscored")
TIES = {
    "strict": "nothing (strict)",
    "half": "one half (half)",
    "random": "the share of right ones among the tied (random)",
}
LEFT_OUT = "Correlations leave out what is unscored"
_A_POINT: Mapping[str, Callable[[float], str]] = {
    "tokens": "{:,.0f}".format,
    "seconds": "{:,.2g}".format,
    "money": dollars,
}
"""What is told for each point gained, and how."""


class Ruled(Protocol):
    """A figure that says by which rule it counts."""

    @property
    def ties(self) -> str | None:
        """What a tie counts."""

    @property
    def lower_is_better(self) -> bool:
        """Whether it is a rate of errors."""


_OVER = {ONE: ">over one", GREEDY: ">over greedy"}


def figures_table(top: Gained) -> Table:
    """A row for each figure of a tree: value, interval, items, outcomes, and what is gained."""
    over = [name for name in _OVER if name in top.over]
    heads = ("", ">value", "95 % interval", ">n", *(f">{name}" for name in OUTCOMES))
    table = plain_table(*heads, *(_OVER[name] for name in over))
    for depth, gained in _rows(top):
        one = gained.measured
        counts = [f"{one.counts.get(name, 0):,}" for name in OUTCOMES]
        table.add_row(
            f"{'  ' * depth}{one_line(one.name)}{_lacking(one)}",
            share(one.value, one),
            interval(one, one),
            f"{one.n:,}",
            *(counts if set(OUTCOMES) & set(one.counts) else [""] * len(OUTCOMES)),
            *(gain(gained.over.get(name), one) for name in over),
        )
    return table


def _lacking(one: Measured) -> str:
    """What a number is made without, in brackets; empty where it has all its parts."""
    if one.value is None or not one.missing:
        return ""
    count = len(one.missing)
    return f" (without {count} {'parts' if count > 1 else 'part'})"


def _rows(gained: Gained, depth: int = 0) -> Iterator[tuple[int, Gained]]:
    """The figures that some group is about, each before those below it."""
    if gained.measured.n or not depth:
        yield depth, gained
        for part in gained.parts:
            yield from _rows(part, depth + 1)


def missing_told(top: Measured) -> str:
    """Which parts of the top figure no group is about; empty for none."""
    names = ", ".join(map(one_line, top.missing))
    return (
        f"no group of: {names}; a figure that is made of all of them has no value" if names else ""
    )


def curve_table(points: tuple[AtK, ...], top: Measured) -> Table:
    """The top figure at every k, what it gains, and what it costs."""
    over = [name for name in _OVER if any(name in point.over for point in points)]
    heads = (">k", ">value", "95 % interval", *(_OVER[name] for name in over))
    more = [name for name in _A_POINT if any(_spent(point, name) for point in points)]
    table = plain_table(*heads, ">tokens a group", *(f">{name} a point" for name in more))
    for point in points:
        each = point.per_point(points[0])
        table.add_row(
            str(point.k),
            share(point.value.value, top),
            interval(point.value, top),
            *(gain(point.over.get(name), top) for name in over),
            f"{point.tokens:,.0f}",
            *(_a_point(each, name) for name in more),
        )
    return table


def _spent(point: AtK, name: str) -> float | None:
    return {"tokens": point.tokens, "seconds": point.seconds, "money": point.cost.money}[name]


def _a_point(each: Mapping[str, float | None], name: str) -> str:
    value = each.get(name)
    return "" if value is None else _A_POINT[name](value)


def cost_told(cost: Cost, groups: int, what: str = "cost") -> str:
    """What a judge cost, in one line that begins with ``what``."""
    tokens = f"{cost.prompt_tokens:,} tokens read, {cost.output_tokens:,} written"
    each = (cost.prompt_tokens + cost.output_tokens) / max(groups, 1)
    money = f", {paid_for(cost)}" if paid_for(cost) else ""
    waited = f"{cost.seconds / max(groups, 1):,.1f} s from asking to verdict"
    return f"{what}: {tokens} ({each:,.0f} a group), {waited}, on average{money}"


def shown(*told: object) -> None:
    """Print tables and lines; where nobody looks at a terminal they are as wide as they are."""
    wide = out if out.is_terminal else Console(file=out.file, width=_WIDE, markup=False)
    for one in told:
        wide.print(one, "", sep="\n", soft_wrap=isinstance(one, str), highlight=False)


def meaning(top: Measured, *, gains: bool) -> str:
    """What the numbers of the tables mean.

    Args:
        top: the first figure.
        gains: whether the tables say what more samples gain.
    """
    told = ["Values in percent, correlations as they are. Groups of one source are drawn together."]
    if gains:
        told += [
            "Gains in points, paired; * where the interval leaves out 0, of "
            f"{FEWEST} sources or more.",
            "A point: what a group costs beyond one sample, for each point gained; seconds are "
            "from asking to verdict, however many groups wait side by side.",
        ]
    if top.is_correlation:
        told += [f"{LEFT_OUT}."]
    return " ".join([*told, *rules_told(_tree(top))])


def rules_told(figures: Iterable[Ruled]) -> Iterator[str]:
    """What ties and unscored groups count in figures, each rule once."""
    for ties, lower in dict.fromkeys((one.ties, one.lower_is_better) for one in figures):
        if ties and lower:
            told = f"Lower is better; a tie at the top counts {TIES[ties]} for the judge"
            yield f"{told}, unscored is left out."
        elif ties:
            yield f"A tie at the top counts {TIES[ties]}; unscored counts 0."


def _tree(top: Measured) -> Iterator[Measured]:
    yield top
    for part in top.parts:
        yield from _tree(part)


def overview_table(rows: Mapping[str, Measured], overall: Estimate | None) -> Table:
    """The top figure of every benchmark, and what they come to together."""
    table = plain_table("", ">value", "95 % interval", ">n", ">unscored")
    for name, one in rows.items():
        unscored = f"{one.counts.get('unscored', 0):,}"
        ends = interval(one, one)
        table.add_row(one_line(name), share(one.value, one), ends, f"{one.n:,}", unscored)
    if overall:
        table.add_row("Overall", share(overall.value), interval(overall), "", "")
    return table


class Scale(Protocol):
    """What a number is of."""

    @property
    def is_correlation(self) -> bool: ...


def share(value: float | None, of: Scale | None = None) -> str:
    """A share in percent; a correlation as it is; a dash where there is none."""
    if value is None or value != value:
        return "-"
    return f"{value:.3f}" if of and of.is_correlation else f"{100 * value:.1f}"


def interval(found: Measured | Estimate, of: Scale | None = None) -> str:
    """Both ends of an interval; empty where there is none."""
    if found.low is None or found.high is None or found.low != found.low:
        return ""
    return f"{share(found.low, of)} to {share(found.high, of)}"


def change(value: float, of: Scale | None = None) -> str:
    """A difference of shares in points, or of correlations as it is."""
    return f"{value:+.3f}" if of and of.is_correlation else f"{100 * value:+.1f}"


def gain(found: Difference | None, of: Scale | None = None) -> str:
    """A paired difference, with a star where its interval leaves out 0."""
    if found is None or found.value != found.value:
        return ""
    clear = found.low > 0 or found.high < 0
    return f"{change(found.value, of)}{'*' if clear else ' '}"
