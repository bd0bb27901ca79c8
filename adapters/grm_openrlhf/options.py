"""The adapter's own options; everything else belongs to the judge or to OpenRLHF."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from grm_plugin.config import GRMConfig
from grm_plugin.hosts.messages import Thinking, UnseenParts
from grm_plugin.options import Options, read_options

SERVERS = "openrlhf_servers"
"""The engine that asks the judge servers of the launcher."""


class Placement(Options):
    """Where the servers of ``engine: {serve: ...}`` run: in Ray actors with GPUs of their own.

    Args:
        replicas: how many servers; spread over the nodes where there are several.
        gpus: GPUs of each server, all on one node, which share its weights; 0 for a server on the
            CPU.
    """

    replicas: int = Field(1, ge=1)
    gpus: int = Field(1, ge=0)


class OpenRLHFOptions(Options):
    """The section ``adapters: {openrlhf: ...}`` of a configuration."""

    thinking: Thinking = Field(
        "drop",
        description="thinking of the policy: drop or keep it, or only closed thoughts answer",
    )
    unseen: UnseenParts = Field(
        "refuse", description="what the judge can not see, such as images: refuse it, or tell once"
    )
    label: Literal["ignore", "reference"] = Field(
        "ignore", description="what a column named by the host's label key is to the judge"
    )
    history: Literal["last", "all"] = Field(
        "last",
        description="of an agent with several turns the judge sees the last action, or all of "
        "them and what the environment answered",
    )
    round_to: float | None = Field(
        None, gt=0, description="step that rewards are rounded to, so that equal quality ties"
    )
    reward_scale: float = Field(
        1.0, gt=0, description="factor on rewards, not on the scores that dynamic filtering reads"
    )
    unscored_limit: float | None = Field(
        None,
        ge=0,
        le=1,
        description="share of training groups without a reward above which the run ends in failure",
    )
    page: Path | None = Field(
        None,
        description="HTML file about the run, written from `record` at its end, and a PNG beside",
    )
    judge: Placement = Field(
        Placement(), description="replicas and GPUs of a judge server that the launcher starts"
    )


def options_of(config: GRMConfig) -> OpenRLHFOptions:
    """The adapter's options in ``config``.

    Raises:
        ConfigError: a key is unknown or a value wrong.
    """
    return read_options(OpenRLHFOptions, "adapter 'openrlhf'", config.adapters.get("openrlhf", {}))
