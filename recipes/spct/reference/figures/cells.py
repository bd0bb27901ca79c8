"""What the commands of a study left: records, and what was chosen."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from grm_plugin.evaluation.scaling.samples import Samples
from grm_plugin.evaluation.whole import shown_whole
from grm_plugin.pipeline.weighing import Weighing, read_weighing
from grm_plugin.records.files import read_verdicts
from grm_plugin.spct.weight_fitting import Feature
from grm_plugin.spct.weight_validation import name_of
from grm_plugin.types import Verdict

SAMPLES, GREEDY = "samples.jsonl", "greedy.jsonl"


@dataclass(frozen=True)
class Cell:
    """The judgments that ``grm scale`` recorded of one judge on one slice.

    Args:
        folder: which it wrote to.
    """

    folder: Path

    @property
    def verdicts(self) -> list[Verdict]:
        """With all their samples."""
        return list(read_verdicts(self.folder / SAMPLES))

    @property
    def samples(self) -> Samples:
        """The same as arrays."""
        return Samples.of(self.verdicts)

    @property
    def once(self) -> list[Verdict]:
        """At temperature 0, with one judgment of each group."""
        return [shown_whole(one) for one in read_verdicts(self.folder / GREEDY)]

    @property
    def greedy(self) -> Samples:
        """The same as arrays."""
        return Samples.of(self.once)


@dataclass(frozen=True)
class Chosen:
    """What was fitted on the tuning slice.

    Args:
        meta, margin: coefficients of the weights, with meta-scores and with margins alone.
        error: of the stopper; None where every one lost too much.
    """

    meta: Weighing
    margin: Weighing
    error: float | None

    @classmethod
    def read(cls, folder: Path) -> Chosen:
        """From the files of ``grm train weights`` and ``grm train stopper`` in ``folder``."""
        stop = json.loads((folder / "stopper.json").read_text(encoding="utf-8"))["stop"]
        return cls(
            read_weighing(folder / "weights.json"),
            read_weighing(folder / "margin.json"),
            None if stop["name"] == "fixed" else float(stop["error"]),
        )


def held_out(weights: Path, *features: Feature) -> dict[int, float]:
    """Accuracy, 0..1, at each k of weights by ``features`` on folds that they were not fitted to.

    Args:
        weights: file of ``grm train weights``.
        features: as it calls them.
    """
    found = json.loads(weights.read_text(encoding="utf-8"))["held_out"]
    return {one["k"]: one["accuracy"]["value"] for one in found if one["name"] == name_of(features)}
