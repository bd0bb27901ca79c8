"""The plug-in ``trl``: announces this adapter to grm-plugin."""

from __future__ import annotations

from grm_plugin.hookspecs import Register, hookimpl


@hookimpl
def grm_register_adapters(register: Register) -> None:
    """Offer the reward for TRL."""
    register("trl", "grm_trl.GRMReward")
