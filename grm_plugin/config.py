"""One typed object that says how rewards are made; wrong settings fail before anything starts.

Settings come, strongest first, from keywords, from a YAML file, from the file that ``GRM_CONFIG``
names, and from what the chosen engine prefers.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import (
    ModelWrapValidatorHandler,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from grm_plugin.errors import ConfigError, quoted
from grm_plugin.options import put, read_yaml
from grm_plugin.problems import explain
from grm_plugin.prompts import is_template_file
from grm_plugin.schedule import read_schedule
from grm_plugin.settings import DEFAULT, Settings
from grm_plugin.size import Size

ENV = "GRM_CONFIG"
_ADDRESS = {"url", "urls", "serve"}

# names of other libraries that are taken, what to write, and its value
TAKEN: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "max_retries": ("tries", lambda retries: retries + 1),
    "timeout": ("request_timeout_s", lambda seconds: seconds),
}
# names of earlier versions, and what to write now
RENAMED = {"dead_batches": "dead judges are counted in two ways now: set dead_groups, dead_after_s"}


class GRMConfig(Settings):
    """All settings together, where they come from, and whether they fit one another.

    What each of them means is said in :class:`grm_plugin.settings.Settings`.
    """

    @model_validator(mode="before")
    @classmethod
    def _take(cls, values: Any) -> Any:
        given = dict(values) if isinstance(values, Mapping) else {}
        for name in TAKEN.keys() & given:
            setting, value = _taken(name, given.pop(name), given)
            given[setting] = value
        return given or values

    @model_validator(mode="before")
    @classmethod
    def _not_renamed(cls, values: Any) -> Any:
        given = values if isinstance(values, Mapping) else {}
        for name in RENAMED.keys() & given:
            raise ValueError(f"{name}: {RENAMED[name]}")
        if isinstance(given.get("stop"), list | tuple):
            raise ValueError("stop names a stopper; texts that end a judgment are stop_texts now")
        return values

    @field_validator("engine", mode="before")
    @classmethod
    def _from_address(cls, value: Any) -> Any:
        # only a server has an address, so it need not be named
        if isinstance(value, Mapping) and "name" not in value and _ADDRESS & set(value):
            return {"name": "server", **value}
        return value

    @field_validator("schedule", mode="before")
    @classmethod
    def _read_schedule(cls, value: Any) -> Any:
        if not isinstance(value, Mapping):
            return value
        try:
            return read_schedule(value)
        except ConfigError as error:
            raise ValueError(str(error)) from None

    @model_validator(mode="after")
    def _fits(self) -> GRMConfig:
        if problem := self._misfit(self.size):
            raise ValueError(problem)
        sizes = self.schedule.every_size() if self.schedule else {}
        for name, size in sizes.items():
            if problem := self._misfit(size):
                raise ValueError(f"schedule.{name}: {problem}")
        if self.watch and (problem := self.watch.misfit(sizes.values() or [self.size])):
            raise ValueError(problem)
        return self

    @model_validator(mode="after")
    def _alone_without_judge(self) -> GRMConfig:
        """What is for a judge would do nothing where there is none."""
        if self.asks_a_judge:
            return self
        usual = {"engine": (DEFAULT, "none", "replay"), "select": ("all",), "stop": ("fixed",)}
        idle = [name for name, known in usual.items() if getattr(self, name).name not in known]
        idle += [name for name in ("schedule", "principles", "evidence") if getattr(self, name)]
        idle += ["watch.alarm: raise_k"] if self.watch and self.watch.alarm == "raise_k" else []
        if idle:
            raise ValueError(
                f"scalar: use: alone asks no judge, so {' and '.join(idle)} would do nothing; "
                f"leave {'it' if len(idle) == 1 else 'them'} out, or set use: vote or cascade"
            )
        return self

    @model_validator(mode="wrap")
    @classmethod
    def _in_our_words(
        cls, value: Any, handler: ModelWrapValidatorHandler[Self], info: ValidationInfo
    ) -> Self:
        try:
            return handler(value)
        except ValidationError as error:
            raise ConfigError(explain(info.context or "config", cls, error)) from None

    @property
    def asks_a_judge(self) -> bool:
        """Whether there is a judge, and not a scalar RM alone."""
        return self.scalar is None or not self.scalar.alone

    @property
    def size(self) -> Size:
        """The size of every group for which the caller names none."""
        return Size(k=self.k)

    def check_size(self, size: Size) -> None:
        """Refuse a size that the other settings do not allow.

        A set ``permutations`` or ``min_valid`` holds for every size; left out, they follow its k.

        Raises:
            ConfigError: one of them is over k, or ``k_meta`` is for a meta RM that is not there.
        """
        if problem := self._misfit(size):
            raise ConfigError(f"size: {problem}")

    def _misfit(self, size: Size) -> str:
        for name in ("permutations", "min_valid"):
            value = getattr(self, name)
            if value is not None and value > size.k:
                return f"{name}: expected at most k = {size.k}, got {value}"
        if size.k_meta is not None and self.select.name in ("all", "weights"):
            return (
                f"k_meta: expected none with select: {self.select.name}, got {size.k_meta}; "
                "set select: meta_rm, or leave k_meta out"
            )
        return ""

    def enough(self, size: Size) -> int:
        """Valid samples a group of that size needs for a reward."""
        return self.min_valid or (size.k + 1) // 2

    def shuffles(self, size: Size) -> int:
        """Orders of the responses that the samples of a group of that size share."""
        return self.permutations or size.k

    @classmethod
    def load(cls, path: str | Path | None = None, /, **settings: Any) -> GRMConfig:
        """Settings from a YAML file (or ``GRM_CONFIG``), overridden by keywords.

        A keyword may be dotted through ``{"engine.url": ...}``. A template file that is not in the
        working directory stands beside the configuration.

        Raises:
            ConfigError: the file is missing or not YAML, a key is unknown, a value is wrong.
        """
        path = path or os.environ.get(ENV) or None
        values = read_yaml(_existing(path)) if path else {}
        for inside in ((), ("scalar",), ("watch", "control", "judge")):
            _find_template(values, Path(path or ""), *inside)
        return cls._checked(f"config {path}" if path else "config", values, settings)

    @classmethod
    def _checked(cls, where: str, values: dict[str, Any], settings: Mapping[str, Any]) -> GRMConfig:
        for key in sorted(settings, key=lambda key: key.count(".")):
            put(values, key, settings[key])
        return cls.model_validate(values, context=where)

    def but(self, **settings: Any) -> GRMConfig:
        """This configuration with some settings changed; keywords as in :meth:`load`.

        Raises:
            ConfigError: as :meth:`load`.
        """
        return self._checked("config", self._set(), settings)

    def filled(self, defaults: Mapping[str, Any]) -> GRMConfig:
        """This configuration with ``defaults`` where nothing was set.

        Raises:
            ConfigError: a default is no setting, or does not fit what was set.
        """
        where = f"defaults of engine {self.engine.name!r}"
        return self._checked(where, {**defaults, **self._set()}, {})

    def _set(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.model_fields_set}


def _taken(name: str, value: Any, given: Mapping[str, Any]) -> tuple[str, Any]:
    """The setting that another library calls ``name``, and its value; warns what to write."""
    setting, convert = TAKEN[name]
    if setting in given:
        raise ValueError(f"{name}: here it is {setting}, which is set, too; leave {name} out")
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{name}: expected a number, got {quoted(value)}; here it is {setting}")
    warnings.warn(
        f"config: {name}={value} is taken as {setting}={convert(value)}; write that", stacklevel=2
    )
    return setting, convert(value)


def _find_template(values: Any, config: Path, *inside: str) -> None:
    for key in inside:
        values = values.get(key) if isinstance(values, dict) else None
    name = values.get("template") if isinstance(values, dict) else None
    if isinstance(name, str) and is_template_file(name) and not _is_there(Path(name)):
        values["template"] = str(config.parent / name)


def _existing(path: str | Path) -> Path:
    """The configuration at ``path``; people give models and settings there, too."""
    if not isinstance(path, str | Path):
        raise ConfigError(
            f"config: expected the path of a YAML file, got {quoted(path)}; settings are keywords"
        )
    file = Path(path)
    if file.suffix in (".yaml", ".yml") or _is_there(file):
        return file
    name = quoted(str(path))
    raise ConfigError(
        f"config {name}: expected a YAML file with settings, and there is none; a judge is named "
        f"by its engine: engine={{'name': 'litellm', 'model': {name}}}, or 'server' with a url"
    )


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # no path at all: too long, or with a NUL
        return False
