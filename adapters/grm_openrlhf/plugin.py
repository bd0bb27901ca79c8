"""The plug-in ``openrlhf``: announces this adapter to grm-plugin."""

from __future__ import annotations

from grm_openrlhf.options import OpenRLHFOptions
from grm_plugin.hookspecs import Adapter, Register, hookimpl


@hookimpl
def grm_register_adapters(register: Register[Adapter]) -> None:
    """Offer the launcher for OpenRLHF."""
    register("openrlhf", Adapter("grm_openrlhf.train_ppo_ray", OpenRLHFOptions))
