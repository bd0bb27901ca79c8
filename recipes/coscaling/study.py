"""Run the study of docs/decisions/0023-grm-against-a-scalar-rm.md: train, measure, tell.

``python -m recipes.coscaling.study --out out/coscaling --jobs 2`` from the root of the repository.
The same command goes on after a kill, run by run. ``--only grm_k8,scalar`` leaves other arms out,
and a later call without it goes on with them; an arm that the plan cuts is run by its name alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from grm_plugin.errors import ConfigError, GRMError
from grm_plugin.reference.judge import BASE, MODEL
from recipes.coscaling.chain import Chain, data, figures, measuring, policy, scalar_rms
from recipes.coscaling.figures.published import published
from recipes.coscaling.plan import DOUBLED, EMBEDDED, STUDY, Plan, plan
from recipes.journal import Journal
from recipes.launch import until_interrupted
from recipes.stages import Stage, run


def main(
    out: Annotated[Path, typer.Option(help="Folder for everything.")] = Path("out/coscaling"),
    judge: Annotated[Path, typer.Option(help="The GRM; default: the shipped one.")] = MODEL,
    base: Annotated[Path, typer.Option(help="What it was before SPCT.")] = BASE,
    meta: Annotated[Path | None, typer.Option(help="Its meta RM; without, no arm has one.")] = None,
    share: Annotated[float, typer.Option(help="Of all training; for trying.")] = 1.0,
    only: Annotated[str, typer.Option(help="Arms to run, as in grm_k8,scalar; empty: all.")] = "",
    jobs: Annotated[int, typer.Option(min=1, help="Commands that run at once.")] = 1,
    policy: Annotated[
        Path | None, typer.Option(help="What all policies start from; default: the shipped one.")
    ] = None,
    by: Annotated[Path, typer.Option("--plan", help="What is run.")] = STUDY,
    known: Annotated[
        Path | None, typer.Option(help="Runs that are told of already, and not run again.")
    ] = None,
) -> None:
    """Run every command of the study that has not been run yet; the last writes its figures."""
    chain = Chain(out, judge, base, meta, share, policy, by, known)
    try:
        made = stages(chain, plan(by), [name for name in only.split(",") if name])
        journal = Journal(chain.out / "journal.json")
        code = asyncio.run(until_interrupted(run(made, journal, jobs=jobs)))
    except GRMError as error:
        typer.echo(f"study: {error}", err=True)
        code = 2
    raise typer.Exit(code)


def stages(chain: Chain, settings: Plan, only: Sequence[str] = ()) -> list[Stage]:
    """Everything that is run, in order; each run of a policy is measured when it is done.

    A scalar RM is trained before the first run that asks it, and one that nobody asks at the end.

    Args:
        chain: where it is written, and of which models.
        settings: the plan.
        only: names of arms; empty: all of which the models are there.

    Raises:
        ConfigError: there is no such arm.
    """
    known = {arm.name for arm in settings.arms}
    if strange := sorted({*only} - known):
        raise ConfigError(f"--only: expected {', '.join(sorted(known))}, got {strange[0]!r}")
    known = published(chain.known)
    runs = [
        (arm, seed)
        for arm, seed in settings.runs()
        if (arm.name in only if only else not arm.cut)
        and (chain.meta or not arm.needs_meta)
        and (arm.name, seed) not in known.names
    ]
    asked: set[object] = {name for arm, seed in runs for name in arm.asks(seed)} - {EMBEDDED}
    told: set[object] = set()
    if not only:
        told |= {*settings.scalar.starts}  # also those that reward no policy are told about
    if (asked or told) and settings.scalar.doubled:
        told |= {settings.scalar.seeds[0], DOUBLED}  # they tell how flat all of them are
    needed = asked | {name for name in told if str(name) not in known.scalar_rms}
    scalars = scalar_rms(chain, settings.scalar, needed)
    made = data(chain, settings, scalar=bool(needed))
    for arm, seed in runs:
        for name in arm.asks(seed):
            made += scalars.pop(name, [])
        trained = policy(chain, settings, arm, seed)
        made += [trained, measuring(chain, arm, seed, trained)]
    for rest in scalars.values():
        made += rest
    return [*made, figures(chain, made)]


if __name__ == "__main__":
    typer.run(main)
