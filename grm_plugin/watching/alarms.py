"""What can alarm, when an alarm begins, and what is said of it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from grm_plugin.watching.artefacts import Rise, Seen
from grm_plugin.watching.compared import Compared
from grm_plugin.watching.drift import Drift
from grm_plugin.watching.gap import Measured, correlation_of, gap_of
from grm_plugin.watching.start import Start

ARTEFACT = "artefact "
_EXAMPLES = 3
_FEWEST = 20  # groups from which a correlation below 0 means anything
_ERRORS = 4.0


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

    @property
    def of_gap(self) -> bool:
        """Whether it says that the rewards have left the control judge."""
        return not self.signal.startswith(ARTEFACT)


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
    def of(cls, step: int | None, recent: Sequence[Compared], start: Start | None) -> Figures:
        """Of the groups of the last rounds; the gap is NaN before the start is known."""
        if start is None:
            return cls(step, Measured(math.nan, math.nan), correlation_of(recent), len(recent), ())

        def apart(group: Compared) -> float:
            reward, control = start.z(group)
            return reward - control

        widest = sorted(recent, key=apart, reverse=True)[:_EXAMPLES]
        examples = tuple(group.fingerprint for group in widest)
        return cls(step, gap_of(recent, start), correlation_of(recent), len(recent), examples)


class Signals:
    """Everything that can alarm; an alarm begins once, and may begin again when it has ended.

    Args:
        rounds: of the start.
        artefacts: names of the patterns.
    """

    def __init__(self, rounds: int, artefacts: Iterable[str]) -> None:
        self._drift: Drift | None = None
        self._rises = {name: Rise(rounds) for name in artefacts}
        self._on: set[str] = set()

    @property
    def start(self) -> Start | None:
        """What is usual; None before it is known."""
        return self._drift.start if self._drift else None

    def begin(self, start: Start | None) -> None:
        """The start is over, if there is one."""
        self._drift = Drift(start) if start else None

    def add_compared(self, groups: Sequence[Compared]) -> None:
        """Count the groups of one round that both judges judged."""
        if self._drift:
            self._drift.add(groups)

    def add_artefacts(self, seen: Seen) -> None:
        """Count what was found in the responses of one round."""
        for name, rise in self._rises.items():
            if seen.responses:
                rise.add(seen.share(name), seen.groups)

    def begun(self, figures: Figures) -> Iterator[Alarm]:
        """The alarms that begin now."""
        now = self._sounding(figures)
        for signal in now:
            if signal not in self._on:
                yield self._alarm(signal, figures)
        self._on = set(now)

    def _sounding(self, figures: Figures) -> list[str]:
        found: Mapping[str, bool] = {
            **({"onset": self._drift.begins, "level": self._drift.is_high} if self._drift else {}),
            "correlation": bool(self._drift) and _turned(figures),
            **{ARTEFACT + name: rise.alarms for name, rise in self._rises.items()},
        }
        return [signal for signal, sounds in found.items() if sounds]

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
        usual = self._drift.start.inside if self._drift else math.nan
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


def _turned(figures: Figures) -> bool:
    value, error = figures.inside
    return figures.groups >= _FEWEST and value + _ERRORS * error < 0
