"""The core is light: importing it, and scoring with a remote judge, loads no machine learning."""

from __future__ import annotations

import subprocess
import sys

TRAINERS = ["torch", "transformers", "vllm", "trl", "openrlhf", "ray"]
HEAVY = [*TRAINERS, "numpy", "matplotlib", "aiohttp", "typer", "rich", "stamina", "datasets"]


def loaded_after(code: str) -> set[str]:
    program = f"import sys\n{code}\nprint(*(name for name in {HEAVY} if name in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_importing_the_core_loads_nothing_heavy() -> None:
    assert loaded_after("import grm_plugin, grm_plugin.testing, grm_plugin.records") == set()


def test_scoring_with_a_scripted_judge_loads_nothing_heavy() -> None:
    code = """
from grm_plugin import GRM, Group
from grm_plugin.testing import scripted
with GRM(plugins=scripted(["\\\\boxed{9, 3}"]), engine="scripted", k=2) as grm:
    assert grm.score(Group.of("q", ["a", "b"])).scored
"""
    assert loaded_after(code) == set()
