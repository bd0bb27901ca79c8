"""What ``pyproject.toml`` names, and the lowest version of each."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
# torch comes from the constraints; the others look at code, or build it, and never run it
UNPINNED = {"torch", "hatchling", "ruff", "mypy", "import-linter", "pre-commit", "types-PyYAML"}


def requirements(extras: Iterable[str]) -> Iterator[Requirement]:
    """Those of the package and of ``extras``, with the extras that these name."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    yield from map(Requirement, project["dependencies"])
    for extra in extras:
        for one in map(Requirement, project["optional-dependencies"][extra]):
            if one.name == project["name"]:
                yield from requirements(one.extras)
            else:
                yield one


def lowest(named: Iterable[Requirement]) -> list[str]:
    """The lowest version that is allowed of each, as pip takes it."""
    found = {
        one.name: bound.version
        for one in named
        for bound in one.specifier
        if bound.operator == ">=" and one.name not in UNPINNED
    }
    return [f"{name}=={version}" for name, version in sorted(found.items())]
