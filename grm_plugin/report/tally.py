"""A tally told: what ``grm score`` shows at its end."""

from __future__ import annotations

import math
from collections import Counter

from rich.table import Table

from grm_plugin.hosts.counting import Tally
from grm_plugin.hosts.places import Places
from grm_plugin.hosts.scalar_counting import ScalarTally
from grm_plugin.prices import dollars
from grm_plugin.report.terminal import plain_table
from grm_plugin.types import Cost

_PLACES = 8


def summary(tally: Tally, *, judged: int, seconds: float) -> Table:
    """The table at the end.

    Args:
        tally: all verdicts of the output.
        judged: how many of them this run added.
        seconds: wall seconds this run judged.
    """
    table = counts(tally)
    table.add_row("this run", f"{judged:,}", f"groups in {seconds:.1f} s, {rate(judged, seconds)}")
    return table


def counts(tally: Tally) -> Table:
    """What there is in a record."""
    table = plain_table("", ">", "", head=False)
    for name, value, note in _rows(tally):
        table.add_row(name, value, note)
    return table


def _rows(tally: Tally) -> list[tuple[str, str, str]]:
    mean = f"{tally.mean_reward:.3f}" if tally.scored else "none"
    cost = tally.cost
    return [
        ("groups", f"{tally.groups:,}", ""),
        ("scored", f"{tally.scored:,}", ""),
        ("unscored", f"{tally.unscored.total():,}", by_reason(tally.unscored)),
        *_left_out(tally),
        *_by_scalar(tally.scalar),
        *_early(tally),
        ("samples valid", f"{tally.valid:,}", percent(tally.valid_rate, 1)),
        ("samples dropped", f"{tally.dropped.total():,}", by_reason(tally.dropped)),
        ("ties for the top", percent(tally.tie_rate, 1), "of groups with two or more responses"),
        ("mean reward", mean, ""),
        *_by_place(tally.places),
        *_by_length(tally),
        ("judge tokens", f"{cost.output_tokens:,}", f"written, {cost.prompt_tokens:,} read"),
        *_money(cost),
    ]


def _left_out(tally: Tally) -> list[tuple[str, str, str]]:
    if not tally.left_out:
        return []
    return [("responses unscored", f"{tally.left_out:,}", "of scored groups")]


def _by_scalar(scalar: ScalarTally) -> list[tuple[str, str, str]]:
    """What a scalar RM decided, and whether audits agree; nothing where there is none."""
    if not scalar.groups:
        return []
    alone = scalar.groups - scalar.judged
    rows = [("by the scalar RM", f"{alone:,}", f"groups without the judge, of {scalar.groups:,}")]
    if scalar.audits.count:
        note = f"agreement of the judge on pairs, in {scalar.audits.count:,} groups"
        if scalar.claims.count:
            note += f"; {percent(scalar.claims.value, 1)} were claimed"
        rows.append(("audited", percent(scalar.audits.value, 1), note))
    if scalar.failed:
        rows.append(("no scalar score", f"{scalar.failed:,}", f"of {scalar.responses:,} responses"))
    return rows


def _early(tally: Tally) -> list[tuple[str, str, str]]:
    """Samples a group; nothing where every group got all of them."""
    if not tally.early:
        return []
    note = f"mean; {tally.early / tally.judged:.1%} of groups had enough before k"
    return [("samples a group", f"{tally.drawn.value:.1f}", note)]


def _money(cost: Cost) -> list[tuple[str, str, str]]:
    if cost.money is None:
        return []
    return [("judge money", dollars(cost.money), _unpriced(cost))]


def paid_for(cost: Cost) -> str:
    """``$0.031``, with what is not known of it; empty when nothing is."""
    if cost.money is None:
        return ""
    return " ".join(filter(None, [dollars(cost.money), _unpriced(cost)]))


def _unpriced(cost: Cost) -> str:
    if not cost.unpriced:
        return ""
    samples = "1 sample" if cost.unpriced == 1 else f"{cost.unpriced:,} samples"
    return f"at least; the price of {samples} is not known"


def _by_place(places: Places) -> list[tuple[str, str, str]]:
    """The mean score at each of the first places; nothing where no two responses were compared."""
    if not places.judgments:
        return []
    means = " ".join(f"{mean:.2f}" for mean in places.means[:_PLACES])
    more = " ..." if len(places.means) > _PLACES else ""
    return [("place gap", f"{places.gap:.2f}", f"points; mean score by place: {means}{more}")]


def _by_length(tally: Tally) -> list[tuple[str, str, str]]:
    """How reward goes with length; nothing where one of them never differs within a group."""
    if math.isnan(tally.lengths.value):
        return []
    note = "correlation with the reward, within groups"
    return [("length", f"{tally.lengths.value:+.2f}", note)]


def by_reason(counts: Counter[str]) -> str:
    """``3 truncated, 1 timeout``; empty for nothing."""
    return ", ".join(f"{count:,} {reason}" for reason, count in counts.most_common())


def percent(share: float, digits: int = 0) -> str:
    """A share as people read it; of nothing it is ``none``.

    >>> percent(0.25), percent(0.25, 1), percent(math.nan)
    ('25%', '25.0%', 'none')
    """
    return "none" if math.isnan(share) else f"{share:.{digits}%}"


def rate(groups: int, seconds: float) -> str:
    """Groups per second, or seconds per group where that reads better."""
    if not groups or not seconds:
        return "no rate"
    speed = groups / seconds
    return f"{speed:.1f} groups/s" if speed >= 1 else f"{1 / speed:.1f} s/group"
