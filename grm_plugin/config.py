"""One typed object that says how rewards are made; wrong settings fail before anything starts.

Settings come, strongest first, from keywords, from a YAML file, from the file that ``GRM_CONFIG``
names, and from what the chosen engine prefers.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from grm_plugin.errors import ConfigError
from grm_plugin.options import explain
from grm_plugin.schedule import Schedule, read_schedule
from grm_plugin.size import MAX_K, Size

ENV = "GRM_CONFIG"
_ADDRESS = {"url", "urls", "serve"}
DEEPSEEK_GRM_16B = "BBQGOD/DeepSeek-GRM-16B"


class Part(BaseModel):
    """A part picked by name, and its options: ``mean`` or ``{name: meta_rm, k_meta: 4}``."""

    model_config = ConfigDict(extra="allow", frozen=True)

    name: str

    @property
    def options(self) -> dict[str, Any]:
        """Everything but the name."""
        return dict(self.model_extra or {})


class GRMConfig(BaseModel):
    """Every setting of the judge and of the vote.

    Fields without a default here (None) follow the engine or are derived; see
    ``docs/reference/config.md``, which is made from this class.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    engine: Part = Field(
        default_factory=lambda: default_judge(),
        description="where the judge runs: `reference`, `transformers`, `vllm`, `server`, `replay`",
    )
    template: str | None = Field(None, description="name or file of the prompt; default `grm`")
    k: int = Field(8, ge=1, le=MAX_K, description="samples of the judge per group")
    schedule: Schedule | None = Field(
        None, description="k (and k_meta) that grow during training; `k` holds everywhere else"
    )
    permutations: int | None = Field(
        None, ge=1, description="shuffles the k samples share; default k (every sample its own)"
    )
    shuffle: Literal["balanced", "independent"] = Field(
        "balanced",
        description="`balanced` shows every response at every place equally often over the "
        "samples of a group, `independent` draws every order anew",
    )
    temperature: float = Field(0.5, ge=0, le=5, description="0 is greedy")
    top_p: float = Field(1.0, gt=0, le=1, description="nucleus of each draw")
    max_tokens: int = Field(2048, ge=1, description="most tokens of one judgment")
    stop: tuple[str, ...] = Field((), description="texts that end a judgment")
    seed: int = Field(0, description="decides shuffles and draws")
    vote: str = Field("mean", description="`mean`, `sum`, `median`, `majority`, `borda`")
    select: Part = Field(Part(name="all"), description="which judgments vote: `all`, `meta_rm`")
    min_valid: int | None = Field(
        None, ge=1, description="fewest valid samples for a reward; default half of k, rounded up"
    )
    evidence: tuple[str, ...] = Field((), description="evidence sources to ask, by name")
    duplicates: str = Field(
        "merge", pattern="^(merge|keep)$", description="`merge` judges equal responses once"
    )
    over_context: str = Field(
        "refuse",
        pattern="^(refuse|split)$",
        description="a group too long for the judge: `refuse` it by name or `split` it",
    )
    request_timeout_s: float = Field(120, gt=0, description="deadline of one request")
    group_timeout_s: float = Field(600, gt=0, description="deadline of one group")
    batch_timeout_s: float = Field(1800, gt=0, description="deadline of one batch of groups")
    max_concurrent_samples: int = Field(256, ge=1, description="draws of the judge at a time")
    max_concurrent_groups: int = Field(64, ge=1, description="groups in flight at a time")
    tries: int = Field(4, ge=1, le=20, description="tries of a request on transport faults")
    dead_batches: int = Field(
        3, ge=1, description="batches without one reward after which the run stops"
    )
    record: Path | None = Field(None, description="JSONL file for every verdict")
    adapters: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="options of trainers' adapters, by name: `trl: {...}`"
    )

    @field_validator("engine", "select", mode="before")
    @classmethod
    def _from_name(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    @field_validator("engine", mode="before")
    @classmethod
    def _from_address(cls, value: Any) -> Any:
        """Only a server has an address, so it need not be named."""
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
        for name, size in (self.schedule.every_size() if self.schedule else {}).items():
            if problem := self._misfit(size):
                raise ValueError(f"schedule.{name}: {problem}")
        return self

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
        if size.k_meta is not None and self.select.name == "all":
            return (
                f"k_meta: expected none with select: all, got {size.k_meta}; "
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

        A keyword may be dotted through ``{"engine.url": ...}``.

        Raises:
            ConfigError: the file is missing or not YAML, a key is unknown, a value is wrong.
        """
        path = path or os.environ.get(ENV) or None
        values = _read(Path(path)) if path else {}
        return cls._checked(f"config {path}" if path else "config", values, settings)

    @classmethod
    def _checked(cls, where: str, values: dict[str, Any], settings: Mapping[str, Any]) -> GRMConfig:
        for key in sorted(settings, key=lambda key: key.count(".")):
            _put(values, key, settings[key])
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            raise ConfigError(explain(where, cls, error)) from None

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
        names = {*self.model_fields_set, "engine"}
        return {name: getattr(self, name) for name in names}


def _read(path: Path) -> dict[str, Any]:
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigError(f"config {path} can not be read: {error}") from error
    if not isinstance(values, dict):
        raise ConfigError(f"config {path}: expected keys and values, got {type(values).__name__}")
    return values


def _put(values: dict[str, Any], dotted: str, value: Any) -> None:
    *outer, last = dotted.split(".")
    for key in outer:
        inner = values.get(key, {})
        if isinstance(inner, BaseModel):
            inner = inner.model_dump()
        values[key] = dict(inner) if isinstance(inner, Mapping) else {"name": inner}
        values = values[key]
    values[last] = value


def default_judge() -> Part:
    """The judge when none is named: the published 16B on a CUDA GPU, else the reference GRM."""
    if _has_cuda():
        return Part.model_validate({"name": "transformers", "model": DEEPSEEK_GRM_16B})
    import warnings

    warnings.warn(
        "no judge named and no CUDA GPU: using the embedded reference GRM, which knows only its "
        "own word-list tasks; name a judge with engine=... or GRM_CONFIG",
        stacklevel=2,
    )
    return Part(name="reference")


def _has_cuda() -> bool:
    import importlib.util

    if importlib.util.find_spec("torch") is None:
        return False
    import torch

    return bool(torch.cuda.is_available())
