"""The judge's settings of a run: the file, and over it what the command line says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grm_openrlhf.command import PREFIX, Ours
from grm_plugin import GRMConfig
from grm_plugin.errors import ConfigError


def configured(ours: Ours) -> GRMConfig:
    """The settings that ``ours`` says.

    Raises:
        ConfigError: one is wrong; names the file, or the option of the command line.
    """
    try:
        return GRMConfig.load(ours.config, **ours.overrides)
    except ConfigError as error:
        GRMConfig.load(ours.config)  # where the file alone is wrong, that is what to say
        raise ConfigError(_of_options(ours, str(error))) from None


def _of_options(ours: Ours, problem: str) -> str:
    """``problem`` with the name of the option behind it in place of the file's."""
    guilty = [name for name in ours.overrides if _is_right(ours.config, _but(ours, name))]
    names = ", ".join(f"{PREFIX}{name}" for name in guilty or ours.overrides)
    where = f"config {ours.config}: " if ours.config else "config: "
    problem = problem.removeprefix(where)
    if len(guilty) == 1:
        problem = problem.removeprefix(f"{guilty[0]}: ")
    near = "; did you mean --grm_config?" if guilty == ["config"] else ""
    return f"{names}: {problem}{near}"


def _but(ours: Ours, name: str) -> Mapping[str, Any]:
    return {one: value for one, value in ours.overrides.items() if one != name}


def _is_right(file: Path | None, settings: Mapping[str, Any]) -> bool:
    try:
        GRMConfig.load(file, **settings)
    except ConfigError:
        return False
    return True
