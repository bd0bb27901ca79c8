"""The recipes in a folder of their own, with the prompt that their users write themselves."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from pathlib import Path

RECIPES = Path(__file__).parents[2] / "recipes"
PROMPT = "deepseek-grm-published.txt"
_BODY = (
    "The published text.\n#### Context ####\n{{conversation}}\n#### Responses ####\n{{responses}}"
)


def whole_recipes() -> Path:
    """A copy of the recipes in which nothing is left to write."""
    copy = Path(tempfile.mkdtemp(prefix="grm-recipes-")) / "recipes"
    atexit.register(shutil.rmtree, copy.parent, ignore_errors=True)
    shutil.copytree(RECIPES, copy)
    (copy / "grm" / PROMPT).write_text(_BODY, encoding="utf-8")
    return copy
