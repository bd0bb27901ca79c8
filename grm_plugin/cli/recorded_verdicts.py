"""The verdicts that a command is asked for: of files, folders, runs, or standard input."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from typer import BadParameter

from grm_plugin.errors import InputError
from grm_plugin.hosts.recorded import records_of
from grm_plugin.records import read_stream, read_verdicts
from grm_plugin.types import Verdict
from grm_plugin.types.training import EVAL, PHASE, STEP, TRAIN

STDIN = Path("-")
HELP = (
    "JSONL file of verdicts, a folder of them, the start of their names, or - for standard input."
)


def verdicts_in(
    records: Iterable[Path], step: int | None = None, phase: str | None = None
) -> Iterator[Verdict]:
    """The verdicts of some records, one at a time; those of a step or phase where these are given.

    Raises:
        InputError: there is no such record, or one is named twice.
        RecordError: a line is no verdict.
    """
    files = [_files(record) for record in records]
    check_distinct(one for some in files for one in some if one != STDIN)
    wanted = {name: one for name, one in ((STEP, step), (PHASE, phase)) if one is not None}
    for verdict in itertools.chain.from_iterable(map(_verdicts, itertools.chain(*files))):
        if all(verdict.group.metadata.get(name) == one for name, one in wanted.items()):
            yield verdict


def _files(record: Path) -> list[Path]:
    return [record] if record == STDIN else records_of(record)


def _verdicts(file: Path) -> Iterator[Verdict]:
    if file == STDIN:
        return read_stream(sys.stdin.buffer, "standard input")
    return read_verdicts(file)


def check_distinct(files: Iterable[Path]) -> None:
    """Refuse a record that is named twice, as a file and by its folder, say: it would count twice.

    Raises:
        InputError: names both.
    """
    known: dict[Path, Path] = {}
    for file in files:
        if (first := known.setdefault(file.resolve(), file)) is not file:
            again = "" if first == file else f", as {first} and as {file}"
            raise InputError(f"{file} is named twice{again}; its verdicts would count twice")


def some(verdicts: Iterable[Verdict]) -> Iterator[Verdict] | None:
    """The same verdicts once the first is read; None where there is none."""
    rest = iter(verdicts)
    first = next(rest, None)
    return None if first is None else itertools.chain([first], rest)


def phase_of(*, train: bool, evaluation: bool) -> str | None:
    """The phase that ``--train`` or ``--eval`` asks for; None for both.

    Raises:
        BadParameter: both are asked for.
    """
    if train and evaluation:
        raise BadParameter("choose one of --train, --eval")
    return TRAIN if train else EVAL if evaluation else None


def told(step: int | None, phase: str | None) -> str:
    """`` of step 3 of phase train``, for messages; empty for all."""
    parts = [("step", step), ("phase", phase)]
    return "".join(f" of {name} {one}" for name, one in parts if one is not None)
