"""The command line: what is ours, and what is the host's."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grm_plugin import strict_yaml
from grm_plugin.errors import ConfigError, quoted

REWARD_MODEL = "grm_plugin"
_PREFIX = "--grm."


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
        ConfigError: a value is missing or no YAML, or one of our options makes no sense.
    """
    found: dict[str, str] = {}
    rest: list[str] = []
    words = iter(argv)
    for word in words:
        name, equals, value = word.partition("=")
        if name in ("--reward_model", "--grm_config") or name.startswith(_PREFIX):
            found[name] = value if equals else _value(name, words)
        else:
            rest.append(word)
    return _read(found), rest


def _value(name: str, words: Iterator[str]) -> str:
    value = next(words, None)
    if value is None or value.startswith("--"):
        raise ConfigError(f"{name}: expected a value, got {quoted(value or 'nothing')}")
    return value


def _read(found: Mapping[str, str]) -> Ours:
    model, config = found.get("--reward_model"), found.get("--grm_config")
    if model is None and found:
        raise ConfigError(f"{min(found)} needs --reward_model {REWARD_MODEL} beside it")
    if model not in (None, REWARD_MODEL):
        raise ConfigError(f"--reward_model: expected {REWARD_MODEL}, got {quoted(model)}")
    overrides = {
        name.removeprefix(_PREFIX): _parsed(name, value)
        for name, value in found.items()
        if name.startswith(_PREFIX)
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
    ours.add_argument("--reward_model", choices=[REWARD_MODEL], help="score with grm-plugin")
    ours.add_argument(
        "--grm_config",
        metavar="FILE",
        help="YAML file of the judge, else $GRM_CONFIG",
    )
    ours.add_argument(
        "--grm.KEY", metavar="VALUE", help="one setting over the file's, such as --grm.k 16"
    )
