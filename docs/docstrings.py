"""Docstrings as MkDocs reads them: examples are code, and roles are names."""

from __future__ import annotations

import re
from typing import Any

import griffe

_ROLE = re.compile(r":\w+:`~?([^`]+)`")
_EXAMPLE = re.compile(r"^>>> .*?(?=\n\s*\n|\Z)", re.M | re.S)


class Docstrings(griffe.Extension):
    """Rewrites what this package writes in its docstrings to Markdown."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Called for each module, class, function and attribute."""
        if obj.docstring:
            obj.docstring.value = in_markdown(obj.docstring.value)


def in_markdown(text: str) -> str:
    """A docstring with its roles and examples in Markdown.

    >>> in_markdown("As :func:`hit`.")
    'As `hit`.'
    """
    return _EXAMPLE.sub(_fenced, _ROLE.sub(r"`\1`", text))


def _fenced(example: re.Match[str]) -> str:
    return f"```pycon\n{example[0].rstrip()}\n```"
