"""``python -m recipes.coscaling.figures OUT``: every figure of the study that is there yet."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from grm_plugin.evaluation.statistics import Estimate
from grm_plugin.report.terminal import out as terminal
from grm_plugin.report.terminal import plain_table
from recipes.coscaling.figures import picture
from recipes.coscaling.figures.arms import Arms
from recipes.coscaling.figures.claims import Claim, claims, not_by_holm
from recipes.coscaling.figures.published import Published, as_json, publish, published
from recipes.coscaling.figures.rows import Row, exchange_rates, rows
from recipes.coscaling.figures.runs import Run, read_run
from recipes.coscaling.figures.scalar_rms import FLAT, ScalarRM, gained, scalar_rms
from recipes.coscaling.plan import DOUBLED, STUDY, Plan, plan


def main(
    folder: Annotated[Path, typer.Argument(help="The --out of the study.")],
    out: Annotated[
        Path | None, typer.Option(help="JSON file; all runs and pictures lie beside it.")
    ] = None,
    note: Annotated[str, typer.Option(help="On what it was run, and what ran beside it.")] = "",
    by: Annotated[Path, typer.Option("--plan", help="What was run.")] = STUDY,
    known: Annotated[
        Path | None, typer.Option(help="Further runs: a file that this wrote elsewhere.")
    ] = None,
) -> None:
    """Write what the finished runs come to, and name those that are not done."""
    settings, path = plan(by), out or folder / "figures.json"
    measured = published(known).joined(found(folder, settings))
    arms, missing = in_arms(measured, settings)
    told, lines, trained = claims(arms), rows(arms), measured.scalar_rms
    more = _gained(trained, settings)
    figures = {
        "note": note,
        "claims": [asdict(one) | {"p": one.p} for one in told],
        "not by Holm's rule": not_by_holm(told),
        "arms": {line.arm: asdict(line) for line in lines},
        "exchange rates": exchange_rates(lines),
        "scalar RMs": {name: asdict(one) for name, one in trained.items()},
        "gained by twice the passes": more,
        "missing": missing,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(as_json(figures), indent=1) + "\n", encoding="utf-8")
    publish(path.with_name(f"{path.stem}_runs.json"), measured)
    if arms.names:
        picture.save_quality(path.with_suffix(".png"), arms)
        picture.save_gap(path.with_name(f"{path.stem}_gap.png"), arms)
    terminal.print(claims_table(told))
    terminal.print(arms_table(lines))
    for name, one in trained.items():
        terminal.print(f"scalar RM {name}: {_trained(one)}")
    if more is not None:
        flat = "flat" if more <= FLAT else "NOT flat"
        terminal.print(f"twice the passes gain {more:.3f} nats: {flat}")
    for name, seeds in missing.items():
        terminal.print(f"not done yet: {name} {', '.join(map(str, seeds))}")


def found(folder: Path, settings: Plan) -> Published:
    """The runs in a folder that were measured, and the scalar RMs."""
    runs: list[Run] = []
    for arm, seed in settings.runs():
        run, truth = folder / "runs" / arm.name / str(seed), folder / "truth" / arm.name
        file = truth / f"{seed}.json"
        if file.exists():
            runs.append(read_run(run, file, edge=settings.edge, responses=settings.responses))
    return Published(runs, scalar_rms(folder / "scalar"))


def in_arms(measured: Published, settings: Plan) -> tuple[Arms, dict[str, list[int]]]:
    """All runs in the order of the plan, and by arm the seeds of which there is none."""
    by = {(run.arm, run.seed): run for run in measured.runs}
    planned_runs = [(arm, seed, by.get((arm.name, seed))) for arm, seed in settings.runs()]
    missing: dict[str, list[int]] = {}
    for arm, seed, run in planned_runs:
        if run is None and not arm.cut:
            missing.setdefault(arm.name, []).append(seed)
    runs = [run for _, _, run in planned_runs if run is not None]
    size = {"rounds": settings.rounds, "updates": settings.updates, "edge": settings.edge}
    planned = {arm.name: arm.seeds for arm in settings.arms if not arm.cut}
    return Arms(runs, **size, planned=planned), missing


def _gained(trained: Mapping[str, ScalarRM], settings: Plan) -> float | None:
    """By what twice the passes made a scalar RM better; None while one of the two is missing."""
    one, doubled = trained.get(str(settings.scalar.seeds[0])), trained.get(DOUBLED)
    return gained(one, doubled) if one and doubled else None


def claims_table(told: Sequence[Claim]) -> Table:
    """One line a claim: the difference, its interval, p, each seed, and whether it was met."""
    made = plain_table("claim", ">mean", "95 %", ">p", "each seed", "aim", "beside")
    for one in told:
        seeds = ", ".join(f"{value:+.3f}" for value in one.seeds.values())
        beside = ", ".join(f"{name} {_signed(value)}" for name, value in one.beside.items())
        aim = f"{one.open or ('met' if one.holds else 'not met')}: {one.aim}"
        mean, interval = f"{one.found.value:+.3f}", _interval(one.found)
        made.add_row(one.name, mean, interval, f"{one.p:.3f}", seeds, aim, beside)
    return made


def arms_table(lines: Sequence[Row]) -> Table:
    """One line an arm: true quality after the common rounds, the gap, and what a response cost."""
    made = plain_table(
        "arm",
        ">seeds",
        ">final",
        "95 %",
        ">sd",
        ">peak",
        ">mean",
        ">gap",
        ">alarms",
        ">MFLOP",
        ">ms",
    )
    for one in lines:
        figures = (one.final.value, one.deviation, one.peak.value, one.mean.value, one.gap.value)
        final, deviation, peak, mean, gap = (f"{value:.3f}" for value in figures)
        costs = f"{one.alarms:.1f}", _cost(one.megaflops, 0), _cost(one.milliseconds, 1)
        row = (one.arm, str(one.seeds), final, _interval(one.final), deviation, peak, mean, gap)
        made.add_row(*row, *costs)
    return made


def _cost(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _trained(one: ScalarRM) -> str:
    known = f"{one.accuracy.value:.1%} of held-out pairs in their order ({_interval(one.accuracy)})"
    return f"{known}; {one.steps} steps, loss {one.loss:.3f}"


def _interval(found: Estimate) -> str:
    """Empty of one seed."""
    return f"{found.low:.3f} to {found.high:.3f}" if math.isfinite(found.low) else ""


def _signed(found: Estimate) -> str:
    if found.low == found.high:
        return f"{found.value:.2f}"
    return f"{found.value:+.3f} ({_interval(found)})"


if __name__ == "__main__":
    typer.run(main)
