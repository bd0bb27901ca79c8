"""What ``grm eval`` makes of verdicts: figures, tables, ``eval.json``. Needs numpy."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import grm_plugin
from grm_plugin.cli.eval_looking import health_told, unscored_told, write_page
from grm_plugin.cli.eval_records import Recorded, greedy_of
from grm_plugin.cli.eval_tables import (
    cost_told,
    curve_table,
    figures_table,
    meaning,
    missing_told,
    overview_table,
    shown,
)
from grm_plugin.cli.report import Counted
from grm_plugin.errors import ConfigError, InputError
from grm_plugin.evaluation.aggregates import OVERALL
from grm_plugin.evaluation.benchmarks.benchmark import Benchmark
from grm_plugin.evaluation.gains import Gains, gains
from grm_plugin.evaluation.resampled import mean_of_independent
from grm_plugin.evaluation.resettling import Ballot
from grm_plugin.evaluation.runs import FIGURES, VERSION, data_of, told
from grm_plugin.evaluation.statistics import Estimate
from grm_plugin.evaluation.votes import Votes, few_sets, votes_of
from grm_plugin.report.terminal import one_line, out, printable, say
from grm_plugin.running.whole_file import as_json, known, writing
from grm_plugin.types import Cost


@dataclass(frozen=True)
class Asked:
    """How to measure.

    Args:
        ks: samples that vote, for the curve; None: powers of 2.
        sets: of samples of one k, at most.
        resamples: for intervals.
        seed: of sets and resamples.
    """

    ks: tuple[int, ...] | None = None
    sets: int = 8
    resamples: int = 2000
    seed: int = 0

    def sizes(self, samples: int) -> list[int]:
        """The ks of a curve over records with so many samples: 1 and all are among them.

        Raises:
            ConfigError: one is more than there are.
        """
        wanted = self.ks or [1 << power for power in range(samples.bit_length())]
        if (most := max(wanted)) > samples:
            raise ConfigError(
                f"--ks: expected at most {samples}, the samples of a group, got {most}"
            )
        return sorted({1, samples, *wanted})


@dataclass(frozen=True)
class Result:
    """What one benchmark came to.

    Args:
        name: of the folder or the benchmark.
        gains: figures and curve.
        found: the same as ``eval.json`` has it.
        scored: groups with a reward.
    """

    name: str
    gains: Gains
    found: Mapping[str, Any]
    scored: int


def measured(
    record: Recorded,
    benchmark: Benchmark,
    ballot: Ballot,
    asked: Asked,
    folder: Path,
    source: Mapping[str, Any],
) -> Result:
    """Measure one benchmark, print it, and write ``folder/eval.json``.

    Args:
        record: its verdicts.
        benchmark: makes the figures.
        ballot: how judgments vote.
        asked: how to measure.
        folder: gets the figures.
        source: where the groups come from, for ``eval.json``.

    Raises:
        InputError: there is no verdict, or a group has no truth.
        ConfigError: a k is more than there are samples.
    """
    counted = Counted(health=True)
    votes = _votes(record, ballot, asked, counted)
    greedy = greedy_of(record.greedy, votes.items)
    found = gains(
        benchmark.figures(votes.items),
        votes,
        k=max(record.samples, 1),
        greedy=greedy.items if greedy else None,
        resamples=asked.resamples,
        seed=asked.seed,
    )
    source = {"name": record.name, "ties": benchmark.ties, **source}
    result = known({"benchmark": source, **_result(record, votes, found, asked), **_told(counted)})
    once = greedy.cost if greedy else None
    result["cost"] = {"samples": asdict(found.curve[-1].cost), "greedy": once and asdict(once)}
    _print(found, counted, record, once)
    save(folder, result)
    write_page(folder, record.verdicts(), result, counted)
    say(f"figures: {folder / FIGURES}; next: grm show {record.files[0]}, grm report")
    return Result(folder.name, found, result, counted.tally.scored)


def _votes(record: Recorded, ballot: Ballot, asked: Asked, counted: Counted) -> Votes:
    ks = asked.sizes(max(record.samples, 1))
    verdicts = counted.passing(record.verdicts())
    sets = few_sets(record.groups, asked.sets)
    votes = votes_of(verdicts, ballot, ks, sets=sets, seed=asked.seed)
    if not votes.items:
        raise InputError(f"{record.name}: expected verdicts of labelled groups, got none")
    return votes


def _result(record: Recorded, votes: Votes, found: Gains, asked: Asked) -> dict[str, Any]:
    """What was measured, as ``eval.json`` has it."""
    return {
        "version": VERSION,
        "data": data_of(votes.items),
        "judge": dict(record.origin),
        **told(found, max(record.samples, 1)),
        "settings": asdict(asked),
        "versions": _versions(),
    }


def _told(counted: Counted) -> dict[str, Any]:
    """What the verdicts say of their judge."""
    return {"health": counted.health_figures(), "criteria": counted.criteria()}


def _print(found: Gains, counted: Counted, record: Recorded, greedy: Cost | None) -> None:
    top = found.top.measured
    out.rule(f"{one_line(top.name)}, {top.n:,} groups", align="left")
    shown(figures_table(found.top))
    if missing := missing_told(top):
        shown(missing)
    if len(found.curve) > 1:
        shown(curve_table(found.curve, top))
    shown(
        meaning(top, gains=len(found.curve) > 1),
        cost_told(found.curve[-1].cost, found.curve[-1].groups),
    )
    if greedy:
        shown(cost_told(greedy, top.n, "greedy"))
    if unscored := unscored_told(counted, record.verdicts()):
        shown(one_line(unscored))
    shown(printable(health_told(counted)))


def save(folder: Path, found: Mapping[str, Any]) -> None:
    """Write ``eval.json``, whole or not at all.

    Raises:
        ConfigError: it can not be written.
    """
    with writing(folder / FIGURES) as file:
        file.write(as_json(dict(found), indent=1) + "\n")


def _versions() -> dict[str, str]:
    return {
        "grm_plugin": grm_plugin.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }


def overview(results: Sequence[Result], folder: Path) -> None:
    """Print and save what several benchmarks came to, and the paper's Overall where it can be had.

    There is nothing to add to a single one.

    Raises:
        ConfigError: it can not be written.
    """
    if len(results) < 2:
        return
    tops = {one.name: one.gains.top.measured for one in results}
    out.rule(f"{len(results)} benchmarks", align="left")
    overall = _overall(results)
    shown(overview_table(tops, overall))
    found = {
        "version": VERSION,
        "benchmarks": {name: replace(one, parts=()).told() for name, one in tops.items()},
        "overall": asdict(overall) if overall else None,
        "versions": _versions(),
    }
    save(folder, found)


def _overall(results: Sequence[Result]) -> Estimate | None:
    """The mean of the four benchmarks that the paper averages, where each of them is there once."""
    found = {one.gains.top.measured.name: one.gains for one in results}
    often = Counter(one.gains.top.measured.name for one in results)
    once = [name for name in OVERALL if often[name] == 1]
    if len(once) < len(OVERALL) or any(found[name].top.measured.value is None for name in once):
        return None
    return mean_of_independent([found[name].resampled for name in OVERALL])
