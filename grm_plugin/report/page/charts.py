"""Which plots a page has, and what each of them says."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence

from grm_plugin.hosts.places import Places
from grm_plugin.report.page.axes import bins, short
from grm_plugin.report.page.links import among, to
from grm_plugin.report.page.plots import Bar, Line, Plot, Point, bar_plot, line_plot
from grm_plugin.report.page.summary import Summary
from grm_plugin.report.training import CURVES, Curve, Steps, phases, points, told

_MOST_PLACES = 16


def charts_of(summary: Summary, *, with_places: bool = True) -> Iterator[Plot]:
    """The plots of ``summary``; none of what it does not know.

    Args:
        summary: what was counted.
        with_places: also scores by place, where nobody has measured their intervals.
    """
    if summary.rewards:
        yield _rewards(summary.rewards)
    if summary.spreads:
        yield _spreads(summary.spreads)
    if with_places and len(summary.tally.places.lifts) > 1:
        yield _places(summary.tally.places)
    if len({step for _, step in summary.steps}) > 1:
        yield from _over_steps(summary.steps)


def _rewards(rewards: Sequence[float]) -> Plot:
    low, _, high = statistics.quantiles(rewards, n=4) if len(rewards) > 1 else [rewards[0]] * 3
    title = f"Half of the rewards lie between {short(round(low, 3))} and {short(round(high, 3))}"
    bars = list(_histogram(rewards, "reward", "responses"))
    return bar_plot(title, f"{len(rewards):,} rewards", bars, x="reward", y="responses")


def _spreads(spreads: Sequence[float]) -> Plot:
    mean = statistics.fmean(spreads)
    title = f"The rewards of a group spread by {mean:.3f} on average"
    note = f"standard deviation in {len(spreads):,} groups; near 0 a policy learns nothing"
    bars = list(_histogram(spreads, "spread", "groups"))
    return bar_plot(title, note, bars, x="spread of the rewards of a group", y="groups")


def _histogram(values: Sequence[float], name: str, counted: str) -> Iterator[Bar]:
    found = bins(values)
    for number, (low, high, count) in enumerate(found, start=1):
        label = f"{name} {short(low)} to {short(high)}: {count:,} {counted}"
        link = to(**{name: among(low, high, with_high=number == len(found))})
        yield Bar(low, high, count, label, link)


def _places(places: Places) -> Plot:
    lifts = places.lifts[:_MOST_PLACES]
    best, worst = lifts.index(max(lifts)) + 1, lifts.index(min(lifts)) + 1
    bars = [
        Bar(
            place - 0.4,
            place + 0.4,
            lift,
            f"place {place}: {lift:+.2f} points, mean score {mean:.2f}",
            to(place=str(place)),
        )
        for place, (lift, mean) in enumerate(zip(lifts, places.means, strict=False), start=1)
    ]
    return bar_plot(
        f"Place {best} scores {max(lifts) - min(lifts):.2f} points above place {worst}",
        f"{places.judgments:,} judgments; chance alone opens a gap, the wider the fewer they are",
        bars,
        x="place of the response in the judge's prompt",
        y="points above the mean of all places",
        labels=[(place, str(place)) for place in range(1, len(lifts) + 1)],
    )


def _over_steps(steps: Steps) -> Iterator[Plot]:
    for curve in CURVES:
        lines = [Line(phase, list(_points(steps, phase, curve))) for phase in phases(steps)]
        if lines := [line for line in lines if line.points]:
            yield _course(steps, curve, lines)


def _course(steps: Steps, curve: Curve, lines: Sequence[Line]) -> Plot:
    title = told(curve, [point.y for point in lines[0].points])
    note = f"{sum(one.tally.groups for one in steps.values()):,} groups"
    return line_plot(title, note, lines, x="step", y=curve.name.lower(), within=curve.within)


def _points(steps: Steps, phase: str, curve: Curve) -> Iterator[Point]:
    for first, last, value, groups in points(steps, phase, curve):
        when = f"step {first}" if first == last else f"steps {first} to {last}"
        where = {"step": among(first, last, with_high=True)}
        link = to(**where, **({"phase": phase} if phase else {}))
        label = f"{when}: {value:.3f} of {groups:,} groups"
        yield Point((first + last) / 2, value, label, link)
