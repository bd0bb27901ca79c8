"""What the scoring functions of the PyPI package rewardbench say of random tables.

``python -m tests.evaluation.benchmarks.official_scorers`` downloads the wheel without its many
dependencies, runs nothing of it but three functions, and writes what they say to
``goldens/rewardbench.json``; ``--check`` compares it with what is there instead. Tests read that
file, so that they need neither the package nor a network.
"""

from __future__ import annotations

import ast
import json
import math
import random
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from datasets import Dataset

from tests.evaluation.benchmarks.published import OFFICIAL

VERSION = "0.1.4"
FUNCTIONS = (
    "calculate_scores_per_section",
    "sample_stats",
    "process_single_model",
    "reroll_and_score_dataset",
)

Functions = dict[str, Any]


def wheel(folder: Path) -> Path:
    """The wheel, downloaded by pip."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    subprocess.run([*pip, f"--dest={folder}", f"rewardbench=={VERSION}"], check=True)
    return next(folder.glob("rewardbench-*.whl"))


def functions_of(path: Path) -> Functions:
    """The scoring functions and tables of the wheel, without the imports of their module."""
    found: Functions = {"np": np, "pd": pd, "Dataset": Dataset, "math": math, "List": list}
    with zipfile.ZipFile(path) as archive:
        exec(archive.read("rewardbench/constants.py"), found)
        tree = ast.parse(archive.read("rewardbench/utils.py"))
    tree.body = [
        one for one in tree.body if isinstance(one, ast.FunctionDef) and one.name in FUNCTIONS
    ]
    exec(compile(tree, "rewardbench/utils.py", "exec"), found)
    return found


def tables(functions: Functions) -> dict[str, Any]:
    """Random tables of scores, and what the functions say of them."""
    rng = random.Random(20261127)
    return {
        "made with": f"rewardbench {VERSION}",
        "counts": functions["EXAMPLE_COUNTS"],
        "sections": [_sections(functions, rng) for _ in range(20)],
        "ties": [_ties(functions, rng) for _ in range(40)],
        "one of four": _one_of_four(functions, rng),
    }


def _sections(functions: Functions, rng: random.Random) -> dict[str, Any]:
    counts = functions["EXAMPLE_COUNTS"]
    subsets = {name: round(rng.random(), 4) for name in counts}
    said = functions["calculate_scores_per_section"](counts, functions["SUBSET_MAPPING"], subsets)
    return {"subsets": subsets, "sections": said}


def _ties(functions: Functions, rng: random.Random) -> dict[str, Any]:
    """Twins, and some without a twin; scores of few or many values, so that many are equal."""
    values, rows = rng.choice([4, 10, 100]), []
    for number in range(rng.randint(3, 9)):
        lift = rng.randint(0, values)
        kinds = (
            ("ref", "tied") if number < 2 else rng.choice([("ref",), ("tied",), ("ref", "tied")])
        )
        for kind in kinds:
            right = 1 if kind == "ref" else rng.choice([2, 2, 3, 5])
            scores = [rng.randint(1, values) + lift * (n < right) for n in range(right + 3)]
            rows.append({"id": f"{kind}:{number}", "num_correct": right, "scores": scores})
    _, score = functions["process_single_model"]([dict(one) for one in rows])
    return {"rows": rows, "score": float(score)}


def _one_of_four(functions: Functions, rng: random.Random) -> dict[str, Any]:
    groups = [[rng.randint(1, 4) for _ in range(4)] for _ in range(60)]
    flat = functions["Dataset"].from_dict({"scores": [one for group in groups for one in group]})
    said = functions["reroll_and_score_dataset"](flat, [4] * len(groups), ["scores"])
    return {"scores": groups, "credits": [float(one) for one in said["results"]]}


def main(check: bool) -> None:
    """Write the golden file, or compare it."""
    with tempfile.TemporaryDirectory() as folder:
        found = tables(functions_of(wheel(Path(folder))))
    if not check:
        OFFICIAL.parent.mkdir(exist_ok=True)
        OFFICIAL.write_text(compact(found))
    elif json.loads(OFFICIAL.read_text()) != json.loads(compact(found)):
        sys.exit(f"{OFFICIAL} is not what rewardbench {VERSION} says")


def compact(found: dict[str, Any]) -> str:
    """JSON with one table a line."""
    lines = [f" {json.dumps(key)}: {_rows(value)}" for key, value in found.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _rows(value: Any) -> str:
    if not isinstance(value, list):
        return json.dumps(value)
    return "[\n  " + ",\n  ".join(map(json.dumps, value)) + "\n ]"


if __name__ == "__main__":
    main("--check" in sys.argv[1:])
