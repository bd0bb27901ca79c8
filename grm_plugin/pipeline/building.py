"""From settings to the parts of a scorer; wrong ones fail here, before anything starts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from grm_plugin.config import GRMConfig
from grm_plugin.contracts.contract import Contract
from grm_plugin.engine import Engine, Limits, Sampling, replays
from grm_plugin.options import Part
from grm_plugin.pipeline.combining import check_scalar, check_sizes, check_vote, check_weights
from grm_plugin.pipeline.default import with_judge
from grm_plugin.pipeline.drawing import Drawer
from grm_plugin.pipeline.fitting import Fitter
from grm_plugin.pipeline.opening import Opener
from grm_plugin.pipeline.planner import Planner
from grm_plugin.pipeline.plans import Plan, read_plan
from grm_plugin.pipeline.pricing import Pricing
from grm_plugin.pipeline.reading import Reader
from grm_plugin.pipeline.scalar_stage import make_scalar_stage
from grm_plugin.pipeline.scalar_voting import ScalarRule
from grm_plugin.pipeline.scorer import Scorer
from grm_plugin.pipeline.selecting import Selector
from grm_plugin.pipeline.settling import Rule
from grm_plugin.pipeline.sources import Sources
from grm_plugin.pipeline.stopping import Stopper
from grm_plugin.pipeline.voting import Voter
from grm_plugin.plugins import Plugins
from grm_plugin.prompts import Template, is_template_file, load_template
from grm_plugin.running import guarded
from grm_plugin.running.budget import Budget
from grm_plugin.thinking import Thinking
from grm_plugin.types import Scale


@dataclass(frozen=True)
class Form:
    """How a judge is asked, and how its answers are read.

    Args:
        template: the prompt.
        named: the contract as it was named, with its options.
        reader: reads the answers by that contract.
    """

    template: Template
    named: Part
    reader: Reader


def make_form(config: GRMConfig, plugins: Plugins) -> Form:
    """The template that ``config`` names, and what reads the answers to it.

    Raises:
        ConfigError: a part is not offered, or its options are wrong.
        TemplateError: the template can not be used.
    """
    template = find_template(config.template or "grm", plugins)
    named = config.contract or template.contract
    contract: Contract = plugins.make("contract", named.name, named.options, _limits(config))
    return Form(template, named, Reader(contract, _thinking(config), template.scale, named.name))


def make_scorer(
    config: GRMConfig,
    plugins: Plugins,
    budget: Budget | None = None,
    *,
    beside: Scorer | None = None,
    section: str = "",
) -> Scorer:
    """All parts that ``config`` names, made and not started.

    Args:
        config: the settings.
        plugins: who offers the parts.
        budget: what the run may spend, which may outlive these parts; None: a new one.
        beside: a judge whose engine, selector and sources are taken where they are set alike.
        section: where ``config`` stands in the settings that were given, for messages.

    Raises:
        ConfigError: a part is not offered, its options are wrong or do not fit another part, or a
            budget in money has no prices.
        PluginError: a part can not be made.
        TemplateError: the template can not be used.
    """
    config = _filled(config, plugins)
    make = partial(_made, plugins, _limits(config))
    form, shared = make_form(config, plugins), _shared(config, beside)
    template, contract = form.template, form.reader.contract
    plan = _plan(config, contract)
    engine: Engine = shared.get("engine") or make("engine", config.engine)
    selector: Selector = shared.get("select") or make("selector", config.select)
    sources: Sources = shared.get("sources") or _sources(config, make)
    rule = _rule(config, plan, make("voter", config.vote), template.scale)
    check_weights(config, rule.voter, weighs=getattr(selector, "weighs", False))
    check_scalar(config, rule.voter, replays=replays(engine))
    planner = Planner(config, both_orders=rule.both_orders)
    fitter = _fitter(config, engine, plan, template)
    pricing = Pricing(engine, config.prices, selector, config.flops_per_token)
    scorer = Scorer(
        config=config,
        contract=form.named,
        engine=engine,
        template=template,
        opener=Opener(config, engine, template, sources, fitter, planner, contract.forms),
        planner=planner,
        drawer=Drawer(engine, form.reader, _samplings(config, template, contract), pricing),
        stopper=_following(config.stop.name, make("stopper", config.stop), rule),
        selector=selector,
        rule=rule,
        budget=budget or Budget(config.budget),
        scalar=make_scalar_stage(config, make),
    )
    scorer.check_budget(started=False, section=section)
    return scorer


def _shared(config: GRMConfig, beside: Scorer | None) -> Mapping[str, Any]:
    """The parts of another judge that this one would make alike, by the setting that names them."""
    if beside is None or _limits(config) != _limits(beside.config):
        return {}
    parts = ("engine", "select", "evidence", "principles")
    same = {name for name in parts if getattr(config, name) == getattr(beside.config, name)}
    sources = {"evidence", "principles"} <= same
    return {
        **({"engine": beside.engine} if "engine" in same else {}),
        **({"select": beside.selector} if "select" in same else {}),
        **({"sources": beside.opener.sources} if sources else {}),
    }


def find_template(name: str, plugins: Plugins) -> Template:
    """A template by offered name, else by path (anything with a slash or a suffix).

    Raises:
        ConfigError: nobody offers one of that name.
        TemplateError: it can not be used.
    """
    if is_template_file(name):
        return load_template(Path(name))
    return load_template(plugins.get("template", name), name)


def _filled(config: GRMConfig, plugins: Plugins) -> GRMConfig:
    """The settings with a judge, and with what its engine prefers where nothing was set."""
    config = with_judge(config)
    factory = plugins.get("engine", config.engine.name)
    return config.filled(getattr(factory, "defaults", {}))


def _made(plugins: Plugins, limits: Limits, kind: str, part: Part) -> Any:
    return plugins.make(kind, part.name, part.options, limits)


def _plan(config: GRMConfig, contract: Contract) -> Plan:
    """Which responses one call shows; the vote and all sizes fit it."""
    plan = read_plan(config.plan, contract.shows)
    check_vote(config, plan)
    check_sizes(config, plan)
    return plan


def _sources(config: GRMConfig, make: Callable[[str, Part], Any]) -> Sources:
    principles = [config.principles] if config.principles else []
    return Sources(
        [(part.name, make("evidence source", part)) for part in config.evidence],
        {part.name: make("principle source", part) for part in principles},
    )


def _rule(config: GRMConfig, plan: Plan, voter: Voter, scale: Scale) -> Rule:
    return Rule(
        str(config.vote),
        voter,
        scale,
        plan.aggregate,
        both_orders=plan.name == "pairs",
        scalar=ScalarRule.of(config.scalar, config.vote.name),
    )


def _fitter(config: GRMConfig, engine: Engine, plan: Plan, template: Template) -> Fitter:
    return Fitter(
        engine,
        plan,
        max_tokens=config.max_tokens * template.rounds,
        fewest=template.layout.responses[0],
        merge=config.duplicates == "merge",
        split=config.over_context == "split",
    )


def _limits(config: GRMConfig) -> Limits:
    return Limits(config.max_concurrent_samples, config.request_timeout_s, config.tries)


def _thinking(config: GRMConfig) -> Thinking:
    return Thinking(config.thinking.marks, closed=config.thinking.closed)


def _following(name: str, stopper: Stopper, rule: Rule) -> Stopper:
    """A stopper that has been told the rule, if it goes by rewards."""
    if follow := getattr(stopper, "follow", None):
        guarded.run(f"stopper {name!r}: follow", follow, rule)
    return stopper


def _samplings(config: GRMConfig, template: Template, contract: Contract) -> list[Sampling]:
    """How the judge is sampled in each of its rounds; the contract reads the last."""
    last = template.rounds - 1
    return [
        Sampling(
            config.temperature,
            config.top_p,
            config.max_tokens,
            tuple(
                dict.fromkeys(
                    (*config.stop_texts, *stop, *(contract.stop if number == last else ()))
                )
            ),
        )
        for number, stop in enumerate(template.stop)
    ]
