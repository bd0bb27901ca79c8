"""One run of ``grm eval``: judge benchmarks or read records, then measure. Needs numpy."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from grm_plugin.cli.eval_folders import Run, check_free, check_not_read, folder_for, runs_of
from grm_plugin.cli.eval_judging import Task, judge_all
from grm_plugin.cli.eval_records import Recorded, judged_record, recorded, revoted
from grm_plugin.cli.eval_results import Asked, Result, measured, overview
from grm_plugin.cli.eval_sources import BenchmarkGroups, Named, benchmark_of, options_of
from grm_plugin.cli.eval_voting import ballot_of, read_voting
from grm_plugin.cli.judge import JudgeSettings
from grm_plugin.config import GRMConfig
from grm_plugin.evaluation.resettling import Ballot, marks_on_record
from grm_plugin.evaluation.runs import GREEDY_RECORD, RECORD, REVOTED_RECORD
from grm_plugin.plugins import installed

HIDDEN = "***"
_SECRET = re.compile("password|secret|token|api_key", re.IGNORECASE)


@dataclass(frozen=True)
class Wanted:
    """What the command line says about benchmarks and figures, whatever the judge.

    Args:
        options: ``KEY=VALUE`` texts for benchmarks.
        ties: what a tie counts; None: what the benchmark says.
        subsets: of which groups are taken; empty: all.
        limit: groups of each benchmark.
        ks: of the curve.
        greedy: whether there is a greedy judgment of each group, too.
    """

    options: tuple[str, ...] = ()
    ties: Literal["strict", "half", "random"] | None = None
    subsets: tuple[str, ...] = ()
    limit: int | None = None
    ks: tuple[int, ...] | None = None
    greedy: bool = False

    def of(self, names: Sequence[str]) -> dict[str, dict[str, Any]]:
        """The options of each benchmark.

        Raises:
            ConfigError: one is not KEY=VALUE.
        """
        ties = {"ties": self.ties} if self.ties else {}
        found = options_of(self.options, names)
        return {name: {**one, **ties} for name, one in found.items()}

    def told(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """What decides which groups are measured, and how, as ``eval.json`` says it.

        Passwords and the like are nobody's business who looks at the figures.
        """
        public = {key: HIDDEN if _SECRET.search(key) else one for key, one in options.items()}
        return {"options": public, "subsets": list(self.subsets), "limit": self.limit}


def of_benchmarks(named: Sequence[Named], wanted: Wanted, config: GRMConfig, folder: Path) -> int:
    """Judge benchmarks into ``folder`` and measure them; how many groups are to be looked into.

    These are groups that were lost on the way, and those of benchmarks of which none is scored.

    Raises:
        ConfigError, InputError, GRMError: as ``grm score``, and of the benchmark.
        Exit: the budget is spent.
    """
    asked = Asked(wanted.ks, seed=config.seed)
    asked.sizes(config.k)
    options = wanted.of([one.name for one in named])
    benchmarks = [one.made(options[one.name], installed()) for one in named]
    for one in named:
        check_free(folder / one.folder / REVOTED_RECORD)
    tasks = [
        Task(BenchmarkGroups(one.label, each, wanted.subsets), folder / one.folder, wanted.limit)
        for one, each in zip(named, benchmarks, strict=True)
    ]
    judged = judge_all(config, tasks, greedy=wanted.greedy)
    results = []
    for one, benchmark, task, keys in zip(named, benchmarks, tasks, judged.asked, strict=True):
        greedy = [task.folder / GREEDY_RECORD] if wanted.greedy else []
        record = judged_record(one.name, task.folder / RECORD, keys, config.k, greedy)
        ballot = Ballot(judged.rule, marks_on_record(record.origin))
        told = {"source": one.label, **wanted.told(options[one.name])}
        results.append(measured(record, benchmark, ballot, asked, task.folder, told))
    overview(results, folder)
    return judged.lost + _in_vain(results)


def of_records(
    sources: Sequence[str],
    wanted: Wanted,
    settings: JudgeSettings,
    weights: Path | None,
    folder: Path,
) -> int:
    """Measure recorded verdicts into ``folder``; their judgments vote again.

    Returns:
        The groups of benchmarks of which none is scored.

    Raises:
        ConfigError: a setting is wrong, or about a judge.
        InputError, RecordError: the records do not hold what is asked for.
    """
    voting = read_voting(settings)
    runs = runs_of(sources)
    records = recorded(runs, wanted.subsets, wanted.limit)
    options = wanted.of([one.name for one in records.values()])
    places = _places(records, runs, sources, folder)
    results = []
    for label, record in records.items():
        into = places[label]
        ballot = ballot_of(record, voting, weights, installed())
        again = revoted(record, ballot, voting.k, into / REVOTED_RECORD)
        asked = Asked(wanted.ks, seed=voting.seed)
        own = options[record.name]
        told = {"source": list(map(str, record.files)), **wanted.told(own)}
        ballot = replace(ballot, as_judged=True)
        results.append(measured(again, benchmark_of(record.name, own), ballot, asked, into, told))
    overview(results, folder)
    return _in_vain(results)


def _in_vain(results: Sequence[Result]) -> int:
    """The groups of benchmarks of which none is scored."""
    return sum(one.found["data"]["groups"] for one in results if not one.scored)


def _places(
    records: Mapping[str, Recorded], runs: Sequence[Run], sources: Sequence[str], folder: Path
) -> dict[str, Path]:
    """Where the results of each record go; nothing that is there or read is written over."""
    alone = len(records) == 1
    found = {label: folder if alone else folder_for(folder, label) for label in records}
    for into in (folder, *found.values()):
        check_free(into / RECORD)
        check_not_read(into, sources, runs)
    return found
