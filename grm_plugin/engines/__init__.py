"""Where the judge runs. Engines import their heavy libraries when they are started, not before."""

from __future__ import annotations

from typing import Any

from grm_plugin.engine import EngineFactory
from grm_plugin.engines.replay import ReplayEngine
from grm_plugin.engines.server import ServerEngine
from grm_plugin.engines.transformers import TransformersEngine
from grm_plugin.engines.vllm import VLLMEngine
from grm_plugin.hookspecs import Register, hookimpl
from grm_plugin.moved import refuse_old_name


@hookimpl
def grm_register_engines(register: Register[EngineFactory]) -> None:
    """Offer the built-in engines."""
    register("transformers", TransformersEngine)
    register("vllm", VLLMEngine)
    register("server", ServerEngine)
    register("replay", ReplayEngine)


def __getattr__(name: str) -> Any:
    moved = ("EngineFactory", "SampleRequest", "Sampling")
    raise refuse_old_name(name, __name__, "grm_plugin.engine", moved)
