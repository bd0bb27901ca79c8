"""Which verdicts of a run still stand: those of steps that it did again after a stop do not.

A run that is resumed goes back to its last checkpoint and appends to its record, so that the steps
behind that checkpoint stand in it twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from grm_plugin.records.files import read_verdicts
from grm_plugin.types import Verdict
from grm_plugin.types.training import TRAIN, when_of

_LATE = 1  # steps by which a group may end after one of a later step


class Resumes:
    """Finds out, verdict by verdict of one process, where its run had gone back.

    It had where a step comes after a later one, and is not only late: it is more than one step
    behind, or its prompt was judged in that step before.
    """

    def __init__(self) -> None:
        self._prompts: dict[int, set[int]] = defaultdict(set)

    def undone_from(self, verdict: Verdict) -> int | None:
        """The step from which on all that came before ``verdict`` was undone; None: nothing was."""
        phase, step = when_of(verdict.group) or ("", 0)
        if phase != TRAIN:
            return None
        newest, prompt = max(self._prompts, default=step), hash(verdict.group.conversation)
        again = step < newest and (step < newest - _LATE or prompt in self._prompts[step])
        for undone in [one for one in self._prompts if again and one >= step]:
            del self._prompts[undone]
        self._prompts[step].add(prompt)
        return step if again else None


def standing(record: Path) -> Iterator[Verdict]:
    """The training verdicts of a record that tell their step and were not undone, as they stand.

    The record is read twice, so that memory does not grow with it.

    Args:
        record: of one process of a run.

    Raises:
        RecordError: it can not be read.
    """
    resumes = Resumes()
    found = enumerate(map(resumes.undone_from, read_verdicts(record)))
    undone = [(line, step) for line, step in found if step is not None]
    for line, verdict in enumerate(read_verdicts(record)):
        phase, step = when_of(verdict.group) or ("", 0)
        if phase == TRAIN and all(line >= again or step < back for again, back in undone):
            yield verdict
