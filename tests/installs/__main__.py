"""Install the package in an environment of its own, the newest or the oldest way, and try it.

``python -m tests.installs newest``: whatever the ranges of ``pyproject.toml`` allow today.
``python -m tests.installs oldest``: the lowest version of everything that we name.

Only torch comes from ``constraints.txt``, since other versions have no CPU build everywhere. Then:
``pip check``, the quick tests with every FutureWarning as an error, and one run of TRL's
GRPOTrainer. The result is kept in ``benchmarks/results/installs.json``, by way and Python; the page
``docs/reference/versions.md`` shows it. ``--core`` leaves torch and TRL out, for a Python that has
no CPU build of torch: then the tests that need neither run.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from tests.installs.requirements import ROOT, lowest, requirements

RESULTS = ROOT / "benchmarks" / "results" / "installs.json"
GRPO = ("tests/e2e/trl/test_trl_trainers.py", "-k", "grpo_and_its_kin")
CORE = ("core", "contracts", "prompts", "pipeline", "hosts", "plugins", "serving")


def main(
    way: Literal["newest", "oldest"],
    python: Annotated[str, typer.Option(help="the interpreter to try")] = sys.executable,
    core: Annotated[bool, typer.Option("--core", help="without torch and TRL")] = False,
    folder: Annotated[Path, typer.Option(help="of the environment")] = ROOT / "build" / "installs",
) -> None:
    """Install, check, test, and keep what came out."""
    place = folder / f"{way}{'-core' if core else ''}"
    subprocess.run([python, "-m", "venv", "--clear", str(place)], check=True)
    pip = [str(place / "bin" / "python"), "-m", "pip"]
    extras = ("serve", "test") if core else ("demo", "serve", "test", "trl")
    what = [f"{ROOT}[{','.join(extras)}]"]
    if not core:
        what.append(_torch())
    if way == "oldest":
        what += lowest(requirements(extras))
    subprocess.run([*pip, "install", "--quiet", *what], check=True)
    steps = {"pip check": [*pip, "check"], **_tests(pip[0], core=core)}
    found = {name: _outcome(name, command) for name, command in steps.items()}
    _keep(way, pip, found, core=core)
    raise typer.Exit(any(code for code, _ in found.values()))


def _torch() -> str:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return next(line for line in lines if line.startswith("torch=="))


def _tests(python: str, *, core: bool) -> dict[str, list[str]]:
    pytest = [python, "-W", "error::FutureWarning", "-m", "pytest", "-W", "error::FutureWarning"]
    if core:
        return {"tests": [*pytest, *(f"tests/{name}" for name in CORE)]}
    trainer = [python, "-m", "pytest", "-m", "trl", *GRPO]  # its own warnings are not ours
    return {"tests": pytest, "one GRPO run": trainer}


def _outcome(name: str, command: list[str]) -> tuple[int, str]:
    print(f"== {name}", flush=True)
    alone = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, cwd=ROOT, env=alone, capture_output=True, text=True, check=False)
    print(done.stdout[-6000:], done.stderr[-2000:], flush=True)
    counts = re.findall(r"\d+ (?:passed|failed|skipped|errors?)", done.stdout)
    return done.returncode, ", ".join(counts) or ("ok" if done.returncode == 0 else "failed")


def _keep(way: str, pip: list[str], found: dict[str, tuple[int, str]], *, core: bool) -> None:
    listed = json.loads(
        subprocess.run([*pip, "list", "--format=json"], capture_output=True, check=True).stdout
    )
    named = {
        one.name.lower() for one in requirements(("serve",) if core else ("demo", "serve", "trl"))
    }
    told = subprocess.run([pip[0], "--version"], capture_output=True, text=True, check=True)
    python = told.stdout.split()[-1]
    entry: dict[str, Any] = {
        "date": date.today().isoformat(),
        "outcome": {name: said for name, (_, said) in found.items()},
        "versions": {one["name"]: one["version"] for one in listed if one["name"].lower() in named},
    }
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    key = f"{way}, Python {python}{', core' if core else ''}"
    text = json.dumps(dict(sorted({**results, key: entry}.items())), indent=1)
    RESULTS.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
