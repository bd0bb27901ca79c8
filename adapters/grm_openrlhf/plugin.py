"""The plug-in ``openrlhf``: announces this adapter to grm-plugin."""

from __future__ import annotations

from grm_plugin.hookspecs import Register, hookimpl


@hookimpl
def grm_register_adapters(register: Register) -> None:
    """Offer the launcher for OpenRLHF."""
    register("openrlhf", "grm_openrlhf.train_ppo_ray")
