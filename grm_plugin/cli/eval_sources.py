"""What ``grm eval`` is asked to measure: benchmarks by name, or records of verdicts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grm_plugin.cli.judge import read_pairs
from grm_plugin.engine import Limits
from grm_plugin.errors import ConfigError, InputError, TemplateError, quoted, unknown
from grm_plugin.evaluation.benchmarks.benchmark import Benchmark
from grm_plugin.evaluation.items import SECTION, SUBSET
from grm_plugin.evaluation.truth import truth_of
from grm_plugin.hosts.inputs.opening import Check
from grm_plugin.plugins import Plugins, installed
from grm_plugin.report.terminal import say
from grm_plugin.types import Group

BENCHMARK, LABELLED = "benchmark", "labelled"


@dataclass(frozen=True)
class Named:
    """A benchmark as the command line names it.

    Args:
        name: of the benchmark.
        path: of its data; None: where its authors publish it.
        folder: name of the folder for its results among others; empty for the only one.
    """

    name: str
    path: str | None
    folder: str = ""

    @property
    def label(self) -> str:
        """How messages call it."""
        return f"{self.name}:{self.path}" if self.path else self.name

    def made(self, options: dict[str, Any], plugins: Plugins) -> Benchmark:
        """The benchmark itself.

        Raises:
            ConfigError: it does not take an option.
        """
        if self.path:
            options = {"path": self.path, **options}
        made: Benchmark = plugins.make(BENCHMARK, self.name, options, Limits())
        return made


def named_benchmarks(sources: Sequence[str], plugins: Plugins) -> list[Named]:
    """The benchmarks that ``sources`` name; none where all of them are files or folders.

    Raises:
        ConfigError: one is neither a benchmark nor there, or both kinds are mixed.
    """
    offered = {one.name for one in plugins.offers() if one.kind == BENCHMARK}
    found = [_named(source, offered) for source in sources]
    named = [one for one in found if one]
    if not named:
        return []
    if len(named) < len(sources):
        record = next(one for one, other in zip(sources, found, strict=True) if not other)
        raise ConfigError(f"expected benchmarks, or records alone, got {record} beside a benchmark")
    return [named[0]] if len(named) == 1 else list(_with_folders(named))


def benchmark_of(name: str, options: Mapping[str, Any]) -> Benchmark:
    """The benchmark that recorded groups say they are of; labels are all of one that is not there.

    Raises:
        ConfigError: it does not take an option.
    """
    offered = {one.name for one in installed().offers() if one.kind == BENCHMARK}
    known = name if name in offered else LABELLED
    made: Benchmark = installed().make(BENCHMARK, known, options, Limits())
    return made


def check_group(file: Path, benchmark: Benchmark, group: Group) -> None:
    """Check a recorded group for what the figures of its benchmark need.

    Raises:
        InputError: it lacks something; names the file and the group.
    """
    try:
        getattr(benchmark, "check", truth_of)(group)
    except InputError as error:
        raise InputError(f"{file}: group {group.label}: {error}") from error


def _named(source: str, offered: set[str]) -> Named | None:
    """A benchmark; None for a file or a folder, which ./ tells from a benchmark of its name."""
    name, _, path = source.partition(":")
    if name in offered:
        return Named(name, path or None)
    if Path(source).exists():
        return None
    raise ConfigError(
        f"{unknown(BENCHMARK, name, offered)}; write BENCHMARK:PATH, or the path of records that "
        "are there"
    )


def _with_folders(named: Sequence[Named]) -> Iterator[Named]:
    often = Counter(one.name for one in named)
    taken: set[str] = set()
    for one in named:
        stem = Path(one.path or "").name.split(".")[0]
        folder = one.name if often[one.name] == 1 or not stem else f"{one.name}-{stem}"
        if folder in taken:
            raise ConfigError(f"{one.label}: its results would go to the same folder as others'")
        taken.add(folder)
        yield Named(one.name, one.path, folder)


def options_of(texts: Sequence[str], names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The options of each benchmark; ``NAME.KEY=VALUE`` is for one of several.

    Raises:
        ConfigError: an option is not KEY=VALUE.
    """
    found: dict[str, dict[str, Any]] = {name: {} for name in names}
    for key, value in read_pairs(texts, "--option").items():
        name, dot, rest = key.partition(".")
        for one in [name] if dot and name in found else names:
            found[one][rest if dot and name in found else key] = value
    return found


@dataclass
class BenchmarkGroups:
    """The groups of a benchmark as a source takes them.

    Args:
        label: how errors call it.
        benchmark: gives groups again and again.
        subsets: take only groups of these subsets or sections; empty: all.
    """

    label: str
    benchmark: Benchmark
    subsets: Sequence[str] = ()
    can_be_read_again: bool = True
    _known: dict[str, None] = field(default_factory=dict)

    def groups(self, check: Check | None = None) -> Iterator[Group]:
        """The groups, each checked.

        Raises:
            InputError: a row is bad, or there is no group, or none of the subsets.
        """
        seen = taken = 0
        for group in self.benchmark:
            seen += 1
            self._known.update(dict.fromkeys(parts_of(group) if self.subsets else ()))
            if is_of(group, self.subsets):
                taken += 1
                if check:
                    check(group)
                yield group
        if not taken:
            raise InputError(f"{self.label}: {self._why_none(seen)}")

    def _why_none(self, seen: int) -> str:
        if seen:
            known = ", ".join(map(quoted, self._known)) or "none"
            return f"no group of the subset {quoted(self.subsets[0])}; it has {known}"
        return "; ".join(["it holds no group to judge", *self._left_out()])

    def tell_skipped(self) -> None:
        """Say how many rows were left out, and why."""
        for told in self._left_out():
            say(f"{self.label}: {told}")

    def _left_out(self) -> Iterator[str]:
        for why, number in getattr(self.benchmark, "left_out", {}).items():
            yield f"rows left out by its own rules: {number}, {why}"
        if skipped := getattr(self.benchmark, "skipped", 0):
            problems = getattr(self.benchmark, "problems", None) or ["no reason told"]
            yield f"rows left out: {skipped}, such as {problems[0]}"


def is_of(group: Group, subsets: Sequence[str]) -> bool:
    """Whether a group is of one of the subsets or sections; of none given all are."""
    return not subsets or any(one in subsets for one in parts_of(group))


def parts_of(group: Group) -> list[str]:
    """The subset and the section of a group, as far as its metadata names them."""
    return [str(group.metadata[key]) for key in (SUBSET, SECTION) if group.metadata.get(key)]


class Tolerant:
    """Takes a group that the judge can not be shown: it comes out unscored, which is counted.

    Args:
        check: raises InputError or TemplateError for such a group.
    """

    def __init__(self, check: Callable[[Group], object]) -> None:
        self._check = check
        self.problems: dict[str, str] = {}

    def __call__(self, group: Group) -> None:
        """Never raises for what the judge can not be shown."""
        try:
            self._check(group)
        except (InputError, TemplateError) as error:
            self.problems.setdefault(group.fingerprint, str(error))

    def tell(self, label: str, total: int) -> None:
        """Say how many groups can not be judged; refuse to go on where none can.

        Raises:
            InputError: none can.
        """
        if not self.problems:
            return
        first, count = next(iter(self.problems.values())), len(self.problems)
        if count >= total:
            raise InputError(f"{label}: none of {total} groups can be judged, such as: {first}")
        say(f"{label}: {count} of {total} groups can not be judged; they are unscored: {first}")
