"""How a judge is called where people read it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_SHIPPED = re.compile(r"(?:^|[\\/])grm_plugin[\\/]reference[\\/](model|base)[\\/]?\Z")
_NAMES = {"model": "reference", "base": "reference (base)"}


def named(origin: Mapping[str, Any]) -> dict[str, Any]:
    """``origin`` with a model that is shipped with this package by its name, wherever it lies.

    >>> named({"engine": "reference", "model": "/lib/grm_plugin/reference/model"})["model"]
    'reference'
    """
    model = origin.get("model")
    found = _SHIPPED.search(model) if isinstance(model, str) else None
    if found is None:
        return dict(origin)
    return {**origin, "model": _NAMES[found.group(1)]}
