"""The folders of ``grm eval``: where results go, and what those of earlier runs hold."""

from __future__ import annotations

import re
from pathlib import Path

from grm_plugin.errors import ConfigError, quoted
from grm_plugin.evaluation.runs import RECORD, REVOTED_RECORD
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


def check_free(other: Path) -> None:
    """Refuse a folder that holds a run of the other kind: each has figures of its own.

    Raises:
        ConfigError: ``other``, the record of such a run, is there.
    """
    if other.exists():
        kind = "a judge's verdicts" if other.name == RECORD else "verdicts that voted again"
        raise ConfigError(f"--out {other.parent} holds {kind} ({other.name}); choose another")
