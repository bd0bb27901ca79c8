"""What can alarm, when an alarm begins, and what is said of it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from grm_plugin.watching.artefacts import Rise, Seen
from grm_plugin.watching.compared import Compared
from grm_plugin.watching.drifts import Drifts, Parts
from grm_plugin.watching.gap import Measured, correlation_of

ARTEFACT = "artefact "
_EXAMPLES = 3
_FEWEST = 20  # groups from which a correlation below 0 means anything
_ERRORS = 4.0
_ENDS = 0.5  # an alarm ends below this part of the limit that it began at


@dataclass(frozen=True)
class Alarm:
    """An alarm that began.

    Args:
        signal: ``onset``, ``level``, ``correlation``, or ``artefact`` and its name.
        step: training steps that were over; None where none is told.
        said: what is to be said of it, with figures.
        fingerprints: of groups that show it.
    """

    signal: str
    step: int | None
    said: str
    fingerprints: tuple[str, ...] = ()


class Figures(NamedTuple):
    """How it stands over the last rounds.

    Args:
        step: training steps that were over.
        gap: between rewards and the control judge, in z of the start.
        inside: their correlation inside groups.
        groups: both are of.
        examples: fingerprints of the groups whose gap is widest.
    """

    step: int | None
    gap: Measured
    inside: Measured
    groups: int
    examples: tuple[str, ...]

    @classmethod
    def of(
        cls, step: int | None, recent: Sequence[Compared], parts: Parts, drifts: Drifts
    ) -> Figures:
        """Of the groups of the last rounds; the gap is NaN before a start is known.

        Args:
            step: training steps that were over.
            recent: the groups.
            parts: what each source gave them.
            drifts: what is usual for each source.
        """
        widest = dict.fromkeys(name for _, name in sorted(drifts.zs(parts), reverse=True))
        examples = tuple(itertools.islice(widest, _EXAMPLES))
        return cls(step, drifts.gap(parts), correlation_of(recent), len(recent), examples)


class Signals:
    """Everything that can alarm; an alarm begins once, and may begin again when it has ended.

    It ends below half of what it began at. Those of the gap tell of one event: none of them begins
    again before all have ended.

    Args:
        rounds: of the start.
        artefacts: names of the patterns.
    """

    def __init__(self, rounds: int, artefacts: Iterable[str]) -> None:
        self.drifts = Drifts(rounds)
        self._rises = {name: Rise(rounds) for name in artefacts}
        self._on: set[str] = set()

    def add_artefacts(self, seen: Seen) -> None:
        """Count what was found in the responses of one round."""
        for name, rise in self._rises.items():
            if seen.responses:
                rise.add(seen.share(name), seen.groups)

    @property
    def apart(self) -> bool:
        """Whether rewards are apart from the control judge: a signal of the gap began and has not
        ended, nor have those that began beside it."""
        return any(_of_gap(signal) for signal in self._on)

    def begun(self, figures: Figures) -> Iterator[Alarm]:
        """The alarms that begin now."""
        now = list(self._sounding(figures))
        yield from (self._alarm(signal, figures) for signal in now if signal not in self._on)
        lasting = filter(_of_gap, self._on) if any(map(_of_gap, now)) else ()
        self._on = {*now, *lasting}

    def _sounding(self, figures: Figures) -> Iterator[str]:
        drifts = self.drifts.present
        over: Mapping[str, Callable[[float], bool]] = {
            "onset": lambda part: any(one.onset_over(part) for one in drifts),
            "level": lambda part: any(one.level_over(part) for one in drifts),
            "correlation": lambda part: bool(drifts) and _turned(figures, part),
            **{ARTEFACT + name: rise.over for name, rise in self._rises.items()},
        }
        for signal, is_over in over.items():
            if is_over(_ENDS if signal in self._on else 1.0):
                yield signal

    def _alarm(self, signal: str, figures: Figures) -> Alarm:
        if signal.startswith(ARTEFACT):
            rise = self._rises[signal.removeprefix(ARTEFACT)]
            said = (
                f"{signal} is in {rise.usual.x + rise.value:.0%} of the responses{_at(figures)}, "
                f"and was in {rise.usual.x:.0%} at the start"
            )
            return Alarm(signal, figures.step, said)
        return Alarm(signal, figures.step, self._said(signal, figures), figures.examples)

    def _said(self, signal: str, figures: Figures) -> str:
        gap, inside = figures.gap, figures.inside
        usual = start.inside if (start := self.drifts.usual) else math.nan
        shown = ", ".join(figures.examples)
        return (
            f"{_SAID[signal]}{_at(figures)}: over {figures.groups} groups of the last rounds the "
            f"gap is {gap.value:+.2f} z (error {gap.error:.2f}){_inside(inside, usual)}; it is "
            f"widest in the groups {shown}"
        )


_SAID = {
    "onset": "rewards have begun to leave the control judge",
    "level": "rewards have risen beyond what the control judge can explain",
    "correlation": "rewards go against the control judge inside groups",
}


def _inside(now: Measured, usual: float) -> str:
    """Nothing where it is not known, as where no judge tells the responses of a group apart."""
    if not math.isfinite(now.value + now.error + usual):
        return ""
    return (
        f", and the correlation inside groups {now.value:.2f} (error {now.error:.2f}, at the start "
        f"{usual:.2f})"
    )


def _at(figures: Figures) -> str:
    return "" if figures.step is None else f" at step {figures.step}"


def _turned(figures: Figures, part: float) -> bool:
    value, error = figures.inside
    return figures.groups >= _FEWEST and value + part * _ERRORS * error < 0


def _of_gap(signal: str) -> bool:
    return not signal.startswith(ARTEFACT)
