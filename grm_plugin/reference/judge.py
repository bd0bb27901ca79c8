"""The embedded reference GRM as an engine: the shipped weights, its template, its settings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grm_plugin.engine import Engine, EngineFactory, Limits
from grm_plugin.hookspecs import Register, hookimpl
from grm_plugin.reference.prompt import TEMPLATE
from grm_plugin.reference.tokenizer import MAX_NEW_TOKENS

MODEL = Path(__file__).parent / "model"


class ReferenceJudge:
    """Makes the ``transformers`` engine with the shipped model; options are that engine's."""

    defaults: Mapping[str, Any] = {
        "template": "reference",
        "temperature": 1.0,
        "max_tokens": MAX_NEW_TOKENS,
    }

    def __call__(self, options: Mapping[str, Any], limits: Limits) -> Engine:
        from grm_plugin.engines.transformers import TransformersEngine

        return TransformersEngine({"model": str(MODEL), **options}, limits)


@hookimpl
def grm_register_engines(register: Register[EngineFactory]) -> None:
    """Offer the embedded reference GRM."""
    register("reference", ReferenceJudge())


@hookimpl
def grm_register_templates(register: Register[Path | str]) -> None:
    """Offer the reference GRM's prompt."""
    register("reference", TEMPLATE)
