"""How well the scalar RMs of the study were trained."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grm_plugin.errors import ConfigError
from grm_plugin.evaluation.statistics import Estimate

FLAT = 0.005
"""Nats by which the loss of held-out pairs may still fall over the last quarter of the steps."""


@dataclass(frozen=True)
class ScalarRM:
    """What one training came to.

    Args:
        accuracy: share of held-out pairs in their order, with its interval over groups.
        loss: of held-out pairs, nats; the lowest.
        fell: by how much it fell over the last quarter of the steps.
        flat: whether it ended before its last step, or fell by no more than :data:`FLAT`.
        steps: optimizer steps.
        seconds: that the training took, by the clock.
    """

    accuracy: Estimate
    loss: float
    fell: float
    flat: bool
    steps: int
    seconds: float


def scalar_rms(folder: Path) -> dict[str, ScalarRM]:
    """Those in the folders of ``folder`` that are trained, by name.

    Raises:
        ConfigError: a report can not be read.
    """
    reports = sorted(folder.glob("*/report.json"))
    return {path.parent.name: _read(path.parent) for path in reports}


def check_flat(folder: Path) -> None:
    """Go on only where the training of the scalar RM in ``folder`` ended flat.

    Raises:
        ConfigError: it did not, or its report can not be read.
    """
    found = _read(folder)
    if not found.flat:
        raise ConfigError(
            f"scalar RM {folder} is not flat: the loss of held-out pairs fell by {found.fell:.3f} "
            f"nats over the last quarter of its {found.steps} steps, expected at most {FLAT}; no "
            "policy was trained. As the protocol says, double scalar.options.epochs in study.yaml, "
            "cut arms from the bottom for it and name both under Amended; delete "
            f"{folder} and run the same command again"
        )


def _read(folder: Path) -> ScalarRM:
    try:
        report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
        lines = (folder / "log.jsonl").read_text(encoding="utf-8").splitlines()
        return _told(report, [json.loads(line) for line in lines])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"scalar RM {folder}: its report can not be read ({error!r})") from error


def _told(report: dict[str, Any], log: Sequence[dict[str, Any]]) -> ScalarRM:
    training, accuracy = report["training"], report["validation"]["accuracy"]
    looks = [(row["step"], row["eval_loss"]) for row in log if "eval_loss" in row]
    fell = _fell(looks, training["steps"])
    return ScalarRM(
        accuracy=Estimate(accuracy["value"], accuracy["low"], accuracy["high"]),
        loss=training["held_out_loss"],
        fell=fell,
        flat=training["ended"] == "flat" or fell <= FLAT,
        steps=training["steps"],
        seconds=training["seconds"],
    )


def _fell(looks: Sequence[tuple[int, float]], steps: int) -> float:
    """The lowest loss of the first three quarters of the steps, less the lowest of all."""
    before = [loss for step, loss in looks if step <= 0.75 * steps]
    return min(before) - min(loss for _, loss in looks) if before else float("inf")
