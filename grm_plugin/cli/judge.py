"""The options that name a judge, declared once and shared by every command that runs one."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

from typer import Option

from grm_plugin import strict_yaml
from grm_plugin.config import ENV, GRMConfig
from grm_plugin.errors import ConfigError, quoted

R = TypeVar("R")
_PANEL = "Judge"


def _option(*names: str, text: str, metavar: str | None = None) -> Any:
    return Option(*names, help=text, metavar=metavar, rich_help_panel=_PANEL)


_CONFIG = _option("--config", text="YAML file with settings; default: the one GRM_CONFIG names.")
_SET = _option(
    "--set", metavar="KEY=VALUE", text="Any setting, such as `engine.dtype=bfloat16`; repeatable."
)
_ENGINE = _option("--engine", text="Where the judge runs; `grm plugins` lists the engines.")
_MODEL = _option("--model", text="Model folder, hub id or served name.")
_URL = _option("--url", text="Address of a server, such as http://localhost:8001.")
_K = _option("-k", "--k", text="Samples of the judge per group.")
_TEMPLATE = _option("--template", text="Name or file of the prompt.")
_VOTE = _option("--vote", text="How scores become rewards: mean, sum, median, majority, borda.")
_TEMPERATURE = _option("--temperature", text="Of the judge; 0 is greedy.")
_SEED = _option("--seed", text="Decides shuffles and draws.")


@dataclass(frozen=True)
class JudgeSettings:
    """What the command line says about the judge, not looked into yet.

    Args:
        file: of ``--config``.
        pairs: ``KEY=VALUE`` texts of ``--set``.
        shortcuts: settings of the other options; stronger than ``pairs``.
    """

    file: Path | None
    pairs: tuple[str, ...]
    shortcuts: Mapping[str, Any]

    @property
    def source(self) -> str:
        """Where the settings come from besides the command line."""
        if self.file:
            return str(self.file)
        return f"{ENV}={os.environ[ENV]}" if os.environ.get(ENV) else "none"

    def load(self) -> GRMConfig:
        """The configuration.

        Raises:
            ConfigError: a setting is unknown, wrong, or not KEY=VALUE.
        """
        return GRMConfig.load(self.file, **{**read_pairs(self.pairs, "--set"), **self.shortcuts})


def read_pairs(texts: Iterable[str], option: str) -> dict[str, Any]:
    """The settings in ``KEY=VALUE`` texts; values are YAML.

    Raises:
        ConfigError: one of them is not KEY=VALUE; the message names ``option``.
    """
    return dict(_pair(text, option) for text in texts)


def _pair(text: str, option: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise ConfigError(f"{option}: expected KEY=VALUE, such as k=16, got {quoted(text)}")
    try:
        return key.strip(), strict_yaml.parse(value)
    except ValueError as error:
        raise ConfigError(
            f"{option} {key}: expected a YAML value, got {quoted(value)} ({error})"
        ) from error


def _judge_options(
    config: Annotated[Path | None, _CONFIG] = None,
    set_: Annotated[list[str] | None, _SET] = None,
    engine: Annotated[str | None, _ENGINE] = None,
    model: Annotated[str | None, _MODEL] = None,
    url: Annotated[str | None, _URL] = None,
    k: Annotated[int | None, _K] = None,
    template: Annotated[str | None, _TEMPLATE] = None,
    vote: Annotated[str | None, _VOTE] = None,
    temperature: Annotated[float | None, _TEMPERATURE] = None,
    seed: Annotated[int | None, _SEED] = None,
) -> JudgeSettings:
    shortcuts = {
        "engine": engine,
        "engine.model": model,
        "engine.url": url,
        "k": k,
        "template": template,
        "vote": vote,
        "temperature": temperature,
        "seed": seed,
    }
    named = {key: value for key, value in shortcuts.items() if value is not None}
    return JudgeSettings(config, tuple(set_ or ()), named)


def takes_judge(command: Callable[..., R]) -> Callable[..., R]:
    """Give ``command`` the options that name a judge; it gets them as ``settings``."""
    shared = inspect.signature(_judge_options, eval_str=True).parameters
    own = inspect.signature(command, eval_str=True).parameters
    mine = [parameter for name, parameter in own.items() if name != "settings"]

    @functools.wraps(command)
    def with_settings(**values: Any) -> R:
        options = {name: values.pop(name) for name in shared}
        return command(settings=_judge_options(**options), **values)

    parameters = [*mine, *shared.values()]
    with_settings.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    with_settings.__annotations__ = {each.name: each.annotation for each in parameters}
    return with_settings
