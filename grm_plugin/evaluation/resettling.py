"""Recorded judgments vote again: other k, voters and choices of the meta RM, and no new token."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from grm_plugin.engine import Limits
from grm_plugin.errors import ConfigError, InputError, TemplateError, quoted
from grm_plugin.evaluation.accuracy import (
    Marks,
    as_recorded,
    best_by_meta_score,
    by_weight,
    settled_at,
    voted_at,
)
from grm_plugin.evaluation.costs import cost_of_samples, samples_of
from grm_plugin.options import Part, read_options
from grm_plugin.pipeline.building import find_template
from grm_plugin.pipeline.case import Case
from grm_plugin.pipeline.plans import Plan, read_plan
from grm_plugin.pipeline.scalar_voting import ScalarRule
from grm_plugin.pipeline.selecting import keep_best
from grm_plugin.pipeline.settling import Rule, settle
from grm_plugin.pipeline.weighing import Weighing
from grm_plugin.plugins import Plugins, installed
from grm_plugin.prompts import Template
from grm_plugin.types import Judgment, Scale, Verdict

Rewards = tuple[float | None, ...] | None
Vote = tuple[Rewards, Sequence[Judgment]]
"""What a set of samples comes to, and its judgments."""
_SHOWS = {"list": "list", "each": "each", "pairs": "pair"}


@dataclass(frozen=True)
class Ballot:
    """How recorded judgments vote.

    Args:
        rule: how judgments become rewards.
        marks: who votes among those of a smaller k.
        as_judged: whether the recorded rewards hold where all samples of a verdict vote.
        told: settings of the judge in whose place others stand, for the origin of new verdicts.
    """

    rule: Rule
    marks: Marks = as_recorded
    as_judged: bool = True
    told: Mapping[str, Any] = field(default_factory=dict)

    def rewards(self, verdict: Verdict, k: int, sets: int, seed: int = 0) -> list[Rewards]:
        """What ``k`` samples come to, as :meth:`votes` has it."""
        return [rewards for rewards, _ in self.votes(verdict, k, sets, seed)]

    def votes(self, verdict: Verdict, k: int, sets: int, seed: int = 0) -> list[Vote]:
        """What ``k`` samples come to, for up to ``sets`` sets of them; the first k come first.

        A verdict that ended with fewer samples than k gives what all of them come to, one that was
        not judged nothing.

        Args:
            verdict: scored or not.
            k: at least 1.
            sets: at least 1.
            seed: decides the sets.
        """
        drawn = samples_of(verdict)
        if not drawn:
            return [(self._undrawn(verdict), ())]
        if k >= drawn and self.as_judged:
            return [(verdict.rewards, verdict.judgments)]
        found = voted_at(
            verdict, self.rule, k=min(k, drawn), marks=self.marks, seed=seed, most=sets
        )
        return [(one.rewards, judgments) for judgments, one in itertools.islice(found, sets)]

    def _undrawn(self, verdict: Verdict) -> Rewards:
        """What a group comes to that was not judged: nothing, unless a scalar RM decided it."""
        case = Case.of(verdict)
        return None if case.asks_the_judge else settle((), case, self.rule).rewards

    def verdict(self, verdict: Verdict, k: int | None = None) -> Verdict:
        """``verdict`` as its first ``k`` samples come to it, which are all that is left of it.

        Args:
            verdict: scored or not.
            k: None: all samples.
        """
        drawn = samples_of(verdict)
        if self.as_judged and k is None:
            return verdict
        verdict = replace(verdict, origin=self.origin(verdict.origin, k))
        if not drawn or (self.as_judged and k is not None and k >= drawn):
            return verdict
        kept = min(k or drawn, drawn)
        judgments = [one for one in verdict.judgments if one.sample < kept]
        failures = tuple(one for one in verdict.failures if one.sample < kept)
        settled = next(settled_at(verdict, self.rule, k=kept, marks=self.marks, most=1))
        return replace(
            verdict,
            rewards=settled.rewards,
            unscored=settled.unscored,
            unscored_responses=settled.responses,
            judgments=tuple(one for run in _runs(judgments) for one in self.marks(run, kept)),
            failures=failures,
            cost=verdict.cost if kept == drawn else cost_of_samples(verdict, kept),
        )

    def origin(self, before: Mapping[str, Any], k: int | None = None) -> dict[str, Any]:
        """How verdicts were made whose judgments vote so, the same for all of a record.

        Args:
            before: how they were made before.
            k: samples that were asked for, of which a verdict may have fewer; None: as before.
        """
        found = dict(before)
        if str(_voter(before)) != self.rule.name:
            found["vote"] = self.rule.name
        if k is not None:
            found |= {"k": k, **_fewer(before, k)}
        if "select" in self.told:
            found.pop("weights", None)
        return {**found, **self.told}


def _fewer(before: Mapping[str, Any], k: int) -> dict[str, int]:
    """The share of a meta RM's choice among ``k`` samples, where it is on record."""
    share = before.get("k_meta"), before.get("k")
    return {} if None in share else {"k_meta": _share_of(*share, k)}  # type: ignore[arg-type]


def _runs(judgments: Sequence[Judgment]) -> list[list[Judgment]]:
    numbers = sorted({one.run for one in judgments})
    return [[one for one in judgments if one.run == number] for number in numbers]


def rule_on_record(
    origin: Mapping[str, Any],
    *,
    vote: Part | None = None,
    template: str | None = None,
    plugins: Plugins | None = None,
) -> Rule:
    """The rule by which recorded judgments become rewards.

    Args:
        origin: of the verdicts.
        vote: another voter; None: the recorded one.
        template: whose scale counts; None: the recorded one, which must not have changed.
        plugins: who offers the parts; None: what is installed.

    Raises:
        ConfigError: a part is not there.
        InputError: the scale of the judge is not known.
    """
    offered = plugins or installed()
    voter = vote or _voter(origin)
    plan = plan_on_record(origin)
    made = offered.make("voter", voter.name, voter.options, Limits())
    scale = scale_on_record(origin, offered, template)
    return Rule(
        str(voter),
        made,
        scale,
        plan.aggregate,
        both_orders=plan.name == "pairs",
        scalar=ScalarRule.on_record(origin, voter.name),
    )


def _voter(origin: Mapping[str, Any]) -> Part:
    return Part.model_validate(origin.get("vote") or "mean")


def plan_on_record(origin: Mapping[str, Any]) -> Plan:
    """The plan by which recorded judgments were made.

    Raises:
        ConfigError: there is no such plan.
    """
    part = Part.model_validate(origin.get("plan") or "list")
    return read_plan(part, _SHOWS.get(part.name, "list"))  # type: ignore[arg-type]


def scale_on_record(origin: Mapping[str, Any], plugins: Plugins, name: str | None = None) -> Scale:
    """The scale of the template ``name``, or of the recorded one.

    Raises:
        InputError: the recorded one is not installed, or another by now.
        ConfigError, TemplateError: there is no template ``name``.
    """
    if name:
        return find_template(name, plugins).scale
    if template := template_on_record(origin, plugins):
        return template.scale
    raise InputError(
        f"the judge's template {quoted(origin.get('template'))} is not installed, or another by "
        "now, and votes go by its scale; name one with the same scale with --template"
    )


def template_on_record(origin: Mapping[str, Any], plugins: Plugins) -> Template | None:
    """The template that the judge was asked by.

    None where it is not on record, is not at hand, or is another by now.
    """
    name = origin.get("template")
    if not isinstance(name, str):
        return None
    try:
        template = find_template(name, plugins)
    except (ConfigError, TemplateError):
        return None
    return template if template.digest == origin.get("template_hash") else None


def marks_on_record(origin: Mapping[str, Any]) -> Marks:
    """Who votes among fewer samples, chosen as the judge's selector chose among all of them."""
    chosen = Part.model_validate(origin.get("select") or "all")
    if chosen.name == "weights" and isinstance(origin.get("weights"), Mapping):
        return by_weight(read_options(Weighing, "weights on record", origin["weights"]))
    if chosen.name != "meta_rm":
        return as_recorded
    k_meta, k = origin.get("k_meta"), origin.get("k")
    if k_meta is None or k is None:
        return best_by_meta_score
    return lambda judgments, few: keep_best(judgments, _share_of(k_meta, k, few))


def _share_of(k_meta: int, k: int, few: int) -> int:
    """Of ``few`` samples as many as ``k_meta`` are of ``k``, at least one."""
    return max(1, round(few * k_meta / k))
