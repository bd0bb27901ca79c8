"""A judge on the groups of benchmarks, into a folder each, where the same command goes on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from grm_plugin.cli.earlier import Key, key
from grm_plugin.cli.eval_sources import BenchmarkGroups, Tolerant
from grm_plugin.cli.judging import judge, once_greedy
from grm_plugin.cli.output import continued
from grm_plugin.cli.relabelling import relabel
from grm_plugin.cli.source import Source
from grm_plugin.cli.written import holds
from grm_plugin.config import GRMConfig
from grm_plugin.evaluation.runs import GREEDY_RECORD, RECORD
from grm_plugin.grm import GRM
from grm_plugin.pipeline.settling import Rule
from grm_plugin.types import Cost

_ADVICE = "choose another --out"


@dataclass(frozen=True)
class Task:
    """One benchmark to be judged.

    Args:
        groups: of it.
        folder: gets its records.
        limit: only so many groups.
    """

    groups: BenchmarkGroups
    folder: Path
    limit: int | None


@dataclass(frozen=True)
class Judged:
    """What judging came to.

    Args:
        rule: how the judge's judgments become rewards.
        lost: groups whose judgments were lost on the way.
        asked: for every task how often each group was asked for.
    """

    rule: Rule
    lost: int
    asked: tuple[Counter[Key], ...]


def judge_all(config: GRMConfig, tasks: Sequence[Task], *, greedy: bool) -> Judged:
    """Judge what the folders do not hold yet.

    Args:
        config: of the judge.
        tasks: one or more.
        greedy: whether every group is judged once more, at temperature 0.

    Raises:
        InputError, GRMError, Exit: as :func:`grm_plugin.cli.judging.judge`.
    """
    cost, found = _judged(config, tasks, RECORD, Cost())
    if not greedy:
        return found
    _, more = _judged(once_greedy(config), tasks, GREEDY_RECORD, cost)
    return replace(found, lost=found.lost + more.lost)


def _judged(
    config: GRMConfig, tasks: Sequence[Task], record: str, spent: Cost
) -> tuple[Cost, Judged]:
    lost, asked = 0, []
    with GRM(config) as grm:
        grm.spend(spent)
        for task in tasks:
            path, rows = task.folder / record, _source(task, grm)
            asked.append(Counter(map(key, rows.groups())))
            with closing(continued(path, config, unscored=False)) as out:
                out.advice = _ADVICE
                before = holds(path)
                spent += judge(grm, rows, out, other=_ADVICE).cost
                lost += out.missing
                if before:
                    relabel(path, rows)
        return spent, Judged(grm.rule, lost, tuple(asked))


def _source(task: Task, grm: GRM) -> Source:
    """The groups, of which those that the judge can not be shown come out unscored."""
    tolerant = Tolerant(grm.check_group)
    rows = Source(task.groups, tolerant, task.limit)
    tolerant.tell(rows.name, rows.total or 0)
    task.groups.tell_skipped()
    return rows
