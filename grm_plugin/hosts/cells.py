"""Rows of tables that know only texts: which cells hold lists or messages, as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grm_plugin.errors import InputError
from grm_plugin.hosts.strict_json import from_json

_SEVERAL = ("responses", "completions")
_JSON = (*_SEVERAL, "messages", "metadata", "images", "evidence", "principles")
_SAID = ("prompt", "completion", "chosen", "rejected")


class Cells(dict[str, str]):
    """A row of which every value is a text; an empty one is missing."""


def read_cells(keys: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of a row, with lists and messages in place of their JSON.

    ``prompt``, ``completion``, ``chosen`` and ``rejected`` are messages where their cell holds a
    JSON list of objects, and texts where it holds anything else.

    Args:
        keys: cells by key; a list of cells where several columns are one key.

    Raises:
        InputError: a key that is always a list or an object begins as one, and is no JSON.

    >>> read_cells({"prompt": "[1, 2]?", "responses": '["a", "b"]', "id": ""})
    {'prompt': '[1, 2]?', 'responses': ['a', 'b'], 'id': None}
    """
    return {key: _value(key, cell) for key, cell in keys.items()}


def without_blanks(own: Mapping[str, Any]) -> dict[str, Any]:
    """The input's own columns; an empty cell is a missing value."""
    return {name: cell or None for name, cell in own.items()}


def _value(key: str, cell: Any) -> Any:
    if isinstance(cell, list):
        return [said(one) if key in _SEVERAL else one or None for one in cell]
    if key in _SAID:
        return said(cell) if cell or key != "prompt" else None
    if key in _JSON and cell.lstrip().startswith(("[", "{")):
        return _json(key, cell)
    return cell or None


def _json(key: str, cell: str) -> Any:
    try:
        return from_json(cell)
    except InputError as error:
        raise InputError(f"{key}: {error}") from error


def said(cell: str) -> Any:
    """What a cell says: messages where it holds them; a text may look like JSON, too.

    >>> said('[{"role": "user", "content": "hi"}]'), said("[1, 2]")
    ([{'role': 'user', 'content': 'hi'}], '[1, 2]')
    """
    if not cell.lstrip().startswith("["):
        return cell
    try:
        value = from_json(cell)
    except InputError:
        return cell
    messages = isinstance(value, list) and value and all(isinstance(one, dict) for one in value)
    return value if messages else cell
