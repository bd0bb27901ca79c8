"""The command line: what is ours, and what is the host's."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grm_plugin import strict_yaml
from grm_plugin.errors import ConfigError, quoted

REWARD_MODEL = "grm_plugin"
PREFIX = "--grm."
_MODEL, _CONFIG = "--reward_model", "--grm_config"
_NEAR = {re.sub(r"\W|_", "", name): name for name in (_MODEL, _CONFIG)}


@dataclass(frozen=True)
class Ours:
    """What the command line says about the judge.

    Args:
        reward_model: value of ``--reward_model``; None leaves the reward to the host.
        config: file of ``--grm_config``.
        overrides: settings of ``--grm.KEY VALUE``, keys dotted as in ``engine.url``.
    """

    reward_model: str | None = None
    config: Path | None = None
    overrides: Mapping[str, Any] = field(default_factory=dict)


def split(argv: Sequence[str]) -> tuple[Ours, list[str]]:
    """Our options, which are never abbreviated, and everything else in its order.

    >>> split(["--reward_model", "grm_plugin", "--grm.k=4", "--seed", "1"])[1]
    ['--seed', '1']

    Raises:
        ConfigError: a value is missing or no YAML, one of our options makes no sense, or an option
            is nearly one of ours.
    """
    found: dict[str, str] = {}
    rest: list[str] = []
    words = iter(argv)
    for word in words:
        name, equals, value = word.partition("=")
        if name in (_MODEL, _CONFIG) or name.startswith(PREFIX):
            found[name] = value if equals else _value(name, words)
        else:
            _check_spelling(name)
            rest.append(word)
    return _read(found), rest


def _check_spelling(name: str) -> None:
    """Refuse what is no option of ours by a sign only; the host would know it even less."""
    if not name.startswith("--"):
        return
    near = _NEAR.get(re.sub(r"\W|_", "", name))
    if near and name != "--reward.model":  # short for an option of the host
        raise ConfigError(f"{name}: no such option; did you mean {near}?")
    if re.match(r"--grm[\W_]", name):
        key = re.sub(r"^--grm[\W_]", PREFIX, name)
        raise ConfigError(f"{name}: no such option; did you mean {key}, or {_CONFIG}?")


def _value(name: str, words: Iterator[str]) -> str:
    value = next(words, None)
    if value is None or value.startswith("--"):
        raise ConfigError(f"{name}: expected a value, got {quoted(value or 'nothing')}")
    return value


def _read(found: Mapping[str, str]) -> Ours:
    model, config = found.get(_MODEL), found.get(_CONFIG)
    if model is None and found:
        raise ConfigError(f"{min(found)} needs {_MODEL} {REWARD_MODEL} beside it")
    if model not in (None, REWARD_MODEL):
        raise ConfigError(
            f"{_MODEL}: expected {REWARD_MODEL}, got {quoted(model)}; the judge itself is named in "
            f"the settings, by {PREFIX}engine or in the file of {_CONFIG}"
        )
    overrides = {
        name.removeprefix(PREFIX): _parsed(name, value)
        for name, value in found.items()
        if name.startswith(PREFIX)
    }
    return Ours(model, Path(config) if config else None, overrides)


def _parsed(name: str, value: str) -> Any:
    try:
        return strict_yaml.parse(value)
    except ValueError as error:
        raise ConfigError(
            f"{name}: expected a YAML value, got {quoted(value)} ({error})"
        ) from error


def describe(parser: argparse.ArgumentParser) -> None:
    """Add our options to the host's help."""
    ours = parser.add_argument_group(
        "grm-plugin", "a generative reward model in place of a scalar one"
    )
    ours.add_argument(_MODEL, choices=[REWARD_MODEL], help="score with grm-plugin")
    ours.add_argument(
        _CONFIG,
        metavar="FILE",
        help="YAML file of the judge, else $GRM_CONFIG",
    )
    ours.add_argument(
        "--grm.KEY", metavar="VALUE", help="one setting over the file's, such as --grm.k 16"
    )
