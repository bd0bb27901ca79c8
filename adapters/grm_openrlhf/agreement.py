"""What the launcher and every rollout actor must have in common, and what is not the same.

Actors run on other nodes, with packages, templates and files of their own. Rewards on two scales
in one update would be seen by nobody.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from grm_plugin import GRM, __version__
from grm_plugin.errors import ConfigError, quoted

# where a judge is and where records go differs between nodes, a template is compared by its text,
# and how long an actor bears a dead judge is no part of a reward
_LOCAL = frozenset({"engine", "record", "template", "dead_groups", "dead_after_s"})
_DISTRIBUTIONS = ("openrlhf", "transformers")


def findings(judge: GRM, own_agent: Path | None) -> dict[str, str]:
    """What decides a reward, as found in this process: short texts by name.

    Args:
        judge: with the settings of the run.
        own_agent: the user's agent file.
    """
    settings = judge.config.model_dump(mode="json", exclude=set(_LOCAL))
    engine = {"name": judge.config.engine.name, "model": judge.config.engine.options.get("model")}
    return {
        "grm-plugin": __version__,
        **{name: _version(name) for name in _DISTRIBUTIONS},
        "template": judge.template.digest,
        "agent file": _digest(own_agent),
        "engine": json.dumps(engine),
        **{name: json.dumps(value, sort_keys=True) for name, value in sorted(settings.items())},
    }


def check_agreed(agreed: Mapping[str, str], found: Mapping[str, str], actor: str) -> None:
    """Refuse to score what would be scored otherwise elsewhere.

    Args:
        agreed: the launcher's findings; empty when there was no launcher.
        found: those of this process.
        actor: how the message calls this process.

    Raises:
        ConfigError: says what differs, with both values.
    """
    names = dict.fromkeys([*agreed, *found]) if agreed else {}
    differences = [
        f"{name} is {quoted(agreed.get(name, 'unknown'))} there and "
        f"{quoted(found.get(name, 'unknown'))} here"
        for name in names
        if agreed.get(name) != found.get(name)
    ]
    if differences:
        raise ConfigError(
            f"{actor} would score otherwise than the launcher expects: {'; '.join(differences)}; "
            "install the same on every node"
        )


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "none"


def _digest(path: Path | None) -> str:
    return hashlib.blake2b(path.read_bytes(), digest_size=8).hexdigest() if path else "none"
