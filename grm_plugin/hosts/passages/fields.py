"""A judge's JSON as lines of text, so that its fields are read as any other critique is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from grm_plugin.hosts.passages.names import folded, names

_OBJECT = re.compile(r'\{\s*"')
_NUMBERS = ("id", "index", "response", "response_id", "model", "name")
_DEPTH = 6


def unfolded(text: str, shown: int | None = None) -> str:
    """``text`` with the texts of its first JSON object, a line each, in place of the object.

    A field that is named for a response, and the member of a list with one for each response, get
    the name of the response before them. Numbers are left out. A text without JSON stays.

    Args:
        text: what a judge wrote, without its thinking.
        shown: how many responses it saw.

    >>> unfolded('{"analysis": {"response_1": "late", "response_2": "exact"}, "scores": [3, 9]}')
    'response_1: late\\nresponse_2: exact'
    """
    if not (begins := _OBJECT.search(text)):
        return text
    try:
        value, _ = json.JSONDecoder(strict=False).raw_decode(text, begins.start())
    except (ValueError, RecursionError):
        return text
    before = text[: begins.start()].rstrip().removesuffix("```json").removesuffix("```")
    return "\n".join(filter(None, [before.rstrip(), *_lines(value, shown, _DEPTH)]))


def _lines(value: Any, shown: int | None, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict) and depth:
        own = _named_in(value)
        for key, field in value.items():
            if own and field == own:
                continue
            yield from _titled(key if _is_name(key) else "", _lines(field, shown, depth - 1))
    elif isinstance(value, list) and depth:
        each = _is_one_each(value, shown)
        for number, member in enumerate(value, 1):
            title = _named_in(member) or (f"Response {number}" if each else "")
            yield from _titled(title, _lines(member, shown, depth - 1))


def _titled(title: str, lines: Iterator[str]) -> Iterator[str]:
    """The lines with the title before the first of them, if there is one."""
    for first in lines:
        yield f"{title}: {first}" if title else first
        break
    yield from lines


def _is_name(key: str) -> bool:
    return any(True for _ in names(folded(key)))


def _is_one_each(values: list[Any], shown: int | None) -> bool:
    return len(values) == shown and all(isinstance(one, str | dict) for one in values)


def _named_in(member: Any) -> str:
    """The name of the response that an object of a list says it is about."""
    if not isinstance(member, dict):
        return ""
    for key in _NUMBERS:
        value = member.get(key)
        if isinstance(value, int) and not isinstance(value, bool):
            return f"Response {value}"
        if isinstance(value, str) and _is_name(value) and len(value) < 40:
            return value
    return ""
