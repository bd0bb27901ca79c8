"""The page as HTML, piece by piece. Needs jinja2."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from grm_plugin.prices import dollars
from grm_plugin.report.page.embedding import as_data, policy

_PARTS = Path(__file__).parent / "parts"
_SCRIPTS = (
    *("texts.js", "state.js", "table.js"),
    *("loading.js", "response.js", "votes.js", "verdict.js", "start.js"),
)


def render(values: Mapping[str, Any]) -> Iterator[str]:
    """The page with ``values`` in its template; texts among them are escaped.

    Args:
        values: what ``parts/page.html`` names, but for scripts, style and policy.
    """
    script = "".join(["'use strict';\n(() => {\n", *map(_read, _SCRIPTS), "})();\n"])
    style = _read("page.css")
    whole = {
        **values,
        "script": Markup(script),  # noqa: S704 - our own file
        "style": Markup(style),  # noqa: S704 - our own file
        "policy": policy(script, style),
    }
    yield from _environment().get_template("page.html").generate(whole)


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_PARTS),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["dollars"] = dollars
    environment.filters["data"] = lambda value: Markup(as_data(value))  # noqa: S704 - escaped there
    return environment


def _read(name: str) -> str:
    return (_PARTS / name).read_text(encoding="utf-8")
