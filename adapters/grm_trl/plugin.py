"""The plug-in ``trl``: announces this adapter to grm-plugin."""

from __future__ import annotations

from grm_plugin.hookspecs import Adapter, Register, hookimpl
from grm_trl.options import TRLOptions


@hookimpl
def grm_register_adapters(register: Register[Adapter]) -> None:
    """Offer the reward for TRL."""
    register("trl", Adapter("grm_trl.GRMReward", TRLOptions))
