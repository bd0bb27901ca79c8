"""Plots as values: where each bar, point and label stands. The template draws them as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grm_plugin.report.page.axes import Axis

WIDTH, HEIGHT = 480, 230
LEFT, RIGHT, TOP, BOTTOM, MARGIN = 52, 12, 12, 40, 8

Labels = Sequence[tuple[float, str]]


@dataclass(frozen=True)
class Point:
    """A value at ``x``; ``label`` says it in words, ``link`` leads to the groups behind it.

    ``low`` and ``high`` are its 95 % interval, where there is one.
    """

    x: float
    y: float
    label: str
    link: str = ""
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Bar:
    """A value from ``low`` to ``high`` on the x axis; the rest as of :class:`Point`."""

    low: float
    high: float
    value: float
    label: str
    link: str = ""


@dataclass(frozen=True)
class Line:
    """Points that belong together, x ascending; ``joined`` where there is something between."""

    name: str
    points: Sequence[Point]
    joined: bool = True


@dataclass(frozen=True)
class Plot:
    """A plot whose title is what it says.

    Args:
        title: one sentence, the message.
        note: what is shown, of how many, and what to beware of.
        x, y: names of the axes with their units.
        bars, lines: either of them.
        x_axis, y_axis: where values stand.
        labels: what stands on the x axis in place of its numbers: value and text.
    """

    title: str
    note: str
    x: str
    y: str
    x_axis: Axis
    y_axis: Axis
    bars: Sequence[Bar] = ()
    lines: Sequence[Line] = ()
    labels: Labels = ()

    @property
    def x_marks(self) -> list[tuple[float, str]]:
        """Pixel and label of each mark of the x axis."""
        return [(self.x_axis(value), text) for value, text in self.labels] or self.x_axis.marks


def bar_plot(
    title: str, note: str, bars: Sequence[Bar], *, x: str, y: str, labels: Labels = ()
) -> Plot:
    """Bars from zero; with ``labels`` the x axis ends with them."""
    edges = [edge for bar in bars for edge in (bar.low, bar.high)]
    across = _across(edges, labels)
    up = Axis.over([0.0, *(bar.value for bar in bars)], HEIGHT - BOTTOM, TOP, 4)
    return Plot(title, note, x, y, across, up, bars=bars, labels=labels)


def line_plot(
    title: str,
    note: str,
    lines: Sequence[Line],
    *,
    x: str,
    y: str,
    within: Sequence[float] = (),
    labels: Labels = (),
) -> Plot:
    """Lines through points; the y axis shows what is ``within`` it, too."""
    points = [point for line in lines for point in line.points]
    heights = [
        one for point in points for one in (point.y, point.low, point.high) if one is not None
    ]
    across = _across([point.x for point in points], labels)
    up = Axis.over([*heights, *within], HEIGHT - BOTTOM, TOP, 4)
    return Plot(title, note, x, y, across, up, lines=lines, labels=labels)


def _across(values: Sequence[float], labels: Labels) -> Axis:
    if labels and max(values) > min(values):
        return Axis((min(values), max(values)), LEFT + MARGIN, WIDTH - RIGHT - MARGIN)
    return Axis.over(values, LEFT, WIDTH - RIGHT)
