"""The section ``watch`` of the settings: what is watched, and what an alarm does."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from grm_plugin.options import Options
from grm_plugin.size import MAX_K, Size

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
OPENING, START = 3, 20
MOST_ARTEFACTS = 32
LONGEST_ARTEFACT = 200
CONTROL = "watch.control.judge"
"""Where the settings of the control judge stand."""


class ControlOptions(Options):
    """The control judge: a judge of its own, of no weight, for a share of the groups.

    Args:
        share: of the groups that it judges, too; chosen by their fingerprints. An alarm needs 4
            groups of a training step at least, better 8.
        judge: how it differs from the judge: any of its settings, such as `template`, `engine` or
            `k`.
    """

    share: float = Field(0.25, gt=0, le=1)
    judge: dict[str, Any] = Field(min_length=1)


class WatchOptions(Options):
    """What is watched, and what an alarm does.

    Args:
        control: the control judge.
        artefacts: texts that no good response needs, by a name for each; a ``*`` in one stands
            for anything, a ``^`` at its start for the start of a response.
        opening: words that are compared of how responses begin.
        start: rounds (training steps) with groups of the control judge from which what is usual is
            taken; nothing alarms before.
        round: groups that are a round where no training step is told.
        alarm: ``warn`` logs it; ``raise_k`` judges with the next size of the schedule, or twice
            the samples, as well; ``stop`` ends the run.
        most: samples of a group beyond which ``raise_k`` does not go; more than it begins with.
    """

    control: ControlOptions | None = None
    artefacts: dict[str, str] = Field(default_factory=dict, max_length=MOST_ARTEFACTS)
    opening: int = Field(OPENING, ge=1, le=20)
    start: int = Field(START, ge=2)
    round: int = Field(32, ge=1)
    alarm: Literal["warn", "raise_k", "stop"] = "warn"
    most: int = Field(64, ge=1, le=MAX_K)

    @field_validator("artefacts")
    @classmethod
    def _can_be_counted(cls, artefacts: dict[str, str]) -> dict[str, str]:
        for name, text in artefacts.items():
            if name == "opening":
                raise ValueError("opening: expected another name; how responses begin has this one")
            if not _NAME.fullmatch(name):
                raise ValueError(
                    f"expected names of small letters, digits and _, got {name[:80]!r}; they "
                    "become metrics"
                )
            if not text.strip("^* \t\n") or len(text) > LONGEST_ARTEFACT:
                raise ValueError(
                    f"{name}: expected a text of 1 to {LONGEST_ARTEFACT} characters, got "
                    f"{text[:80]!r}"
                )
        return artefacts

    @model_validator(mode="after")
    def _watches_something(self) -> WatchOptions:
        if self.control is None and not self.artefacts:
            raise ValueError(
                "expected a control judge or artefacts, got neither, so that nothing could alarm; "
                "write control: {judge: {k: 32}}, or artefacts: {praise: great answer}"
            )
        if self.alarm == "raise_k" and self.control is None:
            raise ValueError(
                "alarm: raise_k expected a control judge, got artefacts alone, which more samples "
                "do not change; write control: {judge: {k: 32}}, or alarm: warn or stop"
            )
        return self

    def misfit(self, sizes: Iterable[Size]) -> str:
        """Why an alarm could do nothing where the judge draws these; empty where it can."""
        k = min(size.k for size in sizes)
        if self.alarm != "raise_k" or self.most > k:
            return ""
        return (
            f"watch.most: expected more samples than the judge's {k}, since watch.alarm is "
            f"raise_k; got {self.most}"
        )
