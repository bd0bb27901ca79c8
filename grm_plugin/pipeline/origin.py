"""What makes a reward what it is, for records and for comparing the processes of one run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grm_plugin.config import GRMConfig
from grm_plugin.engine import Engine
from grm_plugin.pipeline.plans import Plan
from grm_plugin.prompts import Template
from grm_plugin.size import Size

ALTERED = "altered"
"""What an engine can not pass on as asked; it may be found out with the first answer only."""
SCALAR_VERSION = "scalar_version"
"""The version of the scalar RM that had a part in a reward, where it is refreshed during a run."""
NO_SETTINGS = (ALTERED, SCALAR_VERSION)
"""What an origin tells besides settings: it may differ among verdicts of one judge."""

_SETTINGS = (
    *("temperature", "top_p", "max_tokens", "stop_texts", "seed", "shuffle", "nonce"),
    *("min_valid", "duplicates", "over_context", "thinking", "find_culprits"),
)
_PARTS = ("contract", "stop", "select", "vote", "principles")
# where a part runs and how it is let in decide no reward, and are nobody's business
_PRIVATE = {
    *("serve", "env", "url", "urls", "api_key_env", "api_key", "key_header", "headers", "query"),
    *("proxy", "ca_file", "start_timeout_s", "requests_per_minute", "max_response_bytes"),
}


def origin(
    config: GRMConfig, plan: Plan, engine: Engine, template: Template, size: Size
) -> dict[str, Any]:
    """The settings behind the reward of a group of that size, as JSON values.

    Args:
        config: the settings, with the contract that is in use.
        plan: the one in use.
        engine: the judge.
        template: the prompt.
        size: of the group.
    """
    included = {*_SETTINGS, *_PARTS, "evidence"}
    values = config.model_dump(mode="json", include=included, fallback=_kind)
    return {
        "engine": config.engine.name,
        "model": engine.model,
        "template": template.name,
        "template_hash": template.digest,
        "k": size.k,
        "k_meta": size.k_meta,
        "permutations": config.shuffles(size),
        **{name: values[name] for name in _SETTINGS},
        **{name: written(values[name]) for name in _PARTS},
        "plan": plan.written,
        "evidence": [written(part) for part in values["evidence"]],
        **({ALTERED: dict(altered)} if (altered := getattr(engine, ALTERED, None)) else {}),
    }


def written(part: Mapping[str, Any] | None) -> object:
    """A part as people write it: its name, with options if it has any, but for private ones."""
    public = _public(part) if part else part
    return public["name"] if public and len(public) == 1 else public


def _public(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _public(each) for key, each in value.items() if key not in _PRIVATE}
    return [_public(each) for each in value] if isinstance(value, list) else value


def _kind(value: object) -> str:
    """An object as its type: a ``repr`` may carry secrets, and an address of this process."""
    return f"<{type(value).__module__}.{type(value).__qualname__}>"
