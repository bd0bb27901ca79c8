"""How recorded judgments vote in ``grm eval``: as they did, or as the command line says."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from grm_plugin.cli.eval_records import Recorded
from grm_plugin.cli.judge import JudgeSettings, read_pairs
from grm_plugin.errors import ConfigError, InputError, placed, quoted
from grm_plugin.evaluation.accuracy import Marks, all_vote, best, by_weight
from grm_plugin.evaluation.resettling import (
    Ballot,
    marks_on_record,
    rule_on_record,
)
from grm_plugin.options import Part, put, read_options
from grm_plugin.pipeline.origin import written
from grm_plugin.pipeline.selectors import WeightsOptions
from grm_plugin.pipeline.weighing import Weighing, read_weighing
from grm_plugin.plugins import Plugins

Count = Annotated[int, Field(ge=1, strict=True)]


@dataclass(frozen=True)
class Voting:
    """What the command line says about votes; None is as recorded.

    Args:
        k: the first samples of each group, that count.
        vote: the voter.
        k_meta: so many judgments with the best meta-scores vote.
        select: who votes: all, or weights.
        template: whose scale the scores are on.
        seed: decides sets of samples, and resamples.
    """

    k: Count | None = None
    vote: Part | None = None
    k_meta: Count | None = None
    select: Part | None = None
    template: str | None = None
    seed: int = 0


_VOTING = TypeAdapter(Voting)


def read_voting(settings: JudgeSettings) -> Voting:
    """What the command line says about votes.

    Raises:
        ConfigError: a setting is wrong, or about a judge, which is not asked.
    """
    given: dict[str, Any] = {}
    pairs = {**read_pairs(settings.pairs, "--set"), **settings.shortcuts}
    for key in sorted(pairs, key=lambda key: key.count(".")):
        put(given, key, pairs[key])
    known = [field.name for field in fields(Voting)]
    others = [name for name in given if name not in known]
    others += [f"--config {settings.file}"] if settings.file else []
    if others:
        raise ConfigError(
            f"{others[0]}: recorded verdicts are evaluated without a judge; of its settings only "
            f"{', '.join(known)} count"
        )
    try:
        return _VOTING.validate_python(given)
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError(
            f"{placed(first['loc'])}: {first['msg'].lower()}, got {quoted(first['input'])}"
        ) from None


def ballot_of(record: Recorded, voting: Voting, weights: Path | None, plugins: Plugins) -> Ballot:
    """How the judgments of ``record`` vote.

    Args:
        record: whose origin says how they did.
        voting: what the command line says.
        weights: a file of soft weights.
        plugins: who offers voters and templates.

    Raises:
        ConfigError: a setting is wrong.
        InputError: a choice goes by meta-scores that are not on record.
    """
    rule = rule_on_record(
        record.origin, vote=voting.vote, template=voting.template, plugins=plugins
    )
    choice = _choice(record, voting, weights)
    marks, told = choice or (marks_on_record(record.origin), {})
    if voting.vote:
        told["vote"] = written(voting.vote.model_dump(mode="json"))
    if voting.template:
        told["scale"] = list(rule.scale)
    return Ballot(rule, marks, as_judged=not (choice or told), told=told)


def _choice(
    record: Recorded, voting: Voting, weights: Path | None
) -> tuple[Marks, dict[str, Any]] | None:
    """Who votes, and the settings that say so; None for as recorded."""
    select = voting.select.name if voting.select else None
    if weights or select == "weights":
        _check_alone(voting, weights)
        weighing = read_weighing(weights) if weights else _named_weights(voting.select)
        if weighing.meta:
            _check_rated(record)
        return by_weight(weighing), _settings("weights", weights=weighing.model_dump(mode="json"))
    if voting.k_meta is not None and select in (None, "meta_rm"):
        _check_rated(record)
        chosen = Part.model_validate(record.origin.get("select") or "all")
        by = record.origin["select"] if chosen.name == "meta_rm" else "meta_rm"
        return best(voting.k_meta), _settings(by, k_meta=voting.k_meta)
    if select == "all" and voting.k_meta is None:
        return all_vote, _settings("all")
    if select:
        raise ConfigError(
            "select: expected all, weights, or meta_rm with k_meta, for recorded verdicts, got "
            f"{quoted(str(voting.select))}"
        )
    return None


def _settings(select: object, **more: Any) -> dict[str, Any]:
    return {"select": select, "k_meta": None, **more}


def _check_alone(voting: Voting, weights: Path | None) -> None:
    if voting.k_meta is not None or (weights and voting.select):
        raise ConfigError("expected one of select, k_meta and --weights: each says who votes")


def _check_rated(record: Recorded) -> None:
    if not record.rated:
        raise InputError(
            f"the choice goes by meta-scores, and judgments of {record.name} have none; `grm scale "
            "RECORDS` with a classifier rates them"
        )


def _named_weights(select: Part | None) -> Weighing:
    options = read_options(WeightsOptions, "selector 'weights'", select.options if select else {})
    return options.coefficients or read_weighing(options.file or Path())
