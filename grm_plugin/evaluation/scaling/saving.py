"""A study as JSON: figures, and all that they depend on."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

import grm_plugin
from grm_plugin.evaluation.scaling.figures import Part
from grm_plugin.evaluation.scaling.measuring import Design
from grm_plugin.evaluation.scaling.samples import Samples
from grm_plugin.evaluation.scaling.study import Intervals
from grm_plugin.running.whole_file import writing
from grm_plugin.types import digest

VERSION = 1


def save(
    path: Path,
    parts: Sequence[Part],
    samples: Samples,
    design: Design,
    intervals: Intervals,
    *,
    judge: Mapping[str, Any],
    sure: Mapping[str, float] | None = None,
    judge_accuracy: Mapping[str, float] | None = None,
) -> None:
    """Write ``parts`` to ``path``, whole or not at all.

    Args:
        path: the file; its folder is made.
        parts: what :func:`study` found.
        samples: what it was found on; only its size and fingerprint are written.
        design, intervals: how it was found.
        judge: the origin of the verdicts.
        sure: by the name of a cascade the threshold of sureness that it goes by.
        judge_accuracy: how often the judge is right where each would not ask it.
    """
    found = {
        "version": VERSION,
        "data": {
            "groups": len(samples.groups),
            "samples": samples.samples,
            "fingerprint": fingerprint(samples),
        },
        "judge": dict(judge),
        "settings": {**asdict(intervals), **asdict(design), "interval_seed": intervals.seed},
        "versions": {
            "grm_plugin": grm_plugin.__version__,
            "numpy": np.__version__,
            "python": platform.python_version(),
        },
        "sure": dict(sure or {}),
        "judge_accuracy": dict(judge_accuracy or {}),
        "parts": [asdict(part) for part in parts],
    }
    with writing(path) as file:
        file.write(json.dumps(found, indent=1, allow_nan=False) + "\n")


def fingerprint(samples: Samples) -> str:
    """Hex digest of the groups and their labels, whatever their order."""
    known = zip(samples.groups, samples.best_G, strict=True)
    return digest("\n".join(sorted(f"{group.fingerprint} {best}" for group, best in known)))
