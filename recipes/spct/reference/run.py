"""Train a judge of the reference family: base, RFT, RL and meta RM, on a CPU.

``python -m recipes.spct.reference.run --out out/spct --seed 1`` from the root of the repository;
the same command goes on after a kill. Each stage is a command that works alone, too; what was run
and how long it took is in ``out/spct/journal.json``. Only one process may write to a folder.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Literal

import typer

from grm_plugin.errors import GRMError
from recipes.journal import Journal
from recipes.launch import until_interrupted
from recipes.spct.reference.chain import Chain, choosing, rating, shared, training
from recipes.stages import run

Until = Literal["rl", "meta"]


def main(
    out: Annotated[Path, typer.Option(help="Folder for everything.")] = Path("out/spct"),
    seed: Annotated[int, typer.Option(help="Decides what is drawn after the base.")] = 1,
    base: Annotated[Path | None, typer.Option(help="A trained base; default: train one.")] = None,
    until: Annotated[Until, typer.Option(help="rl leaves the meta RM out.")] = "meta",
    share: Annotated[float, typer.Option(help="Of the training; for trying.")] = 1.0,
    measured: Annotated[float, typer.Option(help="Of the groups that are measured.")] = 1.0,
) -> None:
    """Train one seed of the chain, stage by stage."""
    chain = Chain(out, seed, base, share, measured)
    try:
        code = asyncio.run(until_interrupted(_run(chain, until)))
    except GRMError as error:
        typer.echo(f"run: {error}", err=True)
        code = 2
    raise typer.Exit(code)


async def _run(chain: Chain, until: Until) -> int:
    stages = [*shared(chain), *training(chain)]
    if until == "meta":
        stages += [*rating(chain), *choosing(chain)]
    return await run(stages, Journal(chain.out / "journal.json"))


if __name__ == "__main__":
    typer.run(main)
