"""What a command line and a judge's settings must not say together."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Mapping

from grm_openrlhf.command import REWARD_MODEL
from grm_openrlhf.host import Host
from grm_openrlhf.options import OpenRLHFOptions
from grm_plugin import GRMConfig
from grm_plugin.errors import ConfigError
from grm_plugin.hosts.models import models
from grm_plugin.hosts.scales import told_of_two_scales
from grm_plugin.settings import DEFAULT

logger = logging.getLogger(__name__)

# estimators in which equal rewards within a group do not make its advantages 0
_COMPARE_WITH_OTHERS = frozenset({"gae", "reinforce", "reinforce_baseline", "flash_reinforce"})


def check_contradictions(host: Host, given: argparse.Namespace) -> None:
    """Refuse options of the host that leave no place for the judge.

    Raises:
        ConfigError: names the option.
    """
    for meaning, what in (("remote_url", "a reward server"), ("reward_model", "a scalar RM")):
        value = host.value(given, meaning)
        if value in (REWARD_MODEL, REWARD_MODEL.replace("_", "-")):
            raise ConfigError(
                f"{host.option(meaning)} {value}: that option is for a model of the host; did you "
                f"mean --reward_model {REWARD_MODEL}?"
            )
        if value is not None:
            raise ConfigError(
                f"{host.option(meaning)} names {what} ({value!r}) and --reward_model names "
                "grm-plugin, but a response gets one reward; leave one of them out"
            )
    if not host.value(given, "engines"):
        raise ConfigError(
            f"{host.option('engines')}: expected 1 or more, since responses are judged where vLLM "
            f"rolls them out, got {host.value(given, 'engines')}"
        )


def tell_weaknesses(host: Host, given: argparse.Namespace) -> None:
    """Tell of options under which a judge is weak, or sees less than the policy."""
    if host.value(given, "samples") == 1:
        logger.warning(
            "%s is 1: a judge is much weaker when it has nothing to compare",
            host.option("samples"),
        )
    if host.has("images") and host.value(given, "images"):
        logger.warning(
            "%s: the judge reads texts and does not see the images", host.option("images")
        )


def tell_scales(host: Host, given: argparse.Namespace, config: GRMConfig) -> None:
    """Tell of an advantage that weighs groups by rewards on two scales."""
    estimator = host.value(given, "estimator")
    if estimator == "group_norm":
        return
    setting = f"{host.option('estimator')} {estimator}"
    if told := told_of_two_scales(config, setting, "group_norm, and round_to"):
        logger.warning("%s", told)


def check_engine(config: GRMConfig, options: OpenRLHFOptions) -> None:
    """Refuse a judge that could not run beside the trainer.

    Raises:
        ConfigError: says where it could.
    """
    if config.engine.name == DEFAULT and config.asks_a_judge:
        raise ConfigError(
            "no judge is named, and the GPUs of a run belong to the policy; name a server with "
            "--grm.engine.url http://host:8001, start one with engine: {serve: ...}, or try things "
            "out with --grm.engine reference"
        )
    if config.engine.name == "vllm":
        raise ConfigError(
            "engine: vllm would be a second vLLM inside every rollout actor; start the judge as a "
            "server with engine: {serve: {model: ...}}, or name a running one with engine.url"
        )
    _check_serve(config.engine.options.get("serve"), options)
    _check_beside(config)


def _check_serve(serve: object, options: OpenRLHFOptions) -> None:
    if serve is None and "judge" in options.model_fields_set:
        raise ConfigError(
            "adapters.openrlhf.judge says where servers run, but none is to be started; add "
            "engine: {serve: {model: ...}}, or leave it out"
        )
    if isinstance(serve, Mapping) and serve.get("gpus"):
        raise ConfigError(
            "engine.serve.gpus names GPUs, but Ray hands them out here; say how many with "
            "adapters.openrlhf.judge.gpus"
        )


def _check_beside(config: GRMConfig) -> None:
    """Refuse models beside the judge that every rollout actor would have for itself."""
    for place, part in models(config):
        if place != "engine" and (part.get("serve") or part.get("name") == "vllm"):
            what = "serve" if part.get("serve") else "name"
            raise ConfigError(
                f"{place}.{what} would start a server in every rollout actor; start that server "
                f"yourself and name it with {place}.url"
            )


def check_weights(host: Host, given: argparse.Namespace) -> None:
    """Tell of settings under which the policy learns from responses without a reward.

    Such a response keeps one token. It is one of all tokens of an update only where these weigh
    alike; where every response does, its advantage counts in full, unless it is 0 as in an
    estimator that compares the responses of a prompt and nothing else.
    """
    estimator = host.value(given, "estimator")
    if estimator not in _COMPARE_WITH_OTHERS:
        return
    by_response = host.has("loss_mean") and host.value(given, "loss_mean") != "token-mean"
    if by_response or host.value(given, "loss_type") == "gspo":
        option = host.option("loss_mean" if by_response else "loss_type")
        why = f"{option} {host.value(given, 'loss_mean' if by_response else 'loss_type')} lets"
    elif not host.weighs_tokens_alike:
        why = f"openrlhf {host.version} averages over the tokens of each micro-batch, which lets"
    else:
        return
    logger.warning(
        "%s %s: %s a response without a reward weigh as much as others, so that the policy learns "
        "from the number it got instead; use group_norm, rloo or dr_grpo where a judge may fail",
        *(host.option("estimator"), estimator, why),
    )


def check_range(
    host: Host, given: argparse.Namespace, rewards: tuple[float, float], scale: float
) -> None:
    """Refuse rewards that the host would cut off, or can not filter by.

    Args:
        host: the installed one.
        given: its arguments.
        rewards: the lowest and the highest.
        scale: factor on them.

    Raises:
        ConfigError: names the option and both ranges.
    """
    low, high = host.value(given, "clip_range")
    if rewards[0] * scale < low or rewards[1] * scale > high:
        raise ConfigError(
            f"rewards reach from {rewards[0] * scale:g} to {rewards[1] * scale:g}, and "
            f"{host.option('clip_range')} cuts them to {low:g}..{high:g}; use vote: mean, or "
            "change adapters.openrlhf.reward_scale or the range"
        )
    if host.value(given, "filtering") and (rewards[0] < 0 or rewards[1] > 1):
        raise ConfigError(
            f"{host.option('filtering')} reads scores in 0..1, and the vote gives "
            f"{rewards[0]:g}..{rewards[1]:g}; use vote: mean"
        )
