"""``python -m recipes.spct.reference.figures OUT``: every figure of the study that is there yet."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from grm_plugin.evaluation.scaling.measuring import Design
from grm_plugin.evaluation.scaling.study import aligned
from grm_plugin.report.terminal import out as terminal
from grm_plugin.report.terminal import plain_table
from recipes.spct.journal import Journal
from recipes.spct.reference.chain import plan
from recipes.spct.reference.figures import deep, places, reading, wide
from recipes.spct.reference.figures.cells import Cell, Chosen
from recipes.spct.reference.figures.intervals import Figure, Slice, holm
from recipes.spct.reference.figures.rules import KS, candidates


def main(
    folder: Annotated[Path, typer.Argument(help="The --out of the study.")],
    out: Annotated[Path | None, typer.Option(help="JSON file.")] = None,
) -> None:
    """Write what the finished commands of the study come to; those that are not done are named."""
    study = Measured(folder)
    figures = [*study.wide_figures(), *study.deep_figures(), *study.principles()]
    told = {
        "figures": [asdict(one) for one in figures],
        "not by Holm's rule": holm(figures),
        "readings": {name: asdict(one) for name, one in study.readings().items()},
        **study.notes,
        "missing": study.missing,
    }
    (out or folder / "figures.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    terminal.print(table(figures))
    for name in study.missing:
        terminal.print(f"not done yet: {name}")


def table(figures: list[Figure]) -> Any:
    """One line a figure: points, the interval, p, the aim and whether it was met."""
    made = plain_table("figure", "points", "95 %", "p", "each N, each seed", "aim")
    for one in figures:
        found = one.found
        parts = ", ".join(f"{name}: {part.value:+.1f}" for name, part in one.parts.items())
        met = {None: "", True: f"met: {one.aim}", False: f"not met: {one.aim}"}[one.holds]
        interval = f"{found.low:+.1f} to {found.high:+.1f}"
        made.add_row(one.name, f"{found.value:+.1f}", interval, f"{found.p:.3f}", parts, met)
    return made


class Measured:
    """What a study has measured until now.

    Args:
        folder: its ``--out``.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._plan = folder, plan()
        self._journal = Journal(folder / "journal.json")
        self.missing: list[str] = []
        self.notes: dict[str, Any] = {}

    def wide_figures(self) -> Iterator[Figure]:
        """What each stage buys, and what eight samples buy."""
        names = [f"{kind}{seed}" for kind in ("rft", "rl") for seed in self._plan["train"]["seeds"]]
        cells = self._cells("wide", "base", *names)
        if "base" not in cells:
            return
        slice_ = Slice(cells["base"].samples, self._plan["resamples"])
        judges = {name: wide.Wide.of(one.samples, one.greedy) for name, one in cells.items()}
        seeds = [
            seed
            for seed in self._plan["train"]["seeds"]
            if {f"rft{seed}", f"rl{seed}"} <= judges.keys()
        ]
        if seeds:
            yield from wide.stages(slice_, judges, seeds)
        yield from wide.votes(slice_, judges)
        yield from wide.accuracies(slice_, judges)

    def principles(self) -> Iterator[Figure]:
        """What writing criteria buys; both judges are of the same rows."""
        name = f"rft{self._plan['train']['final']}"
        cells = self._cells("wide", name, "bare")
        if len(cells) < 2:
            return
        bare, full = cells["bare"], cells[name]
        samples = bare.samples
        same = aligned(full.samples, samples)
        slice_ = Slice(samples, self._plan["resamples"])
        without = wide.Wide.of(samples, bare.greedy)
        yield from wide.principles(slice_, wide.Wide.of(same, full.greedy), without)

    def deep_figures(self) -> Iterator[Figure]:
        """The meta RM, adaptive k and the orders, of the final judge."""
        cells = self._cells("deep", "rl")
        if not cells:
            return
        verdicts, samples = cells["rl"].verdicts, cells["rl"].samples
        slice_ = Slice(samples, self._plan["resamples"])
        design = Design(ks=KS, orders=self._plan["orders"], balanced=True)
        own = self._folder / f"seed{self._plan['train']['final']}"
        fitted = Chosen.read(own)
        chosen = json.loads((own / "chosen.json").read_text(encoding="utf-8"))
        rules = [
            {int(k): named(candidates(weighing), rule) for k, rule in chosen[way].items()}
            for way, weighing in (("meta", fitted.meta), ("margin", fitted.margin))
        ]
        yield from deep.meta_rules(slice_, samples, *rules, design)
        self.notes["areas"] = {
            name: {"value": one.value, "low": one.low, "high": one.high, "pairs": one.pairs}
            for name, one in deep.areas(samples).items()
        }
        stopped, saved = deep.early(
            slice_, samples, fitted.error, self._plan["stop"]["cap"], design
        )
        self.notes["samples saved"] = saved
        yield from stopped
        yield from self._orders(slice_, verdicts)

    def readings(self) -> Mapping[str, reading.Reading]:
        """How each judge of wide writes."""
        names = [one.name for one in (self._folder / "wide").glob("*") if one.is_dir()]
        return {
            name: reading.read(cell.verdicts) for name, cell in self._cells("wide", *names).items()
        }

    def _orders(self, slice_: Slice, verdicts: list[Any]) -> Iterator[Figure]:
        most = max(self._plan["place_bias"])
        self.notes["points of the first place"] = places.first_place(verdicts)
        self.notes["independent samples"] = {}
        for points in self._plan["place_bias"]:
            for figure, worth in places.balanced(slice_, verdicts, points, aimed=points == most):
                self.notes["independent samples"][figure.name] = worth.independent
                yield figure

    def _cells(self, slice_: str, *names: str) -> dict[str, Cell]:
        done = {}
        for name in names:
            if self._journal.finished(f"{slice_} {name}"):
                done[name] = Cell(self._folder / slice_ / name)
            elif f"{slice_} {name}" not in self.missing:
                self.missing.append(f"{slice_} {name}")
        return done


def named(rules: list[Any], name: str) -> Any:
    """The rule of this name."""
    return next(one for one in rules if one.name == name)


if __name__ == "__main__":
    typer.run(main)
