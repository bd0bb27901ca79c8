"""``python -m recipes.spct.reference.figures OUT``: every figure of the study that is there yet."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from grm_plugin.report.terminal import out as terminal
from grm_plugin.report.terminal import plain_table
from recipes.spct.reference.figures import picture
from recipes.spct.reference.figures.aims import verdict
from recipes.spct.reference.figures.intervals import Figure, holm
from recipes.spct.reference.figures.measured import Measured


def main(
    folder: Annotated[Path, typer.Argument(help="The --out of the study.")],
    out: Annotated[Path | None, typer.Option(help="JSON file; the picture lies beside it.")] = None,
    note: Annotated[str, typer.Option(help="On what it was run, and what ran beside it.")] = "",
) -> None:
    """Write what the finished commands of the study come to, and name those that are not done."""
    study, path = Measured(folder), out or folder / "figures.json"
    figures = study.figures()
    told = {
        "note": note,
        "figures": [asdict(one) for one in figures],
        "not by Holm's rule": holm(figures),
        "other aims": [asdict(one) for one in study.aims()],
        "readings": {name: asdict(one) for name, one in study.readings().items()},
        "curves": study.curves,
        "seconds": study.seconds(),
        **study.notes,
        "missing": study.missing,
    }
    path.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    picture.save(path.with_suffix(".png"), figures, study.curves)
    terminal.print(table(figures))
    for name, area in study.notes.get("areas", {}).items():
        interval = f"{area['low']:.3f} to {area['high']:.3f}"
        terminal.print(f"AUC of the meta RM, {name}: {area['value']:.3f} ({interval})")
    for aim in study.aims():
        terminal.print(aim.told)
    for name in study.missing:
        terminal.print(f"not done yet: {name}")


def table(figures: Sequence[Figure]) -> Table:
    """One line a figure: points, the interval, p, each part, and whether an aim was met."""
    made = plain_table("figure", ">points", "95 %", ">p", "each N and seed", "aim")
    for one in figures:
        found = one.found
        parts = ", ".join(f"{name}: {part.value:+.1f}" for name, part in one.parts.items())
        interval = f"{found.low:+.1f} to {found.high:+.1f}"
        made.add_row(one.name, f"{found.value:+.1f}", interval, f"{found.p:.3f}", parts, _met(one))
    return made


def _met(figure: Figure) -> str:
    if figure.holds is None:
        return ""
    return f"{verdict(figure.holds)}: {figure.aim}"


if __name__ == "__main__":
    typer.run(main)
