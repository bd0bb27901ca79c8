"""One run of the study as curves: what it cost, and how good the policy was."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from grm_plugin.errors import ConfigError, InputError, quoted
from grm_plugin.hosts.inputs.lines import read_json_lines
from recipes.coscaling.following import slope

_SPENT = {"flops": "flops", "tokens": "tokens", "seconds": "cpu_seconds"}
_CHECKED = "rewards/true_quality/std"
COSTS = ("steps", *_SPENT)
"""What runs are compared at equal amounts of: optimizer steps; ``flops`` of everything that judges;
``tokens`` that the judge wrote; ``seconds`` of a core, those of the policy among them."""


@dataclass(frozen=True)
class Run:
    """One arm and seed.

    Args:
        arm: its name.
        seed: of the policy's training.
        steps_P: optimizer steps after which it was measured, rising, from 0 on.
        heldout_P, tune_P: true quality then, 0..1, on held-out queries and on those to choose by.
        spent_P: of each of :data:`COSTS` that was measured, what had been spent until then.
        reward_R, truth_R: mean reward and true quality of each training round's own responses.
        deviations: of reward and of true quality over the responses of the first rounds.
        slope: of the regression of reward on true quality over the same responses; 1 where the
            reward is true quality, NaN where nothing tells.
        correlation_R: of reward and true quality inside groups, by round; NaN where it says none.
        responses: that are rewarded in a round.
        alarms: that began in the whole run; 0 where nothing was watched.
    """

    arm: str
    seed: int
    steps_P: Sequence[int]
    heldout_P: Sequence[float]
    tune_P: Sequence[float]
    spent_P: Mapping[str, Sequence[float]]
    reward_R: Sequence[float]
    truth_R: Sequence[float]
    deviations: tuple[float, float]
    slope: float
    correlation_R: Sequence[float]
    responses: int
    alarms: float = 0.0


def read_run(folder: Path, truth: Path, *, edge: int, responses: int) -> Run:
    """The run in ``folder``, named ``.../ARM/SEED``.

    Args:
        folder: with ``metrics.jsonl``.
        truth: the file of :mod:`recipes.coscaling.measure`.
        edge: rounds that count as the start.
        responses: of a round.

    Raises:
        ConfigError: a file is missing, is none of a run, or the two do not belong together.
    """
    rows = _rows(folder / "metrics.jsonl")
    points = _points(truth)
    rounds = [row for row in rows if "reward" in row]
    if not rounds or points[-1]["step"] > max(row["step"] for row in rows):
        raise ConfigError(f"{folder}: {quoted(str(truth))} was measured on another run")
    steps = [int(point["step"]) for point in points]
    return Run(
        arm=folder.parent.name,
        seed=int(folder.name),
        steps_P=steps,
        heldout_P=[point["heldout"]["quality"] for point in points],
        tune_P=[point["tune"]["quality"] for point in points],
        spent_P={"steps": steps}
        | {cost: _until(steps, rows, name) for cost, name in _measured(rows)},
        reward_R=[row["reward"] for row in rounds],
        truth_R=[row["true_quality"] for row in rounds],
        deviations=_deviations(rounds[:edge]),
        slope=_slope(rows, rounds, edge),
        correlation_R=[number(row.get("grm/truth_correlation")) for row in rounds],
        responses=responses,
        alarms=max(row.get("grm/alarms") or 0.0 for row in rounds),
    )


def _measured(rows: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """The costs that a log tells of, with their names in it."""
    return [(cost, name) for cost, name in _SPENT.items() if any(name in row for row in rows)]


def _until(steps: Sequence[int], rows: Sequence[Mapping[str, Any]], name: str) -> list[float]:
    """What had been spent after each of ``steps``."""
    return [
        math.fsum(row.get(name) or 0.0 for row in rows if row["step"] <= step) for step in steps
    ]


def _deviations(rounds: Sequence[Mapping[str, Any]]) -> tuple[float, float]:
    """Root mean square over the rounds, which all have as many responses."""
    return _quadratic(rounds, _own(rounds[0])), _quadratic(rounds, "true_quality_deviation")


def _own(row: Mapping[str, Any]) -> str:
    """The name of the deviation of what rewards; what only logs rewards nothing."""
    names = [name for name in row if name.startswith("rewards/") and name.endswith("/std")]
    return next(name for name in names if row[name])


def _slope(
    rows: Sequence[Mapping[str, Any]], rounds: Sequence[Mapping[str, Any]], edge: int
) -> float:
    if _own(rounds[0]) == _CHECKED:
        return 1.0
    end = rounds[edge]["step"] if edge < len(rounds) else math.inf
    return slope(row for row in rows if row["step"] < end)


def _quadratic(rounds: Sequence[Mapping[str, Any]], name: str) -> float:
    return math.sqrt(math.fsum(row[name] ** 2 for row in rounds) / len(rounds))


def _rows(path: Path) -> list[dict[str, Any]]:
    try:
        return [row for _, row in read_json_lines(path)]
    except InputError as error:
        raise ConfigError(f"run {path}: expected a line of JSON a step ({error})") from error


def _points(path: Path) -> list[dict[str, Any]]:
    try:
        found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
        in_order = all(one["step"] < other["step"] for one, other in pairwise(found))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ConfigError(f"{path}: expected a list of measured steps ({error})") from error
    if not found or not in_order:
        raise ConfigError(f"{path}: expected measured steps that rise, got {len(found)} of them")
    return found


def number(value: Any) -> float:
    """A number of JSON; NaN where there is none."""
    return math.nan if value is None else float(value)
