"""The records of a run: one file for each rollout actor, since a file has one writer."""

from __future__ import annotations

from pathlib import Path

from grm_plugin.running.recorder import Recorder


def of_engine(record: Path, engine: int | str) -> Path:
    """The file of one rollout actor.

    >>> of_engine(Path("verdicts.jsonl"), 0).name
    'verdicts.jsonl.engine0'
    """
    return record.with_name(f"{record.name}.{'engine' if isinstance(engine, int) else ''}{engine}")


def check_writable(record: Path, engines: int) -> None:
    """Find out on this machine whether the files can be written, and leave no trace of it.

    Raises:
        RecordError: one of them can not, or another run is writing it.
    """
    for number in range(engines):
        path = of_engine(record, number)
        was_there = path.exists()
        Recorder(path).close()
        if not was_there:
            path.unlink()
