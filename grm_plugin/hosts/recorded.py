"""What every trainer's records say of a group, and which files hold the records of one run."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grm_plugin.errors import InputError
from grm_plugin.types.training import EVAL, PHASE, STEP, TRAIN

ROUND_TO = "round_to"
_WRITER = r"(\.(rank|engine|process-|actor-)\w+)?"  # processes of a run have a file each


def when(step: int | None, *, training: bool, round_to: float | None = None) -> Mapping[str, Any]:
    """Metadata of a group: when in a run it was judged, and how its rewards are rounded.

    Args:
        step: training steps that were over; None when the trainer does not say.
        training: whether the group is trained on, or belongs to an evaluation.
        round_to: what the trainer rounds rewards to, which a record holds as the judge gave them;
            None: to nothing, and the metadata says nothing of it.

    >>> when(7, training=True)
    {'step': 7, 'phase': 'train'}
    """
    rounding = {} if round_to is None else {ROUND_TO: round_to}
    return {STEP: step, PHASE: TRAIN if training else EVAL, **rounding}


def records_of(path: Path) -> list[Path]:
    """The records that ``path`` names: one file, all in a folder, or all whose names begin so.

    Args:
        path: such as ``verdicts.jsonl``, which may be the files ``verdicts.jsonl.engine0`` and
            ``verdicts.jsonl.engine1``.

    Raises:
        InputError: there is none.
    """
    if path.is_dir():
        found, name = path.iterdir(), r".+\.jsonl"
    elif path.exists():
        return [path]
    else:
        start = re.escape(path.name)
        found, name = path.parent.glob("*"), rf"{start}(.*\.jsonl)?"
    records = [one for one in found if re.fullmatch(name + _WRITER, one.name) and one.is_file()]
    if not records:
        raise InputError(
            f"{path}: expected a record, a folder of records or the start of their names, and "
            "there is none of these"
        )
    return sorted(records, key=_by_number)


def of_run(record: Path) -> list[Path]:
    """What all processes of a run have written of ``record``; none of a run that begins.

    A run that goes on with more or fewer processes, or one alone, has left files of both.
    """
    written = re.compile(re.escape(record.name) + _WRITER)
    beside = record.parent.glob("*")
    found = [one for one in beside if written.fullmatch(one.name) and one.is_file()]
    return sorted(found, key=_by_number)


def _by_number(path: Path) -> list[str | int]:
    """So that ``engine2`` stands before ``engine10``."""
    parts = re.split("([0-9]+)", path.name)
    return [int(part) if place % 2 else part for place, part in enumerate(parts)]
