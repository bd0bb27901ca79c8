"""What ``grm scale`` makes of verdicts: figures, tables and a picture. Needs numpy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from grm_plugin.cli.recorded_scale import check_scores, recorded_scale
from grm_plugin.cli.scale_records import Judged
from grm_plugin.cli.scale_tables import (
    cascades,
    curve,
    differing,
    early_stops,
    others,
    parts_table,
    told,
)
from grm_plugin.config import GRMConfig
from grm_plugin.errors import InputError, quoted
from grm_plugin.evaluation.outcomes import Ties
from grm_plugin.evaluation.scaling import (
    VOTERS,
    Beside,
    Design,
    Intervals,
    LeadRisks,
    Samples,
    Scheme,
    judge_accuracies,
    known_schemes,
    scalar_schemes,
    stopping,
    study,
    thresholds,
    weighing,
)
from grm_plugin.evaluation.scaling.figures import Part
from grm_plugin.evaluation.scaling.picture import save_picture
from grm_plugin.evaluation.scaling.saving import save
from grm_plugin.options import read_options
from grm_plugin.pipeline.building import find_template
from grm_plugin.pipeline.ranking import RankingOptions
from grm_plugin.pipeline.selectors import WeightsOptions
from grm_plugin.pipeline.weighing import Weighing, read_weighing
from grm_plugin.plugins import installed
from grm_plugin.report.terminal import out, say
from grm_plugin.scalar import WEIGHT
from grm_plugin.types import Scale

_PANELS = 4


@dataclass(frozen=True)
class Asked:
    """What the command line says about the study.

    Args:
        samples: of each group; None: all there are.
        ks: how many vote; None: powers of 2.
        orders: of the samples.
        seed: of orders and resamples.
        clusters: names in the metadata of groups.
        ties: how a tie counts.
    """

    samples: int | None
    ks: tuple[int, ...] | None
    orders: int
    seed: int
    clusters: tuple[str, ...]
    ties: Ties


def report(
    judged: Judged, asked: Asked, config: GRMConfig, weights: Path | None, folder: Path
) -> None:
    """Measure, print, and save to ``folder``.

    Args:
        judged: the verdicts.
        asked: how to measure.
        config: the judge; of it count ``vote``, ``stop`` and ``select``.
        weights: a file of soft weights.
        folder: gets ``scale.json`` and ``scale.png``.

    Raises:
        InputError: a group has no label, fewer samples than asked for, or no greedy judgment.
    """
    samples = Samples.of(judged.samples, k=asked.samples)
    _tell_unequal(judged, samples.samples)
    _tell_unrated(samples)
    greedy = Samples.of(judged.greedy) if judged.greedy else None
    design = _design(asked, samples.samples, judged.origin)
    intervals = Intervals(asked.clusters, asked.ties, seed=asked.seed)
    schemes = _schemes(samples, config, weights, judged)
    parts = study(samples, schemes, design, intervals, greedy=greedy)
    sure, right = thresholds(schemes), judge_accuracies(schemes, samples)
    _print(parts, intervals, sure, right)
    cascaded = {"sure": sure, "judge_accuracy": right}
    file = folder / "scale.json"
    save(file, parts, samples, design, intervals, judge=judged.origin, **cascaded)
    save_picture(folder / "scale.png", _panels(parts), ["mean", *differing(parts[0])])
    out.print(f"figures: {file}", soft_wrap=True)
    out.print(f"picture: {folder / 'scale.png'}", soft_wrap=True)


def _tell_unequal(judged: Judged, used: int) -> None:
    most = max(one.drawn for one in judged.samples)
    fewest = min(one.drawn for one in judged.samples)
    if fewest < most:
        say(f"groups have {fewest} to {most} samples; the first {used} of each count")


def _tell_unrated(samples: Samples) -> None:
    """Judgments that lack a meta-score where others have one."""
    valid_G_K = ~np.isnan(samples.scores_G_K_N).all(axis=2)
    unrated_G_K = valid_G_K & np.isnan(samples.meta_G_K)
    if (valid_G_K & ~unrated_G_K).any() and unrated_G_K.any():
        say(
            f"{unrated_G_K.sum():,} of {valid_G_K.sum():,} judgments have no meta-score: choices "
            "by the meta RM drop them, the other votes do not"
        )


def _design(asked: Asked, samples: int, origin: Mapping[str, Any]) -> Design:
    balanced = origin.get("shuffle") == "balanced" and origin.get("permutations") == origin.get("k")
    ks = asked.ks or tuple(k for k in (1 << power for power in range(11)) if k <= samples)
    return Design(ks, asked.orders, asked.seed, balanced)


def _schemes(
    samples: Samples, config: GRMConfig, weights: Path | None, judged: Judged
) -> list[Scheme]:
    voter = _voter(config)
    schemes = known_schemes(samples, voter)
    if by := _weighing(config, weights):
        _check_rated(samples, by)
        schemes.append(weighing("weights", by, voter))
    schemes += _with_scalar(samples, config, judged, voter)
    if config.stop.name == "ranking":
        schemes.append(_early_stop(config, judged, voter))
    elif config.stop.name != "fixed":
        say(f"stop: {quoted(config.stop.name)} is not measured here; of the stoppers ranking is")
    return schemes


def _voter(config: GRMConfig) -> str:
    if (name := config.vote.name) in VOTERS:
        return name
    say(
        f"vote: {quoted(name)} is not measured here; choices, weights and early stops vote by the "
        "mean"
    )
    return "mean"


def _early_stop(config: GRMConfig, judged: Judged, voter: str) -> Scheme:
    """The stopper that the settings name, on the scale of the judge."""
    options = read_options(RankingOptions, "stopper 'ranking'", config.stop.options)
    scale = _scale("stop: ranking", config, judged)
    risks = LeadRisks(scale.high - scale.low, voter)
    stop = risks.stop(options.error, min_samples=options.min_samples, every=options.round)
    return stopping("early stop", stop, voter)


def _scale(who: str, config: GRMConfig, judged: Judged) -> Scale:
    """The scale of the judge, by which ``who`` goes."""
    scale = recorded_scale(judged.samples[0])
    if scale is None and config.template:
        scale = find_template(str(config.template), installed()).scale
    if scale is None:
        raise InputError(
            f"{who} goes by the scale of the judge, and its template is not on record, not "
            "installed, or another by now; name it with --template, or leave it out"
        )
    check_scores(judged.samples, scale)
    return scale


def _with_scalar(samples: Samples, config: GRMConfig, judged: Judged, voter: str) -> list[Scheme]:
    """The scalar RM whose scores are on record; weights are the settings', or the record's."""
    if np.isnan(samples.scalar_G_N).all():
        return []
    weight, in_cascades = _weights(config, judged.origin.get("scalar"))
    scale = _scale("the vote of a scalar RM", config, judged)
    return scalar_schemes(samples, Beside(scale, weight, voter, in_cascades))


def _weights(config: GRMConfig, on_record: Any) -> tuple[float, float]:
    """Of the scalar RM beside all samples, and in groups that a cascade judges."""
    if scalar := config.scalar:
        cascade = scalar.model_copy(update={"use": "cascade"})
        return scalar.votes_as or WEIGHT, cascade.votes_as
    told = on_record if isinstance(on_record, Mapping) else {}
    weight = float(told.get("weight") or 0.0)
    return weight or WEIGHT, weight if told.get("use") == "cascade" else 0.0


def _check_rated(samples: Samples, by: Weighing) -> None:
    if by.meta and np.isnan(samples.meta_G_K).all():
        raise InputError(
            "the soft weights go by meta-scores, and no judgment has one; name the meta RM, say "
            "--set 'select={name: meta_rm, classifier: {name: transformers, model: FOLDER}}'"
        )


def _weighing(config: GRMConfig, file: Path | None) -> Weighing | None:
    """The soft weights of a file, or those that the settings name."""
    if file:
        return read_weighing(file)
    if config.select.name != "weights":
        return None
    options = read_options(WeightsOptions, "selector 'weights'", config.select.options)
    return options.coefficients or read_weighing(options.file or Path())


def _print(
    parts: list[Part], intervals: Intervals, sure: Mapping[str, float], right: Mapping[str, float]
) -> None:
    overall = parts[0]
    out.rule(f"how often the right response wins, of {overall.groups} groups", align="left")
    out.print(curve(overall), "", sep="\n")
    if differing(overall):
        out.print("other schemes, against the mean of the same k:", others(overall), "", sep="\n")
    if any("uniform" in one.against for one in overall.points):
        out.print("fewer samples:", early_stops(overall), "", sep="\n")
    if sure:
        head = "scalar.sure of each cascade, and scalar.judge_accuracy:"
        out.print(head, cascades(overall, sure, right), "", sep="\n")
    if len(parts) > 1:
        out.print(parts_table(parts), "", sep="\n")
    out.print(told(overall, intervals), "", sep="\n")


def _panels(parts: list[Part]) -> list[Part]:
    sizes = [one for one in parts if one.name.startswith("N = ")]
    return sizes[:_PANELS] or parts[:1]
