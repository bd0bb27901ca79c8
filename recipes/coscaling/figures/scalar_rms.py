"""How well the scalar RMs of the study were trained."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grm_plugin.errors import ConfigError
from grm_plugin.evaluation.statistics import Estimate

FLAT = 0.005
"""Nats by which twice the passes may lower the loss of held-out pairs, and no more."""


@dataclass(frozen=True)
class ScalarRM:
    """What one training came to.

    Args:
        accuracy: share of held-out pairs in their order, with its interval over groups.
        loss: of held-out pairs, nats; the lowest.
        steps: optimizer steps.
        seconds: that the training took, by the clock.
    """

    accuracy: Estimate
    loss: float
    steps: int
    seconds: float


def scalar_rms(folder: Path) -> dict[str, ScalarRM]:
    """Those in the folders of ``folder`` that are trained, by name.

    Raises:
        ConfigError: a report can not be read.
    """
    reports = sorted(folder.glob("*/report.json"))
    return {path.parent.name: _read(path.parent) for path in reports}


def gained(one: ScalarRM, doubled: ScalarRM) -> float:
    """Nats by which twice the passes lowered the loss of held-out pairs.

    A rate that falls to 0 leaves no loss falling at the end of a training, so it takes a longer one
    to say whether more would have helped.

    Args:
        one: a scalar RM.
        doubled: the same with twice the passes.
    """
    return one.loss - doubled.loss


def _read(folder: Path) -> ScalarRM:
    try:
        report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
        return _told(report)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"scalar RM {folder}: its report can not be read ({error!r})") from error


def _told(report: dict[str, Any]) -> ScalarRM:
    training, accuracy = report["training"], report["validation"]["accuracy"]
    return ScalarRM(
        accuracy=Estimate(accuracy["value"], accuracy["low"], accuracy["high"]),
        loss=training["held_out_loss"],
        steps=training["steps"],
        seconds=training["seconds"],
    )
