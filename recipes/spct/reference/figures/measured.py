"""What a study has measured until now, read from its folder."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from grm_plugin.evaluation.scaling.measuring import Design
from grm_plugin.evaluation.scaling.samples import Samples
from grm_plugin.evaluation.scaling.schemes import Scheme
from grm_plugin.evaluation.scaling.study import aligned
from recipes.journal import Journal
from recipes.spct.reference.chain import plan
from recipes.spct.reference.figures import deep, places, reading, wide
from recipes.spct.reference.figures.aims import Aim, other_aims
from recipes.spct.reference.figures.areas import areas, ties
from recipes.spct.reference.figures.cells import Cell, Chosen
from recipes.spct.reference.figures.intervals import Figure, Slice
from recipes.spct.reference.figures.rules import KS, candidates

_CURVE = (1, 2, 4, 8, 16, 32, 64)


class Measured:
    """The commands that are done, and what they come to.

    Args:
        folder: the ``--out`` of the study.

    Attributes:
        missing: names of commands that are not done, as far as figures asked for them.
        notes: what is no difference: areas, what adaptive k saves, biases.
        curves: accuracy in percent at each k, by judge and rule.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._plan = folder, plan()
        self._journal = Journal(folder / "journal.json")
        self._seeds: Sequence[int] = self._plan["train"]["seeds"]
        self._final = self._plan["train"]["final"]
        self._design = Design(ks=KS, orders=self._plan["orders"], balanced=True)
        self.missing: list[str] = []
        self.notes: dict[str, Any] = {}
        self.curves: dict[str, Mapping[int, float]] = {}

    def figures(self) -> list[Figure]:
        """Every line of the table for which there is what it needs."""
        return [*self._wide(), *self._deep(), *self._principles()]

    def aims(self) -> list[Aim]:
        """Those without an interval, after :meth:`figures`."""
        return other_aims(self.notes, self._plan["stop"]["lose"])

    def readings(self) -> dict[str, reading.Reading]:
        """How each judge of wide writes, and how at temperature 0."""
        cells = self._cells("wide", "base", *self._trained(), "bare")
        sampled = {name: reading.read(cell.verdicts) for name, cell in cells.items()}
        once = {f"{name}, greedy": reading.read(cell.once) for name, cell in cells.items()}
        return sampled | once

    def seconds(self) -> dict[str, float]:
        """How long each command took, those that were killed and begun again together."""
        return {name: self._journal.seconds(name) for name in self._journal.names}

    def _wide(self) -> Iterator[Figure]:
        cells = self._cells("wide", "base", *self._trained())
        if "base" not in cells:
            return
        slice_ = self._slice(cells["base"])
        judges = {name: wide.Wide.of(one.samples, one.greedy) for name, one in cells.items()}
        if seeds := [one for one in self._seeds if {f"rft{one}", f"rl{one}"} <= judges.keys()]:
            yield from wide.stages(slice_, judges, seeds)
        yield from wide.votes(slice_, judges)
        yield from wide.accuracies(slice_, judges)

    def _principles(self) -> Iterator[Figure]:
        """Both judges learned from the same rows; the slice is that of the one without."""
        name = f"rft{self._final}"
        cells = self._cells("wide", name, "bare")
        if len(cells) < 2:
            return
        samples = cells["bare"].samples
        same = aligned(cells[name].samples, samples)
        with_ = wide.Wide.of(same, cells[name].greedy)
        without = wide.Wide.of(samples, cells["bare"].greedy)
        self.notes["right without principles"] = without.means()
        yield from wide.principles(self._slice(cells["bare"]), with_, without)

    def _deep(self) -> Iterator[Figure]:
        cells = self._cells("deep", "base", "rl")
        design = replace(self._design, ks=_CURVE)
        for name, cell in cells.items():
            self.curves[f"{name}, vote"] = deep.curve(cell.samples, wide.MEAN, design)
        if "rl" in cells:
            yield from self._rules(cells["rl"])
            yield from self._orders(cells["rl"])

    def _rules(self, cell: Cell) -> Iterator[Figure]:
        own, samples = self._folder / f"seed{self._final}", cell.samples
        for command in (f"stopper {self._final}", f"chosen {self._final}"):
            if not (own / f"{command.split()[0]}.json").exists():
                self.missing.append(command)
                return
        fitted, slice_ = Chosen.read(own), self._slice(cell)
        chosen = json.loads((own / "chosen.json").read_text(encoding="utf-8"))
        meta = _named(candidates(fitted.meta), chosen["meta"])
        margin = _named(candidates(fitted.margin), chosen["margin"])
        yield from deep.meta_rules(slice_, samples, meta, margin, self._design)
        self.notes["areas"] = {
            name: {"value": one.value, "low": one.low, "high": one.high, "pairs": one.pairs}
            for name, one in areas(samples).items()
        }
        self.notes["ties"] = ties(samples)
        last = meta[KS[-1]]
        design = replace(self._design, ks=_CURVE[1:])
        self.curves[f"rl, {last.name}"] = deep.curve(samples, last, design)
        yield from self._early(slice_, samples, fitted.error)

    def _early(self, slice_: Slice, samples: Samples, error: float | None) -> list[Figure]:
        self.notes["adaptive k"] = None
        if error is None:
            return []
        cap = self._plan["stop"]["cap"]
        stopped, saved = deep.early(slice_, samples, error, cap, self._design)
        self.notes["adaptive k"] = {"saved": saved, "change": stopped[0].found.value}
        return stopped

    def _orders(self, cell: Cell) -> Iterator[Figure]:
        slice_, verdicts = self._slice(cell), cell.verdicts
        most = max(self._plan["place_bias"])
        self.notes["points of the first place above the mean"] = places.first_place(verdicts)
        worth = self.notes["independent samples that come to as much"] = {}
        for points in self._plan["place_bias"]:
            for figure, one in places.balanced(slice_, verdicts, points, aimed=points == most):
                worth[figure.name] = one.independent
                yield figure

    def _slice(self, cell: Cell) -> Slice:
        return Slice(cell.samples, self._plan["resamples"])

    def _trained(self) -> list[str]:
        return [f"{kind}{seed}" for kind in ("rft", "rl") for seed in self._seeds]

    def _cells(self, slice_: str, *names: str) -> dict[str, Cell]:
        cells = {}
        for name in names:
            command = f"{slice_} {name}"
            if self._journal.finished(command):
                cells[name] = Cell(self._folder / slice_ / name)
            elif command not in self.missing:
                self.missing.append(command)
        return cells


def _named(rules: Sequence[Scheme], names: Mapping[str, str]) -> dict[int, Scheme]:
    """For each k the rule of the name that was chosen."""
    known = {one.name: one for one in rules}
    return {int(k): known[name] for k, name in names.items()}
