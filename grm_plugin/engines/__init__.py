"""Where the judge runs. Engines import their heavy libraries when they are started, not before."""

from __future__ import annotations

from typing import Any

from grm_plugin.engine import EngineFactory
from grm_plugin.hookspecs import Register, hookimpl
from grm_plugin.lazily import Lazily
from grm_plugin.moved import refuse_old_name


@hookimpl
def grm_register_engines(register: Register[EngineFactory]) -> None:
    """Offer the built-in engines."""
    register("transformers", Lazily(f"{__name__}.transformers", "TransformersEngine"))
    register("vllm", Lazily(f"{__name__}.vllm", "VLLMEngine"))
    register("server", Lazily(f"{__name__}.server", "ServerEngine"))
    register("litellm", Lazily(f"{__name__}.litellm", "LiteLLMEngine"))
    register("none", Lazily(f"{__name__}.nobody", "Nobody"))
    register("replay", Lazily(f"{__name__}.replay", "ReplayEngine"))


def __getattr__(name: str) -> Any:
    moved = ("EngineFactory", "SampleRequest", "Sampling")
    raise refuse_old_name(name, __name__, "grm_plugin.engine", moved)
