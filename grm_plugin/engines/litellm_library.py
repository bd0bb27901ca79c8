"""The litellm library: without its noise, and what it tells of a model."""

from __future__ import annotations

import logging
import os
from types import ModuleType
from typing import Any

from grm_plugin.errors import not_installed

_DECIDING = ("temperature", "top_p", "seed", "stop")


def imported() -> ModuleType:
    """litellm, without what it fetches, prints and logs by itself."""
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    try:
        import litellm
    except ImportError as error:
        raise not_installed("engine 'litellm'", "litellm", error) from error
    litellm.suppress_debug_info = True
    litellm.telemetry = False
    for name in ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    module: ModuleType = litellm
    return module


def keys_of_the_environment() -> list[str]:
    """The keys that litellm may find by itself."""
    return [value for name, value in os.environ.items() if name.endswith(("_KEY", "_TOKEN"))]


def altered(litellm: ModuleType, model: str) -> dict[str, Any]:
    """What litellm leaves out of requests to this provider, as far as it knows."""
    try:
        taken = litellm.get_supported_openai_params(model=model) or _DECIDING
    except Exception:  # a provider that it does not know will be refused with the first request
        taken = _DECIDING
    unsent = [name for name in _DECIDING if name not in taken]
    return {"not_sent": unsent} if unsent else {}
