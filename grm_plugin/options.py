"""Settings as typed, closed models: an unknown key is an error that names its neighbour."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from grm_plugin import strict_yaml
from grm_plugin.errors import ConfigError
from grm_plugin.problems import explain, shown

MAX_BITS = 64
MAX_S = 1e9
"""Most seconds of a setting, some 31 years: clocks and threads can wait no longer."""


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
    """Base of the settings, and of the options of an engine, selector or other part.

    Unknown keys are refused, and numbers that are none: infinite ones, ``true`` (which is how YAML
    reads ``yes`` and ``on``), seconds that nobody waits.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _is_a_number(cls, value: Any, info: ValidationInfo) -> Any:
        return cls._within_bounds(value, info)

    @field_validator("*", mode="after")
    @classmethod
    def _is_a_number_in_a_text(cls, value: Any, info: ValidationInfo) -> Any:
        return cls._within_bounds(value, info)

    @classmethod
    def _within_bounds(cls, value: Any, info: ValidationInfo) -> Any:
        name = info.field_name or ""
        kinds = _kinds(cls.model_fields[name].annotation)
        if kinds & {int, float} and not kinds & {bool, Any}:
            _check_numbers(value, at_most=MAX_S if name.endswith("_s") else None)
        return value


def _kinds(annotation: object) -> set[object]:
    """``annotation`` and everything in it."""
    inner = [one for one in get_args(annotation) if isinstance(one, Hashable)]
    return {annotation}.union(*map(_kinds, inner))


def _check_numbers(value: object, at_most: float | None) -> None:
    if isinstance(value, bool):
        raise ValueError(f"expected a number, got {str(value).lower()}")
    if isinstance(value, int) and value.bit_length() > MAX_BITS:
        raise ValueError(f"expected a number of at most {MAX_BITS} bits")
    if at_most and isinstance(value, int | float) and value > at_most:
        raise ValueError(f"expected at most {at_most:g} seconds, got {value:g}")
    for one in value if isinstance(value, list | tuple) else ():
        _check_numbers(one, at_most)


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


def read_yaml(path: Path) -> dict[str, Any]:
    """The settings in a YAML file.

    Raises:
        ConfigError: it can not be read, or holds something other than keys and values.
    """
    try:
        with path.open("rb") as file:
            text = file.read(4 * strict_yaml.MAX_BYTES).decode("utf-8-sig")
        values = strict_yaml.parse(text)
    except (OSError, ValueError) as error:
        raise ConfigError(f"config {path} can not be read: {error}") from error
    if values is None:
        raise ConfigError(f"config {path}: expected keys and values, and it is empty")
    if not isinstance(values, dict):
        raise ConfigError(f"config {path}: expected keys and values, got {type(values).__name__}")
    for key in values:
        if not isinstance(key, str):
            raise ConfigError(f"config {path}: expected a text as key, got {shown(key)}; quote it")
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
