"""What litellm's table says of a model's prices."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any

from grm_plugin.prices import Prices

_MILLION = 1e6


def prices_of(table: Mapping[str, Mapping[str, Any]], model: str) -> Prices | None:
    """The highest prices of ``model``: some cost more from a length on; None when it is unknown.

    >>> table = {"m": {"input_cost_per_token": 1e-6, "output_cost_per_token": 4e-6}}
    >>> prices_of(table, "provider/m")
    Prices(prompt=1.0, cached=None, output=4.0)
    """
    entry = table.get(model) or table.get(model.partition("/")[2])
    if not entry:
        return None
    prompt, output = (_highest(entry, f"{way}_cost_per_token") for way in ("input", "output"))
    if prompt is None or output is None:
        return None
    thinking = entry.get("output_cost_per_reasoning_token") or 0.0
    return Prices(prompt=prompt * _MILLION, output=max(output, thinking) * _MILLION)


def _highest(entry: Mapping[str, Any], name: str) -> float | None:
    known = [
        value
        for key, value in entry.items()
        if (key == name or key.startswith(f"{name}_above")) and isinstance(value, int | float)
    ]
    return max(known, default=None)


def cost_of(litellm: ModuleType, model: str, answer: Any) -> float | None:
    """What litellm reckons that ``answer`` cost in US dollars; None where it does not know."""
    try:
        return float(litellm.completion_cost(answer, model=model))
    except Exception:  # a model that is not in the table, or a usage that it does not understand
        return None
