"""Settings as typed, closed models: an unknown key is an error that names its neighbour."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from grm_plugin.errors import ConfigError, unknown


class Part(BaseModel):
    """A part picked by name, and its options: ``mean`` or ``{name: meta_rm, k_meta: 4}``."""

    model_config = ConfigDict(extra="allow", frozen=True)

    name: str

    @model_validator(mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    @property
    def options(self) -> dict[str, Any]:
        """Everything but the name."""
        return dict(self.model_extra or {})

    def __str__(self) -> str:
        """As people write it: the name, or name and options."""
        options = ", ".join(f"{key}: {value}" for key, value in self.options.items())
        return f"{{name: {self.name}, {options}}}" if options else self.name


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
    if problem["type"] == "value_error":  # a sentence of ours, which says what came
        return ": ".join(filter(None, [where, key, problem["msg"].removeprefix("Value error, ")]))
    return f"{where}: {key or 'settings'}: {problem['msg']}, got {problem['input']!r}"


def read_yaml(path: Path) -> dict[str, Any]:
    """The settings in a YAML file.

    Raises:
        ConfigError: it can not be read, or holds something other than keys and values.
    """
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"config {path} can not be read: {error}") from error
    if not isinstance(values, dict):
        raise ConfigError(f"config {path}: expected keys and values, got {type(values).__name__}")
    return values


def put(values: dict[str, Any], dotted: str, value: Any) -> None:
    """Set ``values["a"]["b"]`` for ``dotted`` ``a.b``; a part given by its name gets options."""
    *outer, last = dotted.split(".")
    for key in outer:
        inner = values.get(key, {})
        if isinstance(inner, BaseModel):
            inner = inner.model_dump()
        values[key] = dict(inner) if isinstance(inner, Mapping) else {"name": inner}
        values = values[key]
    values[last] = value
