"""Run the study of docs/explanation/spct-study.md: train, sample, choose, measure.

``python -m recipes.spct.reference.study --out out/spct --jobs 2`` from the root of the repository.
The same command goes on after a kill; what was begun with one ``--share`` is refused with another.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from grm_plugin.errors import GRMError
from recipes.journal import Journal
from recipes.launch import until_interrupted
from recipes.spct.reference.chain import (
    Chain,
    choosing,
    judge,
    meta_rm,
    part,
    plan,
    rating,
    recipe,
    scale,
    shared,
    tasks,
    training,
)
from recipes.stages import Stage, run

_MODULE = "recipes.spct.reference"
_SEED = 0  # of the held-out samples: the same orders for every judge


def main(
    out: Annotated[Path, typer.Option(help="Folder for everything.")] = Path("out/spct"),
    base: Annotated[Path | None, typer.Option(help="A trained base; default: train one.")] = None,
    share: Annotated[float, typer.Option(help="Of the groups that are measured.")] = 1.0,
    train_share: Annotated[float, typer.Option(help="Of the training; for trying.")] = 1.0,
    jobs: Annotated[int, typer.Option(min=1, help="Commands that run at once.")] = 1,
) -> None:
    """Run every command of the study that has not been run yet; the last writes its figures."""
    chain = Chain(out, base=base, share=train_share, measured=share)
    try:
        work = run(stages(chain), Journal(out / "journal.json"), jobs=jobs)
        code = asyncio.run(until_interrupted(work))
    except GRMError as error:
        typer.echo(f"study: {error}", err=True)
        code = 2
    raise typer.Exit(code)


def stages(chain: Chain) -> list[Stage]:
    """Those of the most important figures first; what one reads an earlier one makes."""
    seeds = [replace(chain, seed=seed) for seed in plan()["train"]["seeds"]]
    final, *others = seeds
    made = [
        *shared(chain),
        _heldout(chain, "wide"),
        _heldout(chain, "deep"),
        *training(final),
        _wide(chain, "base", chain.start),
        *_trained(final),
        *rating(final),
        *choosing(final),
        _deep(chain, "rl", final.own / "rl", *meta_rm(final.own / "meta")),
        *(stage for one in others for stage in (*training(one), *_trained(one))),
        _deep(chain, "base", chain.start),
        *_without_principles(final),
    ]
    return [*made, _figures(chain, made)]


def _heldout(chain: Chain, slice_: str) -> Stage:
    heldout = plan()["heldout"]
    groups = part(heldout[slice_]["groups"], chain.measured)
    return tasks("heldout", heldout, groups, chain.out / f"{slice_}.jsonl")


def _trained(chain: Chain) -> list[Stage]:
    """Wide of what one seed trained; the RL judge first."""
    return [_wide(chain, f"{kind}{chain.seed}", chain.own / kind) for kind in ("rl", "rft")]


def _wide(chain: Chain, name: str, model: Path, groups: str = "wide") -> Stage:
    samples = ("--samples", str(plan()["heldout"]["wide"]["samples"]), "--greedy")
    made = chain.out / "wide" / name
    asked = (*samples, *judge(model, _SEED))
    return scale(f"wide {name}", chain.out / f"{groups}.jsonl", *asked, makes=made)


def _deep(chain: Chain, name: str, model: Path, *more: str) -> Stage:
    samples = ("--samples", str(plan()["heldout"]["deep"]["samples"]), "--no-greedy")
    made = chain.out / "deep" / name
    asked = (*samples, *judge(model, _SEED), *more)
    return scale(f"deep {name}", chain.out / "deep.jsonl", *asked, makes=made)


def _without_principles(chain: Chain) -> list[Stage]:
    """A second RFT judge, of rows without their criteria."""
    own, seed = chain.own, str(chain.seed)
    rows, bare = own / "bare.jsonl", own / "bare"
    cut = (sys.executable, "-m", f"{_MODULE}.without_criteria", str(own / "sft.jsonl"), str(rows))
    return [
        Stage("bare rows", cut, rows),
        recipe("bare", "sft", chain.start, rows, "--seed", seed, makes=bare),
        _wide(chain, "bare", bare, "deep"),
    ]


def _figures(chain: Chain, made: Sequence[Stage]) -> Stage:
    out = chain.out / "figures.json"
    command = (sys.executable, "-m", f"{_MODULE}.figures", str(chain.out), "--out", str(out))
    return Stage("figures", command, out, tuple(stage.makes for stage in made), anew=True)


if __name__ == "__main__":
    typer.run(main)
