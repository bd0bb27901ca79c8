"""How a judge answers: one strict reader for each form."""

from __future__ import annotations

from grm_plugin.contracts import boxed, expected, json_object, section, tag
from grm_plugin.contracts.contract import ContractFactory
from grm_plugin.hookspecs import Register, hookimpl


@hookimpl
def grm_register_contracts(register: Register[ContractFactory]) -> None:
    """Offer the built-in contracts."""
    register("boxed", boxed.boxed)
    register("section", section.section)
    register("tag", tag.tag)
    register("json", json_object.json_object)
    register("expected", expected.expected)
