"""Where the judge runs. Engines import their heavy libraries when they are started, not before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grm_plugin.engine import Engine, EngineFactory, Limits
from grm_plugin.hookspecs import Register, hookimpl
from grm_plugin.moved import refuse_old_name


def _transformers(options: Mapping[str, Any], limits: Limits) -> Engine:
    from grm_plugin.engines.transformers import TransformersEngine

    return TransformersEngine(options, limits)


def _vllm(options: Mapping[str, Any], limits: Limits) -> Engine:
    from grm_plugin.engines.vllm import VLLMEngine

    return VLLMEngine(options, limits)


def _server(options: Mapping[str, Any], limits: Limits) -> Engine:
    from grm_plugin.engines.server import ServerEngine

    return ServerEngine(options, limits)


def _replay(options: Mapping[str, Any], limits: Limits) -> Engine:
    from grm_plugin.engines.replay import ReplayEngine

    return ReplayEngine(options, limits)


@hookimpl
def grm_register_engines(register: Register[EngineFactory]) -> None:
    """Offer the built-in engines."""
    register("transformers", _transformers)
    register("vllm", _vllm)
    register("server", _server)
    register("replay", _replay)


def __getattr__(name: str) -> Any:
    moved = ("EngineFactory", "SampleRequest", "Sampling")
    raise refuse_old_name(name, __name__, "grm_plugin.engine", moved)
