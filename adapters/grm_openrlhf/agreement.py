"""What the launcher and every rollout actor must have in common, and what is not the same.

Actors run on other nodes, with packages, templates and files of their own. Rewards on two scales
in one update would be seen by nobody.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from grm_openrlhf.options import OpenRLHFOptions
from grm_plugin import GRM
from grm_plugin.errors import ConfigError, quoted
from grm_plugin.hosts import agreement
from grm_plugin.hosts.agreement import Terms
from grm_plugin.hosts.comparing import differences

_DISTRIBUTIONS = ("openrlhf", "transformers")


def findings(judge: GRM, options: OpenRLHFOptions, own_agent: Path | None) -> Terms:
    """What decides a reward, as found in this process: short texts by name.

    Args:
        judge: with the settings of the run.
        options: of the adapter.
        own_agent: the user's agent file.
    """
    return {
        **agreement.terms(judge),
        **agreement.flat(options.model_dump(mode="json")),
        **{f"version of {name}": _version(name) for name in _DISTRIBUTIONS},
        "template": judge.template.digest[:12],  # its file has another name on every node
        "agent file": _digest(own_agent),
    }


def check_agreed(agreed: Mapping[str, str], found: Terms, actor: str) -> None:
    """Refuse to score what would be scored otherwise elsewhere.

    Args:
        agreed: the launcher's findings; empty when there was no launcher.
        found: those of this process.
        actor: how the message calls this process.

    Raises:
        ConfigError: says what differs, with both values.
    """
    differing = [
        f"{name} is {quoted(agreed.get(name, 'unknown'))} there and "
        f"{quoted(found.get(name, 'unknown'))} here"
        for name in differences([agreed, found] if agreed else [])
    ]
    if differing:
        raise ConfigError(
            f"{actor} would score otherwise than the launcher expects: {'; '.join(differing)}; "
            "install the same on every node"
        )


def check_model(first: str, here: str, actor: str) -> None:
    """Refuse to be judged by another model than the first rollout actor was.

    Raises:
        ConfigError: names both.
    """
    if first != here:
        raise ConfigError(
            f"{actor} is served the judge {quoted(here)}, and another rollout actor "
            f"{quoted(first)}; serve the same on every node, or say which with engine.model"
        )


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "none"


def _digest(path: Path | None) -> str:
    return hashlib.blake2b(path.read_bytes(), digest_size=8).hexdigest() if path else "none"
