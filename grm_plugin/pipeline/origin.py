"""What makes a reward what it is, for records and for comparing the processes of one run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grm_plugin.config import GRMConfig
from grm_plugin.engine import Engine
from grm_plugin.prompts import Template
from grm_plugin.size import Size

_SETTINGS = (
    *("temperature", "top_p", "max_tokens", "stop_texts", "seed", "shuffle", "nonce"),
    *("min_valid", "duplicates", "over_context"),
)
_PARTS = ("contract", "plan", "stop", "select", "vote", "principles")


def origin(config: GRMConfig, engine: Engine, template: Template, size: Size) -> dict[str, Any]:
    """The settings behind the reward of a group of that size, as JSON values."""
    values = config.model_dump(mode="json", include={*_SETTINGS, *_PARTS, "evidence"})
    return {
        "engine": config.engine.name,
        "model": engine.model,
        "template": template.name,
        "template_hash": template.digest,
        "k": size.k,
        "k_meta": size.k_meta,
        "permutations": config.shuffles(size),
        **{name: values[name] for name in _SETTINGS},
        **{name: _written(values[name]) for name in _PARTS},
        "evidence": [_written(part) for part in values["evidence"]],
    }


def _written(part: Mapping[str, Any] | None) -> object:
    """A part as people write it: its name, with options if it has any."""
    return part["name"] if part and len(part) == 1 else part
