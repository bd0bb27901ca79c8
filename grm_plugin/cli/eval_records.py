"""Records of verdicts as ``grm eval`` measures them."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from grm_plugin.cli.earlier import Key, check_same_settings, key
from grm_plugin.cli.eval_folders import Run
from grm_plugin.cli.eval_sources import LABELLED, benchmark_of, check_group, is_of
from grm_plugin.errors import ConfigError, InputError, quoted
from grm_plugin.evaluation.benchmarks.benchmark import Benchmark
from grm_plugin.evaluation.costs import cost_of_samples, samples_of
from grm_plugin.evaluation.items import BENCHMARK, Item
from grm_plugin.evaluation.resettling import Ballot
from grm_plugin.records import read_verdicts, to_line
from grm_plugin.running.whole_file import writing
from grm_plugin.types import Cost, Group, Verdict


@dataclass
class Recorded:
    """The verdicts of one benchmark in records.

    Args:
        name: of the benchmark.
        files: that hold them.
        asked: take only these groups, each as often as it is there; None: all of the benchmark.
        origin: how they were made.
        samples: the most that a group has.
        groups: how many.
        rated: whether every judgment has a meta-score.
        greedy: files with greedy judgments of the same groups; may be none.
    """

    name: str
    files: Sequence[Path]
    asked: Counter[Key] | None = None
    origin: Mapping[str, Any] = field(default_factory=dict)
    samples: int = 0
    groups: int = 0
    rated: bool = True
    greedy: Sequence[Path] = ()

    def verdicts(self) -> Iterator[Verdict]:
        """They, one at a time; of a group that is there more often than it was asked, the first."""
        left = None if self.asked is None else self.asked.copy()
        for verdict in _verdicts(self.files):
            found = key(verdict.group)
            if left is None:
                if name_of(verdict.group) == self.name:
                    yield verdict
            elif left[found]:
                left[found] -= 1
                yield verdict

    @cached_property
    def _benchmark(self) -> Benchmark:
        return benchmark_of(self.name, {})

    def take(self, file: Path, verdict: Verdict) -> None:
        """Take a verdict into account.

        Raises:
            InputError: it is of another judge than those before, or does not say what the figures
                need.
        """
        check_group(file, self._benchmark, verdict.group)
        check_same_settings(str(file), self.origin, verdict.origin, "give the records of one judge")
        self.origin = self.origin or verdict.origin
        self.samples = max(self.samples, samples_of(verdict))
        self.rated = self.rated and all(one.meta_score is not None for one in verdict.judgments)
        self.groups += 1
        if self.asked is not None:
            self.asked[key(verdict.group)] += 1


def name_of(group: Group) -> str:
    """The benchmark that a group is of, as its metadata says."""
    return str(group.metadata.get(BENCHMARK) or LABELLED)


def judged_record(
    name: str, path: Path, asked: Counter[Key], samples: int, greedy: Sequence[Path] = ()
) -> Recorded:
    """What a judge has just been asked.

    Args:
        name: of the benchmark.
        path: its record.
        asked: how often each group was asked for.
        samples: k.
        greedy: files with greedy judgments of the same groups.

    Raises:
        RecordError: there is none.
    """
    first = next(read_verdicts(path))
    return Recorded(name, [path], asked, first.origin, samples, asked.total(), greedy=greedy)


def revoted(record: Recorded, ballot: Ballot, k: int | None, path: Path) -> Recorded:
    """``record`` with votes made again, as a file that is there when it is whole.

    Args:
        record: what is on record.
        ballot: how judgments vote.
        k: samples of each group that count; None: all.
        path: of the new record.

    Raises:
        ConfigError: the file can not be written, or there are fewer samples than k.
        InputError, PluginError: the votes do not give rewards.
    """
    if k is not None and not 1 <= k <= record.samples:
        raise ConfigError(f"k: expected 1 to {record.samples}, the samples on record, got {k}")
    found = replace(record, files=[path], samples=k or record.samples)
    with writing(path) as file:
        for verdict in record.verdicts():
            again = ballot.verdict(verdict, k)
            found.origin = again.origin
            file.write(to_line(again).decode())
    return found


def recorded(
    runs: Sequence[Run], subsets: Sequence[str] = (), limit: int | None = None
) -> dict[str, Recorded]:
    """What runs hold, by benchmark; of several runs each has the name of its folder.

    Args:
        runs: each measured by itself.
        subsets: take only groups of these subsets or sections; empty: all.
        limit: take only the first so many groups of each benchmark.

    Raises:
        RecordError: one can not be read.
        InputError: they hold nothing that is asked for, verdicts of several judges on one
            benchmark, or two runs of one name.
    """
    found: dict[str, Recorded] = {}
    for run in runs:
        held = _held(run, subsets, limit)
        for name, record in held.items():
            label = _label(run, name, alone=len(held) == 1) if len(runs) > 1 else name
            if label in found:
                places = " and ".join(str(one.files[0].parent) for one in (found[label], record))
                raise InputError(f"two runs are called {quoted(label)}, in {places}; take one")
            found[label] = record
    if not found:
        asked = f" of {', '.join(map(quoted, subsets))}" if subsets else ""
        files = ", ".join(str(file) for run in runs for file in run.files)
        raise InputError(f"{files}: expected verdicts{asked}, got none")
    return found


def _label(run: Run, name: str, *, alone: bool) -> str:
    if run.folder is None:
        return name
    folder = run.folder.resolve().name
    return folder if alone else f"{folder}-{name}"


def _held(run: Run, subsets: Sequence[str], limit: int | None) -> dict[str, Recorded]:
    """What one run holds of what is asked for, by benchmark."""
    found: dict[str, Recorded] = {}
    groups = 0
    for file in run.files:
        for verdict in read_verdicts(file):
            groups += 1
            name = name_of(verdict.group)
            record = found.setdefault(name, Recorded(name, run.files, Counter(), greedy=run.greedy))
            if is_of(verdict.group, subsets) and (limit is None or record.groups < limit):
                record.take(file, verdict)
    run.tell_state(groups, all_asked=not subsets and limit is None)
    return {name: one for name, one in found.items() if one.groups}


@dataclass(frozen=True)
class Greedy:
    """The greedy judgments of some groups.

    Args:
        items: one for each group, in the same order.
        cost: of all of them.
    """

    items: list[Item]
    cost: Cost


def greedy_of(files: Iterable[Path], items: Sequence[Item]) -> Greedy | None:
    """The greedy judgments of the same groups; None where there are none.

    Raises:
        InputError: some groups have one, others not.
    """
    asked = {(one.label, one.fingerprint) for one in items}
    known: defaultdict[tuple[str, str], deque[Item]] = defaultdict(deque)
    cost = Cost()
    for verdict in _verdicts(files):
        item = Item.of(verdict.group, verdict.rewards, verdict.judgments)
        known[item.label, item.fingerprint].append(item)
        if (item.label, item.fingerprint) in asked:
            cost += cost_of_samples(verdict)
    return Greedy([_next(known, item) for item in items], cost) if known else None


def _next(known: Mapping[tuple[str, str], deque[Item]], item: Item) -> Item:
    mine = known.get((item.label, item.fingerprint))
    if not mine:
        raise InputError(
            f"group {item.label} has samples and no greedy judgment; run the same command "
            "again with --greedy, or leave the greedy record out"
        )
    return mine.popleft() if len(mine) > 1 else mine[0]


def _verdicts(files: Iterable[Path]) -> Iterator[Verdict]:
    for file in files:
        yield from read_verdicts(file)
