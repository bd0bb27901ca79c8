"""Data and scripts within a page: nothing in a text ends its element, and only our scripts run."""

from __future__ import annotations

import base64
import hashlib
import json
import math
from typing import Any

_as_json = json.JSONEncoder(allow_nan=False, separators=(",", ":"), default=repr).encode


def as_data(value: Any) -> str:
    """``value`` as JSON of ASCII characters that may stand in any ``<script>`` element.

    Numbers that are not finite become null.

    >>> as_data({"a": "</script><!--", "b": float("nan")})
    '{"a":"\\\\u003c/script\\\\u003e\\\\u003c!--","b":null}'
    """
    try:
        text = _as_json(value)
    except ValueError:
        text = _as_json(_finite(value))
    return text.replace("<", r"\u003c").replace(">", r"\u003e").replace("&", r"\u0026")


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _finite(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def policy(script: str, style: str) -> str:
    """The Content-Security-Policy of a page: these two texts, files beside it, and no network."""
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src '{_hash(script)}' 'self' file:",
            f"style-src '{_hash(style)}'",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
