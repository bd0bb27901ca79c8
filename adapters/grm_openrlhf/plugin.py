"""The plug-in ``openrlhf``: announces this adapter and its engine to grm-plugin."""

from __future__ import annotations

from grm_openrlhf.options import SERVERS, OpenRLHFOptions
from grm_plugin.engine import EngineFactory
from grm_plugin.hookspecs import Adapter, Register, hookimpl
from grm_plugin.lazily import Lazily


@hookimpl
def grm_register_adapters(register: Register[Adapter]) -> None:
    """Offer the launcher for OpenRLHF."""
    register("openrlhf", Adapter("grm_openrlhf.train_ppo_ray", OpenRLHFOptions))


@hookimpl
def grm_register_engines(register: Register[EngineFactory]) -> None:
    """Offer what asks the judge servers of the launcher; it names that engine by itself."""
    register(SERVERS, Lazily("grm_openrlhf.patient", "PatientEngine"))
