"""The embedded reference GRM as an engine: the shipped weights, its template, its settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from grm_plugin.engine import Engine, EngineFactory, Limits
from grm_plugin.engines.transformers import TransformersEngine
from grm_plugin.errors import InputError, not_installed
from grm_plugin.hookspecs import Register, hookimpl
from grm_plugin.local.options import LocalJudgeOptions
from grm_plugin.options import read_options
from grm_plugin.reference.prompt import META_TEMPLATE, TEMPLATE
from grm_plugin.reference.tasks.family import strangeness
from grm_plugin.reference.tokenizer import MAX_NEW_TOKENS
from grm_plugin.types import Group, Message

if TYPE_CHECKING:
    from grm_plugin.local.generation import Generator

Stage = Literal["final", "base"]

MODEL = Path(__file__).parent / "model"
"""The shipped weights, in the layout of transformers."""

BASE = Path(__file__).parent / "base"
"""The weights that SPCT started from."""

_STAGES: Mapping[Stage, Path] = {"final": MODEL, "base": BASE}

_OWNER = "engine 'reference'"


class ReferenceOptions(LocalJudgeOptions):
    """Options of the ``transformers`` engine, whose model is one that is shipped.

    Args:
        stage: ``final`` is the judge after SPCT, ``base`` the one it was made from.
        model: a folder with weights of the same make, say those of a training of your own; empty
            for the shipped ones of ``stage``.
        batch_tokens: as of the ``transformers`` engine.
    """

    stage: Stage = "final"
    model: str = ""
    batch_tokens: int = Field(98304, ge=1)


class ReferenceEngine(TransformersEngine):
    """The shipped model, which judges the tasks it was made for and refuses all others."""

    def _load(self) -> Generator:
        try:
            from grm_plugin.reference.sampling import ReferenceGenerator
        except ImportError as error:
            raise not_installed(_OWNER, "transformers", error) from error
        return ReferenceGenerator(self.options, _OWNER, self._limits.request_timeout_s)

    def admit(self, group: Group) -> None:
        """Refuse a prompt outside of the task family; responses may be anything.

        Raises:
            InputError: says what is strange about it, and how to name a judge that knows more.
        """
        strange = _strangeness(group.conversation)
        if strange:
            raise InputError(
                f"group {group.label}: the embedded reference GRM knows only its own word-list "
                f"tasks, and this prompt is none ({strange}); name a judge with "
                "engine=... or url, with a file in GRM_CONFIG, or with engine in the configuration"
            )


class ReferenceJudge:
    """Makes the :class:`ReferenceEngine`."""

    Options = ReferenceOptions

    defaults: Mapping[str, Any] = {
        "template": "reference",
        "temperature": 1.0,
        "max_tokens": MAX_NEW_TOKENS,
    }

    def __call__(self, options: Mapping[str, Any], limits: Limits) -> Engine:
        chosen = read_options(ReferenceOptions, _OWNER, options)
        model = chosen.model or str(_STAGES[chosen.stage])
        given = chosen.model_dump(exclude={"stage"})
        return ReferenceEngine({**given, "model": model}, limits)


def _strangeness(conversation: Sequence[Message]) -> str:
    if len(conversation) != 1:
        return f"it has {len(conversation)} turns"
    return strangeness(conversation[0].content)


@hookimpl
def grm_register_engines(register: Register[EngineFactory]) -> None:
    """Offer the embedded reference GRM."""
    register("reference", ReferenceJudge())


@hookimpl
def grm_register_templates(register: Register[Path | str]) -> None:
    """Offer the reference GRM's prompt, and what its meta RM reads."""
    register("reference", TEMPLATE)
    register("reference-meta", META_TEMPLATE)
