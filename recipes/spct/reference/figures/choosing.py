"""``python -m recipes.spct.reference.figures.choosing SEED``: who votes, by the tuning slice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from grm_plugin.evaluation.scaling.measuring import Design
from recipes.spct.reference.chain import plan
from recipes.spct.reference.figures.cells import Cell, Chosen
from recipes.spct.reference.figures.rules import KS, by_margin, candidates, choose


def main(folder: Path, out: Annotated[Path, typer.Option(help="JSON file.")]) -> None:
    """Write for k = 8 and 32 the rule that is right most often on the tuning slice."""
    samples, fitted = Cell(folder / "tune").samples, Chosen.read(folder)
    design = Design(ks=KS, orders=plan()["orders"], balanced=True)
    found = {
        "meta": choose(samples, candidates(fitted.meta), design),
        "margin": choose(by_margin(samples), candidates(fitted.margin), design),
    }
    out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
