"""Measure two versions of this repository against each other, in turns.

    git worktree add ../before v0.1.0
    python benchmarks/pairs.py --before ../before --after . pipeline --groups 500

Runs ``benchmarks/<script>.py`` of both checkouts, each with its own package, one after the other
and in the other order every second time, so that whatever else the machine does hits both. Every
number that the script saves in ``results/`` and that moves is compared: the medians of both, and
the ratio after / before with its lowest and highest. The files that were there before are restored.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from machine import save

SIDES = ("before", "after")
Numbers = dict[str, float]


def main() -> None:
    """Measure, print a table, and save the result."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    for side in SIDES:
        parser.add_argument(f"--{side}", type=Path, required=True, help="a checkout")
    parser.add_argument("--repeats", type=int, default=3, help="runs of each")
    parser.add_argument("--note", default="", help="what else the machine did")
    parser.add_argument("script", help="name of a script in benchmarks/, such as pipeline")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="for the script")
    asked = parser.parse_args()
    folders = {side: getattr(asked, side).resolve() for side in SIDES}
    runs: dict[str, list[Numbers]] = {side: [] for side in SIDES}
    for repeat in range(asked.repeats):
        for side in SIDES if repeat % 2 == 0 else reversed(SIDES):
            runs[side].append(measured(folders[side], asked.script, asked.arguments))
            print(f"run {repeat + 1} of {side} done", flush=True)
    result = {
        **{name: getattr(asked, name) for name in ("script", "arguments", "repeats", "note")},
        **{side: commit(folder) for side, folder in folders.items()},
        "figures": compared(runs["before"], runs["after"]),
    }
    for name, figure in result["figures"].items():
        print(name, figure)
    print("saved", save(f"pairs_{asked.script}", result))


def measured(checkout: Path, script: str, arguments: Sequence[str]) -> Numbers:
    """The numbers of one run of ``script`` in ``checkout``."""
    folder = checkout / "benchmarks"
    path = folder / "results" / f"{script}.json"
    kept = path.read_bytes() if path.exists() else None
    packages = os.pathsep.join([str(checkout), str(checkout / "adapters")])
    try:
        subprocess.run(
            [sys.executable, str(folder / f"{script}.py"), *arguments],
            check=True,
            cwd=checkout,
            env={**os.environ, "PYTHONPATH": packages},
            stdout=subprocess.DEVNULL,
        )
        return dict(numbers(json.loads(path.read_text(encoding="utf-8"))))
    finally:
        if kept is not None:
            path.write_bytes(kept)


def numbers(value: Any, name: str = "") -> Iterator[tuple[str, float]]:
    """Every number in a result by its path, without the conditions it was measured in."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key != "conditions":
                yield from numbers(inner, f"{name} / {key}" if name else str(key))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield name, float(value)


def compared(before: Sequence[Numbers], after: Sequence[Numbers]) -> dict[str, Any]:
    """The figures that both versions have and that are not the same in all runs."""
    found = {}
    for name in before[0]:
        old, new = ([run.get(name, 0.0) for run in runs] for runs in (before, after))
        if all(old) and all(new) and len({*old, *new}) > 1:
            ratios = [b / a for a, b in zip(old, new, strict=True)]
            found[name] = {
                "before": round(statistics.median(old), 4),
                "after": round(statistics.median(new), 4),
                "ratio": round(statistics.median(ratios), 3),
                "ratio range": [round(min(ratios), 3), round(max(ratios), 3)],
            }
    return found


def commit(checkout: Path) -> str:
    """The version of a checkout, as git names it."""
    command = ["git", "-C", str(checkout), "describe", "--always", "--dirty", "--tags"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    main()
