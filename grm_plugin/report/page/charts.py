"""Which plots a page has, and what each of them says."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterator, Mapping, Sequence

from grm_plugin.hosts.counting import Tally
from grm_plugin.hosts.places import Places
from grm_plugin.report.page.axes import bins, short
from grm_plugin.report.page.links import among, to
from grm_plugin.report.page.plots import Bar, Line, Plot, Point, bar_plot, line_plot
from grm_plugin.report.page.summary import Summary

_MOST_POINTS = 60
_MOST_PLACES = 16

Steps = Mapping[tuple[str, int], Tally]


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
    yield _course(steps, "Mean reward", lambda one: one.by_group.value)
    yield _course(steps, "Spread within groups", lambda one: one.spread.value, within=(0,))
    yield _course(steps, "Share of groups tied at the top", lambda one: one.tie_rate, within=(0, 1))
    yield _course(steps, "Share of valid samples", lambda one: one.valid_rate, within=(0, 1))


def _course(
    steps: Steps, name: str, value: Callable[[Tally], float], within: Sequence[float] = ()
) -> Plot:
    phases = sorted({phase for phase, _ in steps}, key=lambda phase: (phase != "train", phase))
    lines = [Line(phase, list(_points(steps, phase, value))) for phase in phases]
    lines = [line for line in lines if line.points]
    title = f"{name} {_change(lines[0].points)}" if lines else f"{name} is not known"
    groups = sum(one.groups for one in steps.values())
    return line_plot(title, f"{groups:,} groups", lines, x="step", y=name.lower(), within=within)


def _points(steps: Steps, phase: str, value: Callable[[Tally], float]) -> Iterator[Point]:
    numbers = sorted(step for of, step in steps if of == phase)
    size = math.ceil(len(numbers) / _MOST_POINTS)
    for start in range(0, len(numbers), size):
        taken = numbers[start : start + size]
        together = sum((steps[phase, step] for step in taken), Tally())
        if math.isfinite(found := value(together)):
            yield _point(taken, phase, found, together.groups)


def _point(steps: Sequence[int], phase: str, value: float, groups: int) -> Point:
    first, last = steps[0], steps[-1]
    when = f"step {first}" if first == last else f"steps {first} to {last}"
    link = to(step=among(first, last, with_high=True), **({"phase": phase} if phase else {}))
    return Point((first + last) / 2, value, f"{when}: {value:.3f} of {groups:,} groups", link)


def _change(points: Sequence[Point]) -> str:
    """How the first and the last fifth of the points compare."""
    some = max(1, len(points) // 5)
    first = statistics.fmean(one.y for one in points[:some])
    last = statistics.fmean(one.y for one in points[-some:])
    if abs(last - first) < 0.005:
        return f"stays near {last:.2f}"
    return f"{'rises' if last > first else 'falls'} from {first:.2f} to {last:.2f}"
