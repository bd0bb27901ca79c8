"""The tables of ``grm scale``."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from rich.table import Table

from grm_plugin.evaluation.resampling import Difference
from grm_plugin.evaluation.scaling.comparing import MEAN
from grm_plugin.evaluation.scaling.figures import GREEDY, Part, Point
from grm_plugin.evaluation.scaling.study import Intervals
from grm_plugin.evaluation.statistics import Estimate
from grm_plugin.report.terminal import plain_table


def curve(part: Part) -> Table:
    """The mean at every k: its accuracy, what it gains, and what it costs."""
    heads = (">k", ">mean", "95 % interval", ">over one", ">ties", ">no reward", ">tokens")
    table = plain_table(*heads)
    for point in [*([part.greedy] if part.greedy else []), *part.of(MEAN)]:
        table.add_row(
            GREEDY if point.scheme == GREEDY else str(point.k),
            *_accuracy(point),
            _gain(point.against.get("one")),
            _percent(point.ties),
            _percent(point.unscored),
            f"{point.cost.written:,.0f}",
        )
    return table


def others(part: Part) -> Table:
    """What other schemes gain over the mean of the same k."""
    names = differing(part)
    found = {(one.scheme, one.k): one.against.get(MEAN) for one in part.points}
    table = plain_table(">k", *(f">{name}" for name in names))
    for point in part.of(MEAN):
        table.add_row(str(point.k), *(_gain(found[name, point.k]) for name in names))
    return table


def early_stops(part: Part) -> Table:
    """What schemes that end early save, and what they gain over the mean at equal cost."""
    table = plain_table("", ">k", ">drawn", ">saved", ">over mean@k", ">over mean@drawn")
    for point in (one for one in part.points if "uniform" in one.against):
        drawn = point.cost.samples
        saved = f"{1 - drawn / point.k:.0%}"
        gains = _gain(point.against.get(MEAN)), _gain(point.against["uniform"])
        table.add_row(point.scheme, str(point.k), f"{drawn:.1f}", saved, *gains)
    return table


def cascades(part: Part, sure: Mapping[str, float], right: Mapping[str, float]) -> Table:
    """What each cascade goes by, as ``scalar.sure`` and ``scalar.judge_accuracy`` take it.

    Args:
        part: of all groups.
        sure: the threshold of each.
        right: how often the judge is right in groups that each does not judge.
    """
    table = plain_table("", ">sure", ">judged", ">judge_accuracy")
    for name, threshold in sure.items():
        last, known = part.of(name)[-1], right.get(name)
        below = math.floor(1e4 * threshold) / 1e4
        judged = f"{last.cost.samples / last.k:.0%}"
        table.add_row(name, f"{below:.4f}", judged, "" if known is None else f"{known:.3f}")
    return table


def parts_table(parts: Sequence[Part]) -> Table:
    """A row for each part: one sample, greedy, and the mean of the most samples."""
    k = parts[0].of(MEAN)[-1].k
    heads = ("", ">groups", ">chance", ">one", f">mean@{k}", "95 % interval", ">over one")
    has_greedy = parts[0].greedy is not None
    table = plain_table(*heads, *((f">{GREEDY}", ">over it") if has_greedy else ()))
    for part in parts:
        first, last = part.of(MEAN)[0], part.of(MEAN)[-1]
        shares = map(_percent, (part.chance, first.accuracy.value))
        row = [part.name, f"{part.groups:,}", *shares, *_accuracy(last)]
        row.append(_gain(last.against.get("one")))
        if part.greedy:
            row += [_percent(part.greedy.accuracy.value), _gain(last.against.get(GREEDY))]
        table.add_row(*row)
    return table


def told(part: Part, intervals: Intervals) -> str:
    """What the tables mean."""
    by = ", ".join(f"{name} ({number})" for name, number in part.clusters.items())
    together = f" clustered by {by}" if by else ""
    counts = {"random": "1/m for m responses", "half": "one half", "strict": "nothing"}
    return (
        "Differences are in points, and paired; * where the "
        f"{100 * intervals.level:.0f} % interval leaves out 0. Intervals: by groups{together}. A "
        f"tie at the top counts {counts[intervals.ties]}. Tokens: what the judge writes for a "
        "group."
    )


def differing(part: Part) -> list[str]:
    """The schemes beside the mean that are not the same as it at every k, such as the sum is."""
    found = [one.scheme for one in part.points if _differs(one.against.get(MEAN))]
    return list(dict.fromkeys(found))


def _differs(found: Difference | None) -> bool:
    return found is not None and (found.low, found.high) != (0.0, 0.0)


def _accuracy(point: Point) -> tuple[str, str]:
    return _percent(point.accuracy.value), _interval(point.accuracy)


def _interval(found: Estimate) -> str:
    return f"{100 * found.low:.1f} to {100 * found.high:.1f}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _gain(found: Difference | None) -> str:
    if found is None:
        return ""
    clear = found.low > 0 or found.high < 0
    return f"{100 * found.value:+.1f}{'*' if clear else ' '}"
