"""How recorded judgments vote in ``grm eval``: as they did, or as the command line says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grm_plugin.cli.eval_records import Recorded
from grm_plugin.cli.judge import JudgeSettings, read_pairs
from grm_plugin.errors import ConfigError, InputError, quoted
from grm_plugin.evaluation.accuracy import Marks, by_weight
from grm_plugin.evaluation.resettling import (
    Ballot,
    all_vote,
    best,
    marks_on_record,
    rule_on_record,
)
from grm_plugin.options import Part, read_options
from grm_plugin.pipeline.selectors import WeightsOptions
from grm_plugin.pipeline.weighing import Weighing, read_weighing
from grm_plugin.plugins import Plugins

_VOTING = ("k", "vote", "k_meta", "select", "template", "seed")
_META_RM = (
    "the choice goes by meta-scores, and judgments of {name} have none; `grm scale RECORDS` with a "
    "classifier rates them"
)


def voting_settings(settings: JudgeSettings) -> dict[str, Any]:
    """What the command line says about votes.

    Raises:
        ConfigError: it says something about a judge, which is not asked.
    """
    given = {**read_pairs(settings.pairs, "--set"), **settings.shortcuts}
    others = [name for name in given if name.split(".")[0] not in _VOTING]
    others += [f"--config {settings.file}"] if settings.file else []
    if others:
        raise ConfigError(
            f"{others[0]}: recorded verdicts are evaluated without a judge; of its settings only "
            f"{', '.join(_VOTING)} count"
        )
    return given


def ballot_of(
    record: Recorded, given: Mapping[str, Any], weights: Path | None, plugins: Plugins
) -> Ballot:
    """How the judgments of ``record`` vote.

    Args:
        record: whose origin says how they did.
        given: of :func:`voting_settings`.
        weights: a file of soft weights.
        plugins: who offers voters and templates.

    Raises:
        ConfigError: a setting is wrong.
        InputError: a choice goes by meta-scores that are not on record.
    """
    rule = rule_on_record(
        record.origin,
        vote=Part.model_validate(given["vote"]) if "vote" in given else None,
        template=given.get("template"),
        plugins=plugins,
    )
    marks, by_meta = _marks(given, weights)
    if by_meta and not record.rated:
        raise InputError(_META_RM.format(name=record.name))
    changed = marks is not None or "vote" in given or "template" in given
    return Ballot(rule, marks or marks_on_record(record.origin), as_judged=not changed)


def _marks(given: Mapping[str, Any], weights: Path | None) -> tuple[Marks | None, bool]:
    """Who votes, None for as recorded; and whether that goes by meta-scores."""
    select = Part.model_validate(given["select"]) if "select" in given else None
    named = [name for name in ("select", "k_meta") if name in given] + ["--weights"] * bool(weights)
    if len(named) > 1 and named != ["select", "k_meta"]:
        raise ConfigError(f"expected one of {' and '.join(named)}: each says who votes")
    if weights or (select and select.name == "weights"):
        weighing = read_weighing(weights) if weights else _named_weights(select)
        return by_weight(weighing), bool(weighing.meta)
    if select and select.name == "all" and "k_meta" not in given:
        return all_vote, False
    if "k_meta" in given and (select is None or select.name == "meta_rm"):
        return best(_positive(given["k_meta"])), True
    if select:
        raise ConfigError(
            f"select: expected all, weights, or meta_rm with k_meta, for recorded verdicts, got "
            f"{quoted(str(select))}"
        )
    return None, False


def _named_weights(select: Part | None) -> Weighing:
    options = read_options(WeightsOptions, "selector 'weights'", select.options if select else {})
    return options.coefficients or read_weighing(options.file or Path())


def _positive(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ConfigError(f"k_meta: expected a whole number from 1 on, got {quoted(value)}")
    return value
