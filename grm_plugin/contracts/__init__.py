"""How a judge answers: one strict reader for each form."""

from __future__ import annotations

from typing import Any

from grm_plugin.contracts import boxed, expected, json_object, section, tag
from grm_plugin.hookspecs import hookimpl


@hookimpl
def grm_register_contracts(register: Any) -> None:
    """Offer the built-in contracts."""
    register("boxed", boxed.boxed)
    register("section", section.section)
    register("tag", tag.tag)
    register("json", json_object.json_object)
    register("expected", expected.expected)
