"""One typed object that says how rewards are made; wrong settings fail before anything starts.

Settings come, strongest first, from keywords, from a YAML file, from the file that ``GRM_CONFIG``
names, and from what the chosen engine prefers.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from grm_plugin.errors import ConfigError
from grm_plugin.options import Options, Part, explain, put, read_yaml
from grm_plugin.prices import BudgetLimits, Prices
from grm_plugin.running.recorder import Durability
from grm_plugin.schedule import Schedule, read_schedule
from grm_plugin.size import MAX_K, Size

ENV = "GRM_CONFIG"
DEFAULT = "default"
_ADDRESS = {"url", "urls", "serve"}

# names of earlier versions, and what to write now
RENAMED = {"dead_batches": "dead judges are counted in two ways now: set dead_groups, dead_after_s"}


class ThinkingMarks(Options):
    """What of a judge's text is thinking.

    Args:
        marks: pairs of texts that open and close thinking, besides those that are known.
        closed: a text whose thinking is not closed is no answer.
    """

    marks: tuple[tuple[str, str], ...] = ()
    closed: bool = False


class GRMConfig(Options):
    """Every setting of the judge and of the vote; None follows the engine or is derived.

    ``docs/reference/config.md`` is made from this class.
    """

    engine: Part = Field(
        Part(name=DEFAULT),
        description="where the judge runs: `reference`, `transformers`, `vllm`, `server`, "
        "`litellm`, `replay`; `default` is chosen when the judge is made",
    )
    template: str | None = Field(None, description="name or file of the prompt; default `grm`")
    k: int = Field(8, ge=1, le=MAX_K, description="samples of the judge per group")
    schedule: Schedule | None = Field(
        None, description="k (and k_meta) that grow during training; `k` holds everywhere else"
    )
    contract: Part | None = Field(
        None, description="how the judge answers; default: what the template says"
    )
    plan: Part | None = Field(
        None, description="which responses each call shows; default: from the contract"
    )
    thinking: ThinkingMarks = Field(
        ThinkingMarks(), description="what of a judge's text is thinking, and no answer"
    )
    shuffle: Literal["balanced", "independent"] = Field(
        "balanced", description="`balanced` shows every response in every place equally often"
    )
    nonce: bool = Field(
        False, description="a word of its own for each group in the delimiters of the prompt"
    )
    permutations: int | None = Field(
        None, ge=1, description="shuffles the k samples share; default k (every sample its own)"
    )
    temperature: float = Field(0.5, ge=0, le=5, description="0 is greedy")
    top_p: float = Field(1.0, gt=0, le=1, description="nucleus of each draw")
    max_tokens: int = Field(2048, ge=1, description="most tokens of one judgment")
    stop_texts: tuple[str, ...] = Field((), description="texts that end a judgment")
    seed: int = Field(0, description="decides shuffles and draws")
    vote: Part = Field(
        Part(name="mean"), description="`mean`, `sum`, `median`, `majority`, `borda`"
    )
    select: Part = Field(Part(name="all"), description="which judgments vote: `all`, `meta_rm`")
    stop: Part = Field(
        Part(name="fixed"), description="when enough samples are drawn: `fixed` draws k"
    )
    min_valid: int | None = Field(
        None, ge=1, description="fewest valid samples for a reward; default half of k, rounded up"
    )
    find_culprits: int | None = Field(
        None,
        ge=0,
        description="most draws to find the response that breaks a group; default 3 N + 4",
    )
    evidence: tuple[Part, ...] = Field((), description="evidence sources to ask, by name")
    principles: Part | None = Field(None, description="where a group's principles come from")
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
    dead_groups: int = Field(
        8, ge=1, description="groups in a row without a reward after which the run stops, but"
    )
    dead_after_s: float = Field(
        300, ge=0, description="not before the judge was asked in vain for so long"
    )
    prices: Prices | None = Field(
        None,
        description="US dollars for a million tokens of the judge: `{prompt: 0.15, output: 0.6}`, "
        "and `cached` for those of a prompt that the server had cached; a cost that the server "
        "tells itself holds before them",
    )
    budget: BudgetLimits | None = Field(
        None,
        description="the most that a run spends on the judge, `{money: 5}` in US dollars or "
        "`{tokens: 1000000}`; it stops before one of them is passed",
    )
    record: Path | None = Field(None, description="JSONL file for every verdict")
    durability: Durability = Field(
        "flush",
        description="what a recorded verdict survives: `flush` a kill, `fsync` a power cut, too, "
        "at some milliseconds a verdict",
    )
    adapters: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="options of trainers' adapters, by name: `trl: {...}`"
    )

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

        A keyword may be dotted through ``{"engine.url": ...}``. A template file that is not in the
        working directory stands beside the configuration.

        Raises:
            ConfigError: the file is missing or not YAML, a key is unknown, a value is wrong.
        """
        path = path or os.environ.get(ENV) or None
        values = read_yaml(Path(path)) if path else {}
        _find_template(values, Path(path or ""))
        return cls._checked(f"config {path}" if path else "config", values, settings)

    @classmethod
    def _checked(cls, where: str, values: dict[str, Any], settings: Mapping[str, Any]) -> GRMConfig:
        for key in sorted(settings, key=lambda key: key.count(".")):
            put(values, key, settings[key])
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
        return {name: getattr(self, name) for name in self.model_fields_set}


def _find_template(values: dict[str, Any], config: Path) -> None:
    name = values.get("template")
    if isinstance(name, str) and is_template_file(name) and not _is_there(Path(name)):
        values["template"] = str(config.parent / name)


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # no path at all: too long, or with a NUL
        return False


def is_template_file(name: str) -> bool:
    """Whether a template's name is a path: anything with a slash or a suffix."""
    return "/" in name or "." in name
