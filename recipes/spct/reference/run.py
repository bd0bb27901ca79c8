"""Train a judge of the reference family: base, RFT, RL and meta RM, on a CPU.

``python -m recipes.spct.reference.run --out out/spct --seed 1`` from the root of the repository;
the same command goes on after a kill. Each stage is a command that works alone, too; what was run
and how long it took is in ``out/spct/journal.json`` and ``out/spct/seed1/journal.json``.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Literal

import typer

from grm_plugin.errors import GRMError
from recipes.launch import until_interrupted
from recipes.spct.journal import Journal
from recipes.spct.reference.chain import Chain, meta, shared, training
from recipes.spct.stages import run

Until = Literal["rl", "meta"]


def main(
    out: Annotated[Path, typer.Option(help="Folder for everything.")] = Path("out/spct"),
    seed: Annotated[int, typer.Option(help="Decides what is drawn after the base.")] = 1,
    base: Annotated[Path | None, typer.Option(help="A trained base; default: train one.")] = None,
    until: Annotated[Until, typer.Option(help="The last model to train.")] = "meta",
    share: Annotated[float, typer.Option(help="Of groups and RL steps; for trying.")] = 1.0,
) -> None:
    """Train one seed of the chain, stage by stage."""
    chain = Chain(out, seed, base, share)
    try:
        code = asyncio.run(until_interrupted(_run(chain, until)))
    except GRMError as error:
        typer.echo(f"run: {error}", err=True)
        code = 2
    raise typer.Exit(code)


async def _run(chain: Chain, until: Until) -> int:
    stages = training(chain) + (meta(chain) if until == "meta" else [])
    return await run(shared(chain), Journal(chain.out / "journal.json")) or await run(
        stages, Journal(chain.own / "journal.json")
    )


if __name__ == "__main__":
    typer.run(main)
