"""``python -m recipes.spct.reference.figures.choosing SEED``: who votes, by the tuning slice.

Weights were fitted to these groups, so they enter by their accuracy on folds that they were not
fitted to; shares of the judgments have nothing to fit.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from grm_plugin.evaluation.scaling.margin import by_margin
from recipes.spct.reference.figures.cells import Cell, held_out
from recipes.spct.reference.figures.rules import choose


def main(folder: Path, out: Annotated[Path, typer.Option(help="JSON file.")]) -> None:
    """Write for k = 8 and 32 the rule that is right most often on the tuning slice."""
    samples = Cell(folder / "tune").samples
    found = {
        "meta": choose(samples, held_out(folder / "weights.json", "meta", "margin")),
        "margin": choose(by_margin(samples), held_out(folder / "margin.json", "margin")),
    }
    out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
