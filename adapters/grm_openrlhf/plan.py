"""From a command line to a run: what can be wrong is found here, before Ray starts."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grm_openrlhf.agreement import findings
from grm_openrlhf.checks import (
    check_contradictions,
    check_range,
    check_weights,
    tell_scales,
    tell_weaknesses,
)
from grm_openrlhf.command import Ours
from grm_openrlhf.configured import configured
from grm_openrlhf.host import Host
from grm_openrlhf.nodes import Servers, servers_of, template_text, told
from grm_openrlhf.options import OpenRLHFOptions
from grm_openrlhf.resuming import before, steps_done
from grm_openrlhf.settings import Label, RunSettings
from grm_plugin import GRM, GRMConfig
from grm_plugin.engine import Limits
from grm_plugin.errors import ConfigError
from grm_plugin.hosts.reward_range import Range, ranges
from grm_plugin.hosts.rounding import check_step
from grm_plugin.plugins import Plugins
from grm_plugin.report.run_page import check_page

_BESIDE = 1 + 1e-9  # too little for the sampler's numbers to change, enough to be seen
AGENT = Path(__file__).with_name("agent.py").resolve()


@dataclass(frozen=True)
class Plan:
    """A run.

    Args:
        argv: arguments of the host's own command.
        settings: what its rollout actors are told.
        judge: as they will make it; not started here.
        servers: what runs beside it; None when the judge runs elsewhere.
        prompts_per_step: training groups of a step, over all rollout actors.
        engines: rollout actors.
        unscored_limit: share of training groups without a reward above which the run has failed.
        page: where the page of the run is written at its end; None: nowhere.
    """

    argv: tuple[str, ...]
    settings: RunSettings
    judge: GRM
    servers: Servers | None
    prompts_per_step: int
    engines: int
    unscored_limit: float | None
    page: Path | None


def make_plan(
    ours: Ours, rest: Sequence[str], host: Host, *, plugins: Plugins | None = None
) -> Plan:
    """What has to happen for this command line.

    Args:
        ours: our options; ``reward_model`` is set.
        rest: the host's.
        host: the installed one.
        plugins: for tests; default: everything installed.

    Raises:
        ConfigError: an option contradicts the judge, a setting is wrong, or this host can not
            score whole groups.
        TemplateError: the template can not be used.
    """
    host.check_agent()
    given = host.parser().parse_args(rest)
    found = configured(ours, plugins)
    config, options = found.config, found.options
    # of an option that is given twice the host takes the last
    agent = [host.option("agent"), str(AGENT)]
    _check(host, given, [*rest, *agent])
    rewards = _check_rewards(host, given, found.judge, options)
    label, label_option = _label(host, given, options)
    servers, own_agent = servers_of(config, options), _own_agent(host, given)
    as_told = told(config, servers, host.value(given, "engines"))
    judge = GRM(as_told, plugins=plugins)
    settings = RunSettings(
        config=as_told.model_dump(mode="json", exclude_unset=True),
        template=template_text(config),
        label=label,
        own_label=bool(label_option),
        own_agent=own_agent,
        reward_range=rewards,
        ledger=True,
        agreed=findings(judge, options, own_agent),
        **_course(host, given, config),
    )
    argv = (*rest, *agent, *label_option, *_evaluation(host, given))
    course = (host.value(given, "prompts"), host.value(given, "engines"))
    check_page("adapter 'openrlhf'", options.page, config.record)
    page = options.page and options.page.absolute()  # the host may go elsewhere
    return Plan(argv, settings, judge, servers, *course, options.unscored_limit, page)


def _check(host: Host, given: argparse.Namespace, argv: Sequence[str]) -> None:
    """Refuse what can not be run, and then tell what may be meant otherwise."""
    check_contradictions(host, given)
    host.check_accepts(argv)
    tell_weaknesses(host, given)
    check_weights(host, given)


def _check_rewards(
    host: Host, given: argparse.Namespace, judge: GRM, options: OpenRLHFOptions
) -> Range:
    """Lowest and highest reward, which the host can use."""
    check_step("adapter 'openrlhf'", options.round_to, judge)
    rewards = _reward_range(judge)
    check_range(host, given, rewards, options.reward_scale)
    tell_scales(host, given, judge.config)
    return rewards


def _course(host: Host, given: argparse.Namespace, config: GRMConfig) -> dict[str, Any]:
    """How training goes on, as far as settings say so."""
    prompts, engines = host.value(given, "prompts"), host.value(given, "engines")
    first_step = _first_step(host, given)
    return {
        "temperature": host.value(given, "temperature"),
        "groups_per_step": math.ceil(prompts / engines),
        "first_step": first_step,
        "filtering": host.value(given, "filtering"),
        **(before(config, first_step, engines) if host.value(given, "resume") else {}),
    }


def _reward_range(judge: GRM) -> Range:
    """Lowest and highest reward of one group; a voter of others is tried on the extremes.

    Raises:
        ConfigError: rewards are logits, which have no bounds.
    """
    config, scale = judge.config, judge.template.scale
    if config.scalar and config.scalar.raw:
        raise ConfigError(
            "scalar.raw: logits have no bounds, and OpenRLHF cuts rewards to a range; leave "
            "raw out, and rewards are in 0..1"
        )
    if known := ranges(judge):
        return min(low for low, _ in known), max(high for _, high in known)
    sizes = [config.size, *(config.schedule.every_size().values() if config.schedule else ())]
    vote = judge.plugins.make("voter", config.vote.name, config.vote.options, Limits())
    found = [reward for size in sizes for reward in vote([[scale.low, scale.high]] * size.k, scale)]
    return min(found), max(found)


def _label(
    host: Host, given: argparse.Namespace, options: OpenRLHFOptions
) -> tuple[Label, list[str]]:
    """What the label is to the judge, and the option that makes it so."""
    option, key = host.option("label_key"), host.value(given, "label_key")
    asked = host.value(given, "input_key")
    if key is None and options.label == "reference":
        raise ConfigError(
            f"adapters.openrlhf.label: reference is read from the column that {option} names; "
            "name one, or leave label out"
        )
    if key is None and host.keeps_labels:
        return "conversation", [option, asked]
    if key is not None and key == asked:
        return "conversation", []
    return options.label, []


def _evaluation(host: Host, given: argparse.Namespace) -> list[str]:
    """The option by which agents, who are told no more, can tell evaluations from training."""
    temperature = host.value(given, "temperature")
    if host.value(given, "evaluation") and host.value(given, "eval_temperature") == temperature:
        return [host.option("eval_temperature"), repr(temperature * _BESIDE)]
    return []


def _first_step(host: Host, given: argparse.Namespace) -> int:
    """Where a resumed run goes on; 0 for a new one."""
    return steps_done(Path(host.value(given, "checkpoints"))) if host.value(given, "resume") else 0


def _own_agent(host: Host, given: argparse.Namespace) -> Path | None:
    name = host.value(given, "agent")
    if name is None:
        return None
    path = Path(name).resolve()
    if not path.is_file() or path.suffix != ".py":
        raise ConfigError(f"{host.option('agent')}: expected a Python file, got {name!r}")
    return path
