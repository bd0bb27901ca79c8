"""The runs of a study in one file: enough for every figure, without weights and verdicts."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from grm_plugin.errors import ConfigError, quoted
from grm_plugin.evaluation.statistics import Estimate
from grm_plugin.running.whole_file import writing
from recipes.coscaling.figures.runs import Run, number
from recipes.coscaling.figures.scalar_rms import ScalarRM

_DIGITS = 6


@dataclass(frozen=True)
class Published:
    """What a study has measured.

    Args:
        runs: those that are through.
        scalar_rms: those that are trained, by name.
    """

    runs: Sequence[Run] = ()
    scalar_rms: Mapping[str, ScalarRM] = field(default_factory=dict)

    @property
    def names(self) -> set[tuple[str, int]]:
        """Arm and seed of every run."""
        return {(run.arm, run.seed) for run in self.runs}

    def joined(self, other: Published) -> Published:
        """Both; of a run or a scalar RM that is in both, what stands here."""
        more = [run for run in other.runs if (run.arm, run.seed) not in self.names]
        return Published([*self.runs, *more], {**other.scalar_rms, **self.scalar_rms})


def publish(path: Path, known: Published) -> None:
    """Write it, one line a run, numbers to six digits."""
    runs = ",\n".join(_line(asdict(run)) for run in known.runs)
    scalars = ",\n".join(
        f"{json.dumps(name)}: {_line(asdict(one))}" for name, one in known.scalar_rms.items()
    )
    with writing(path) as file:
        file.write(f'{{"runs": [\n{runs}\n],\n"scalar RMs": {{\n{scalars}\n}}}}\n')


def published(path: Path | None) -> Published:
    """What a file of :func:`publish` tells; nothing without a file.

    Raises:
        ConfigError: it can not be read.
    """
    if path is None:
        return Published()
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return Published(
            [_run(one) for one in found["runs"]],
            {name: _scalar_rm(one) for name, one in found["scalar RMs"].items()},
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"runs {quoted(str(path))}: expected what recipes.coscaling.figures writes ({error!r})"
        ) from error


def _line(value: Mapping[str, Any]) -> str:
    return json.dumps(as_json(value, _DIGITS), separators=(",", ":"))


def as_json(value: Any, digits: int | None = None) -> Any:
    """``value`` with null for the numbers that JSON does not know, such as ends of no interval.

    Args:
        value: of mappings, sequences, and what they hold.
        digits: that count of each number; None keeps all.
    """
    if isinstance(value, Mapping):
        return {str(name): as_json(one, digits) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [as_json(one, digits) for one in value]
    if not isinstance(value, float):
        return value
    if not math.isfinite(value):
        return None
    return value if digits is None else float(f"{value:.{digits}g}")


def _run(found: Mapping[str, Any]) -> Run:
    read = {
        "slope": number(found["slope"]),
        "deviations": tuple(found["deviations"]),
        "correlation_R": [number(one) for one in found["correlation_R"]],
    }
    return Run(**{**found, **read})


def _scalar_rm(found: Mapping[str, Any]) -> ScalarRM:
    return ScalarRM(**{**found, "accuracy": Estimate(**found["accuracy"])})
