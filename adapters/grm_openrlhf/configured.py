"""The judge's settings of a run: the file, and over it what the command line says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grm_openrlhf.checks import check_engine
from grm_openrlhf.command import PREFIX, Ours
from grm_openrlhf.options import OpenRLHFOptions, options_of
from grm_plugin import GRM, GRMConfig
from grm_plugin.errors import ConfigError, PluginError, TemplateError
from grm_plugin.plugins import Plugins

_FAULTS = (ConfigError, PluginError, TemplateError)


@dataclass(frozen=True)
class Configured:
    """Settings that were read, also those of the parts that they name.

    Args:
        config: all of them.
        options: the adapter's own.
        judge: made of them, and not started.
    """

    config: GRMConfig
    options: OpenRLHFOptions
    judge: GRM


def configured(ours: Ours, plugins: Plugins | None = None) -> Configured:
    """The settings that ``ours`` says.

    Args:
        ours: of the command line.
        plugins: for tests; default: everything installed.

    Raises:
        ConfigError: one is wrong, or the judge could not run beside the trainer; names the file,
            or the option of the command line.
        PluginError: so is a plug-in that they name.
        TemplateError: so is the template that they name.
    """
    try:
        return _read(ours.config, ours.overrides, plugins)
    except _FAULTS as error:
        GRMConfig.load(ours.config)  # where the file alone is wrong, that is what to say
        if _problem(ours.config, {}, plugins) == str(error):
            raise
        raise type(error)(_of_options(ours, str(error), plugins)) from None


def _read(file: Path | None, settings: Mapping[str, Any], plugins: Plugins | None) -> Configured:
    config = GRMConfig.load(file, **settings)
    options = options_of(config)
    check_engine(config, options)
    return Configured(config, options, GRM(config, plugins=plugins))


def _problem(file: Path | None, settings: Mapping[str, Any], plugins: Plugins | None) -> str:
    try:
        _read(file, settings, plugins)
    except _FAULTS as error:
        return str(error)
    return ""


def _of_options(ours: Ours, problem: str, plugins: Plugins | None) -> str:
    """``problem`` with the name of the option behind it in place of the file's."""
    guilty = [
        name
        for name in ours.overrides
        if _problem(ours.config, _but(ours, name), plugins) != problem
    ]
    names = ", ".join(f"{PREFIX}{name}" for name in guilty or ours.overrides)
    where = f"config {ours.config}: " if ours.config else "config: "
    problem = problem.removeprefix(where)
    if len(guilty) == 1:
        problem = problem.removeprefix(f"{guilty[0]}: ")
    near = "; did you mean --grm_config?" if guilty == ["config"] else ""
    return f"{names}: {problem}{near}"


def _but(ours: Ours, name: str) -> Mapping[str, Any]:
    return {one: value for one, value in ours.overrides.items() if one != name}
