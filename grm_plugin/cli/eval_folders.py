"""The folders of ``grm eval``: where results go, and what those of earlier runs hold."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from grm_plugin.cli.recorded_verdicts import check_distinct
from grm_plugin.errors import ConfigError, InputError, quoted
from grm_plugin.evaluation.runs import (
    FIGURES,
    GREEDY_RECORD,
    RECORD,
    REVOTED_RECORD,
    read_figures,
)
from grm_plugin.hosts.recorded import records_of
from grm_plugin.records import is_record, is_torn
from grm_plugin.report.terminal import say
from grm_plugin.types import digest

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_OTHER = re.compile(r"[^A-Za-z0-9_-]+")


def folder_for(out: Path, name: str) -> Path:
    """The folder in ``out`` for the results of one benchmark among others.

    Args:
        out: of all results.
        name: of the benchmark, as a record says it; a text like any other, so what is no plain
            name of a folder becomes one, with a digest that tells it from every other.

    Raises:
        ConfigError: there is a link of that name that leads out of ``out``.

    >>> folder_for(Path("out"), "rewardbench").name, folder_for(Path("out"), "../../etc").name
    ('rewardbench', 'etc.82f0eec7e3ca')
    """
    folder = out / (name if _PLAIN.fullmatch(name) else _plain(name))
    if folder.resolve().parent != out.resolve():
        raise ConfigError(
            f"{folder} leads out of --out {out}, to {folder.resolve()}; the benchmark "
            f"{quoted(name)} needs a folder in it"
        )
    return folder


def _plain(name: str) -> str:
    """A plain part and a digest, with a dot between them, which a plain name never has."""
    plain = _OTHER.sub("-", name).strip("-_")[:40] or "benchmark"
    return f"{plain}.{digest(name)[:12]}"


@dataclass(frozen=True)
class Run:
    """Records that are measured together.

    Args:
        files: with samples.
        greedy: with greedy judgments of the same groups; may be none.
        folder: of ``grm eval``, that holds them; None for records that stand for themselves.
    """

    files: tuple[Path, ...]
    greedy: tuple[Path, ...] = ()
    folder: Path | None = None

    def tell_state(self, groups: int, *, all_asked: bool = True) -> None:
        """Say where the records are not what they were measured to be, or not whole.

        Args:
            groups: that the records hold.
            all_asked: whether all of them are measured now.
        """
        for file in filter(is_torn, self.files):
            say(f"{file}: its last line is cut, as by a kill; the verdict in it is left out")
        measured = _groups_measured(self.folder) if self.folder else None
        if all_asked and measured not in (None, groups):
            say(
                f"{self.folder}: {FIGURES} is of {measured:,} groups, and the record holds "
                f"{groups:,}; all that it holds are taken"
            )


def runs_of(sources: Iterable[str | Path]) -> list[Run]:
    """The runs that ``sources`` name: each folder of ``grm eval`` is one, all other records one.

    A folder of several benchmarks holds a run of each.

    Raises:
        InputError: a source has no record, a file is none, or one is named twice.
    """
    found: list[Run] = []
    loose: list[Path] = []
    for source in map(Path, sources):
        folders = run_folders(source)
        found += map(_run_in, folders)
        loose += [] if folders else records_of(source)
    found += [Run(tuple(loose))] if loose else []
    files = [file for run in found for file in run.files]
    check_distinct(files)
    if others := [file for file in files if not is_record(file)]:
        raise InputError(
            f"{others[0]}: expected a record of verdicts, got other lines; labelled groups are "
            f"judged as labelled:{others[0]}"
        )
    return found


def _run_in(folder: Path) -> Run:
    greedy = folder / GREEDY_RECORD
    return Run((record_in(folder),), (greedy,) if greedy.is_file() else (), folder)


def _groups_measured(folder: Path) -> int | None:
    """How many groups the figures in a folder are of; None where they do not say."""
    try:
        data = (read_figures(folder) or {}).get("data")
    except InputError:  # cut, and written anew by the same command
        return None
    groups = data.get("groups") if isinstance(data, Mapping) else None
    return groups if isinstance(groups, int) else None


def run_folders(path: Path) -> list[Path]:
    """The folders of single benchmarks in a folder of ``grm eval``; none in others."""
    if not path.is_dir():
        return []
    if record_in(path).is_file():
        return [path]
    return [one for one in sorted(path.iterdir()) if one.is_dir() and record_in(one).is_file()]


def record_in(folder: Path) -> Path:
    """The record that a run left in its folder: of a judge, or of votes that were made again."""
    again = folder / REVOTED_RECORD
    return again if again.is_file() else folder / RECORD


def check_not_read(into: Path, sources: Iterable[str], runs: Iterable[Run]) -> None:
    """Refuse to write results where records are read, which would lose what is not taken of them.

    Raises:
        ConfigError: ``into`` is one of ``sources``, or the folder of one of their ``runs``.
    """
    read = {Path(source).resolve() for source in sources}
    files = [file.resolve() for run in runs for file in run.files]
    if into.resolve() in read or (into / REVOTED_RECORD).resolve() in files:
        raise ConfigError(f"--out {into} is among the records that are read; choose another")


def check_free(other: Path) -> None:
    """Refuse a folder that holds a run of the other kind: each has figures of its own.

    Raises:
        ConfigError: ``other``, the record of such a run, is there.
    """
    if other.exists():
        kind = "a judge's verdicts" if other.name == RECORD else "verdicts that voted again"
        raise ConfigError(f"--out {other.parent} holds {kind} ({other.name}); choose another")
