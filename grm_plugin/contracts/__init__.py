"""How a judge answers: one strict reader for each form."""

from __future__ import annotations

from grm_plugin.contracts.boxed import Boxed
from grm_plugin.contracts.contract import ContractFactory
from grm_plugin.hookspecs import Register, hookimpl


@hookimpl
def grm_register_contracts(register: Register[ContractFactory]) -> None:
    """Offer the built-in contracts."""
    register("boxed", Boxed.offered)
