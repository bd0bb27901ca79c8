"""The tables in the READMEs of the recipes of real size.

``python -m recipes.spct.tables recipes/spct/gemma-2-27b`` prints those of that folder's settings.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from recipes.spct.reckoning import Recipe, Stage


def tables(recipe: Recipe) -> str:
    """The README's tables, as Markdown."""
    stages = recipe.stages
    parts = [
        _table(["stage", "GPUs", "a GPU", "accumulated", "batch"], map(_batches, stages)),
        _table(
            ["GiB of a GPU", *recipe.memory(stages[0]), "sum", "there"],
            ([s.name, *_rounded(recipe.memory(s)), s.gpu_gib] for s in stages),
        ),
        _table(
            ["hours", "rows", "tokens a row", "learning", "sampling", "sum"],
            (
                [s.name, f"{s.rows:,}", s.prompt + s.output, *_rounded(recipe.hours(s))]
                for s in stages
            ),
        ),
    ]
    return "\n\n".join([*parts, _notes(recipe)])


def _notes(recipe: Recipe) -> str:
    shape, disk = recipe.shape, recipe.disk
    together = (f"{recipe.together(s)} in `{s.name}`" for s in recipe.stages if s.samples)
    return "\n".join(
        (
            f"- {shape.parameters:,} weights, {disk['weights']:.0f} GiB on disk; a checkpoint with "
            f"its optimizer takes {disk['checkpoint']:.0f} GiB more, and two are kept.",
            f"- The cache of a token takes {shape.kv_bytes / 1024:.0f} KiB. Judgments that one "
            f"vLLM writes at once: {', '.join(together)}.",
        )
    )


def _batches(stage: Stage) -> list[Any]:
    accumulated = stage.settings["gradient_accumulation_steps"]
    return [stage.name, stage.gpus, stage.rows_a_pass, accumulated, stage.batch]


def _rounded(parts: Mapping[str, float]) -> list[str]:
    return [f"{part:.1f}" for part in (*parts.values(), sum(parts.values()))]


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def main(folder: Annotated[Path, typer.Argument(help="Of a recipe, with its size.yaml.")]) -> None:
    """Print the tables of the recipe in FOLDER."""
    typer.echo(tables(Recipe(folder)))


if __name__ == "__main__":
    typer.run(main)
