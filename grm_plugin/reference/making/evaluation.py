"""Reads the judgments of a reference model: its scores, and how often its checks are true.

Pure functions over generated texts; nothing here runs a model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from grm_plugin.contracts.boxed import boxed
from grm_plugin.contracts.contract import Answer
from grm_plugin.engine import Limits
from grm_plugin.errors import ParseError
from grm_plugin.reference.tasks.judgment import TOTAL_WEIGHT, title
from grm_plugin.reference.tasks.reading import read_judgment
from grm_plugin.reference.tasks.task import Requirement, Task, fulfilled
from grm_plugin.types import Scale

_BOXED, _SCALE = boxed({}, Limits()), Scale(1, TOTAL_WEIGHT)


@dataclass(frozen=True, slots=True)
class Check:
    """One generated ok or bad: for which kind of requirement, and whether the checker agrees."""

    kind: str
    agrees: bool


def read_scores(text: str, responses: int) -> tuple[float, ...] | None:
    """The scores of a judgment `text` as a judge's are read, or None where they can not be."""
    try:
        return _BOXED.read(Answer(text, responses, _SCALE)).scores
    except ParseError:
        return None


def read_checks(text: str, task: Task, responses: Sequence[str]) -> list[Check]:
    """Every check of the judgment `text` on a requirement that `task` really has."""
    named = {title(demand): demand for demand in task.requirements}
    reading = read_judgment(text)
    criteria = [named.get(name) for name in reading.titles]
    return [
        check
        for one in reading.critiques
        if one.place <= len(responses)
        for check in _compare(one.verdicts, criteria, responses[one.place - 1])
    ]


def invented_criteria(text: str, task: Task) -> int:
    """How many criteria of the judgment `text` are no requirement of `task`."""
    known = {title(demand) for demand in task.requirements}
    return sum(name not in known for name in read_judgment(text).titles)


def agreement(checks: Iterable[Check]) -> dict[str, float]:
    """The fraction of true checks, 0..1, for each kind of requirement that occurs."""
    seen, true = Counter[str](), Counter[str]()
    for check in checks:
        seen[check.kind] += 1
        true[check.kind] += check.agrees
    return {kind: true[kind] / seen[kind] for kind in sorted(seen)}


def _compare(
    verdicts: Sequence[bool], criteria: Sequence[Requirement | None], response: str
) -> list[Check]:
    return [
        Check(demand.kind, verdict == fulfilled(demand, response))
        for verdict, demand in zip(verdicts, criteria, strict=False)
        if demand is not None
    ]
