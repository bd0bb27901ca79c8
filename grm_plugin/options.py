"""Settings as typed, closed models: an unknown key is an error that names its neighbour."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from grm_plugin.errors import ConfigError, unknown


class Options(BaseModel):
    """Base of the options of an engine, selector or other part; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


OptionsT = TypeVar("OptionsT", bound=Options)


def read_options(kind: type[OptionsT], owner: str, options: Mapping[str, Any]) -> OptionsT:
    """``options`` as ``kind``; ``owner`` is how messages call the part, say ``engine 'vllm'``.

    Raises:
        ConfigError: names the owner, the key, what was expected and what came.
    """
    try:
        return kind.model_validate(dict(options))
    except ValidationError as error:
        raise ConfigError(explain(owner, kind, error)) from None


def explain(where: str, kind: type[BaseModel], error: ValidationError) -> str:
    """A validation error as one sentence per key, with the nearest known key for a stranger."""
    return "; ".join(_one(where, kind, dict(problem)) for problem in error.errors())


def _one(where: str, kind: type[BaseModel], problem: dict[str, Any]) -> str:
    key = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return f"{where}: {unknown('key', key, kind.model_fields)}"
    return f"{where}: {key or 'settings'}: {problem['msg']}, got {problem['input']!r}"
