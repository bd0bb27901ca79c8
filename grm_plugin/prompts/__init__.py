"""Prompt templates as text files beside the code that fills them."""

from __future__ import annotations

from pathlib import Path

from grm_plugin.hookspecs import Register, hookimpl
from grm_plugin.prompts.prepared import Prepared
from grm_plugin.prompts.template import Template, is_template_file, load_template

__all__ = ["Prepared", "Template", "is_template_file", "load_template"]

FOLDER = Path(__file__).parent
META = FOLDER / "meta.txt"
PRESETS = FOLDER / "presets"


@hookimpl
def grm_register_templates(register: Register[Path | str]) -> None:
    """Offer the built-in templates."""
    register("grm", FOLDER / "grm.txt")
    register("grm-single", FOLDER / "grm_single.txt")
    for path in sorted(PRESETS.glob("*.txt")):
        register(path.stem, path)
