"""Which aims of the protocol were met, those without an interval among them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SAME_MARGIN = "same N and margin"
_LEAST_AREA = 0.70
_LEAST_SAVED = 0.45


@dataclass(frozen=True)
class Aim:
    """What was hoped for, and what came of it.

    Args:
        name: what is measured.
        aim: what was hoped for.
        found: what it came to.
        holds: whether it came out so.
    """

    name: str
    aim: str
    found: str
    holds: bool

    @property
    def told(self) -> str:
        """One line for the terminal."""
        return f"{self.name}: {self.found}; {verdict(self.holds)}: {self.aim}"


def verdict(holds: bool) -> str:
    """How tables say whether an aim was met."""
    return "met" if holds else "not met"


def other_aims(notes: Mapping[str, Any], most_lost: float) -> list[Aim]:
    """The aims without an interval, of those that ``notes`` of the study tell about.

    Args:
        notes: ``areas``; ``adaptive k``: None where no error of the stopper lost so little on the
            tuning slice, else what it ``saved``, a share, and its ``change`` of the accuracy
            against all samples, in points.
        most_lost: points that the stopper may lose.
    """
    found = []
    if areas := notes.get("areas"):
        area = areas[SAME_MARGIN]["value"]
        aim = f"at least {_LEAST_AREA:.2f}"
        found.append(Aim("same-margin AUC", aim, f"{area:.3f}", area >= _LEAST_AREA))
    if "adaptive k" in notes:
        found += _adaptive(notes["adaptive k"], most_lost)
    return found


def _adaptive(early: Mapping[str, float] | None, most_lost: float) -> list[Aim]:
    aim = f"at least {_LEAST_SAVED:.0%} at a loss of at most {most_lost:g} points"
    if early is None:
        none = "no error of the stopper lost so little on tune"
        gain = Aim("adaptive k - uniform k", "interval above 0", none, False)
        return [Aim("samples saved", aim, none, False), gain]
    saved, change = early["saved"], early["change"]
    holds = saved >= _LEAST_SAVED and change >= -most_lost
    return [Aim("samples saved", aim, f"{saved:.1%} at {change:+.2f} points", holds)]
