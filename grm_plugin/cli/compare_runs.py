"""Two runs side by side: read, checked, contrasted, printed. Needs numpy and scipy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grm_plugin.cli.compare_tables import cost_told, differ_table, outcomes_told, rows_table
from grm_plugin.cli.eval_folders import runs_of
from grm_plugin.cli.eval_records import Recorded, recorded
from grm_plugin.cli.eval_sources import benchmark_of
from grm_plugin.cli.eval_tables import shown
from grm_plugin.errors import InputError, quoted
from grm_plugin.evaluation.contrasting import Contrast, contrast, paired, told
from grm_plugin.evaluation.costs import cost_of_samples
from grm_plugin.evaluation.items import Item
from grm_plugin.evaluation.runs import read_figures
from grm_plugin.hosts.agreement import flat
from grm_plugin.hosts.comparing import differences
from grm_plugin.report.judges import named
from grm_plugin.report.terminal import one_line, out, printable, say
from grm_plugin.running.whole_file import as_json, writing
from grm_plugin.types import Cost

VERSION = 1


@dataclass(frozen=True)
class Side:
    """One of two runs on one benchmark.

    Args:
        path: as the command line names it.
        benchmark: name of it.
        items: what was judged.
        origin: how.
        cost: of all of it.
        ties: what a tie counted when it was measured; None: it was not.
    """

    path: Path
    benchmark: str
    items: tuple[Item, ...]
    origin: Mapping[str, Any]
    cost: Cost
    ties: str | None


def compared(
    first: Path, second: Path, *, ties: str | None, common: bool, file: Path | None
) -> bool:
    """Compare two runs, print and save; whether the second is worse beyond chance.

    Args:
        first, second: folders of ``grm eval``, or records.
        ties: what a tie counts; None: what both say.
        common: leave out groups that only one of them has.
        file: gets everything as JSON.

    Raises:
        InputError: the runs do not compare; names what differs.
        RecordError: one can not be read.
        ConfigError: ``file`` can not be written.
    """
    sides, others = _sides(first), _sides(second)
    names = _both(sides, others, (str(first), str(second)), common=common)
    found = [_contrast(sides[name], others[name], ties, common=common) for name in names]
    told_all = {"version": VERSION, "benchmarks": dict(zip(names, found, strict=True))}
    if file:
        with writing(file) as out_file:
            out_file.write(as_json(told_all, indent=1) + "\n")
        say(f"comparison: {file}")
    return any(one["worse"] for one in found)


def _both(
    sides: Mapping[str, Side], others: Mapping[str, Side], paths: tuple[str, str], *, common: bool
) -> list[str]:
    """The benchmarks of both runs."""
    both = [name for name in sides if name in others]
    alone = sorted(sides.keys() ^ others.keys())
    if not both or (alone and not common):
        has = paths[0] if alone[0] in sides else paths[1]
        raise InputError(
            f"{has} has the benchmark {quoted(alone[0])} and the other run has not; they have "
            f"{', '.join(sides)} and {', '.join(others)}"
        )
    return both


def _sides(path: Path) -> dict[str, Side]:
    """One for each benchmark of a run."""
    runs = runs_of([path])
    ties = {run.files: _ties(run.folder) for run in runs}
    return {
        label: _side(one.files[0].parent if len(runs) > 1 else path, one, ties[tuple(one.files)])
        for label, one in recorded(runs).items()
    }


def _ties(folder: Path | None) -> str | None:
    """What a tie counted when a folder was measured; None: it was not."""
    figures = read_figures(folder) if folder else None
    found: str | None = (figures or {}).get("benchmark", {}).get("ties")
    return found


def _side(path: Path, record: Recorded, ties: str | None) -> Side:
    items, cost = [], Cost()
    for verdict in record.verdicts():
        items.append(Item.of(verdict.group, verdict.rewards, verdict.judgments))
        cost += cost_of_samples(verdict)
    return Side(path, record.name, tuple(items), record.origin, cost, ties)


def _contrast(first: Side, second: Side, ties: str | None, *, common: bool) -> dict[str, Any]:
    if ties is None and None not in (first.ties, second.ties) and first.ties != second.ties:
        raise InputError(
            f"{first.path} counts ties {first.ties}, {second.path} {second.ties}; say which with "
            "--ties"
        )
    counted = ties or first.ties or second.ties
    pairs = paired(first.items, second.items, (str(first.path), str(second.path)), common=common)
    benchmark = benchmark_of(first.benchmark, {"ties": counted} if counted else {})
    found = contrast(benchmark.figures([one for one, _ in pairs]), pairs)
    settings = settings_apart(named(first.origin), named(second.origin))
    _print(first, second, found, settings)
    return {
        **told(found),
        "ties": benchmark.ties,
        "settings": settings,
        "costs": [_cost(first), _cost(second)],
        "worse": found.rows[0].worse,
    }


def settings_apart(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, list[Any]]:
    """How two judges were asked differently: each setting with both values.

    >>> settings_apart({"k": 4, "vote": "mean"}, {"k": 8, "vote": "mean"})
    {'k': ['4', '8']}
    """
    apart = differences([flat(first), flat(second)])
    return {
        name: [next((value for value, who in by.items() if side in who), None) for side in (0, 1)]
        for name, by in apart.items()
    }


def _cost(side: Side) -> dict[str, Any]:
    cost = side.cost
    return {
        "path": str(side.path),
        "tokens": cost.prompt_tokens + cost.output_tokens,
        "seconds": cost.seconds,
        "money": None if cost.unpriced else cost.money,
    }


def _print(
    first: Side,
    second: Side,
    found: Contrast,
    settings: Mapping[str, Sequence[Any]],
) -> None:
    name = one_line(found.rows[0].name)
    out.rule(f"{name}, {len(found.pairs):,} groups of both", align="left")
    apart = "; ".join(f"{key} {one} -> {other}" for key, (one, other) in settings.items())
    told = f"settings that differ: {one_line(apart) or 'none'}"
    shown(printable(f"A: {first.path}\nB: {second.path}\n{told}"))
    shown(rows_table(found.rows), outcomes_told(found))
    shown(cost_told(_cost(first), _cost(second)))
    if found.differ:
        shown(differ_table(found))
