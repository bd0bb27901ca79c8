"""The verdict that the demo shows: its vote is right, and so is every word of one judgment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from grm_plugin.evaluation.accuracy import hit
from grm_plugin.reference.tasks.data import TaskGroup
from grm_plugin.reference.tasks.truth import is_true
from grm_plugin.types import Judgment, Verdict


@dataclass(frozen=True, slots=True)
class Example:
    """A verdict, and the judgment of it to show."""

    verdict: Verdict
    judgment: Judgment


def example(verdicts: Sequence[Verdict], asked: Sequence[TaskGroup]) -> Example | None:
    """The first verdict that is right and tells something; None where there is no right one.

    Some of its samples prefer another response, if there is such a verdict: then the vote is what
    found the best.

    Args:
        verdicts: of the groups in ``asked``, in the same order.
        asked: what the checker needs to know.
    """
    found = list(_right(verdicts, asked))
    split = (one for one in found if not _is_unanimous(one.verdict))
    return next(split, found[0] if found else None)


def true_share(verdicts: Sequence[Verdict], asked: Sequence[TaskGroup]) -> float:
    """The fraction of all judgments in which every word is true, 0..1."""
    told = [
        _is_true(one, group)
        for verdict, group in zip(verdicts, asked, strict=True)
        for one in verdict.judgments
    ]
    return sum(told) / max(1, len(told))


def _right(verdicts: Sequence[Verdict], asked: Sequence[TaskGroup]) -> Iterator[Example]:
    for verdict, group in zip(verdicts, asked, strict=True):
        if group.best is not None and hit(verdict.rewards, group.best) == 1:
            for judgment in verdict.judgments:
                if _prefers(judgment, group.best) and _is_true(judgment, group):
                    yield Example(verdict, judgment)
                    break


def _prefers(judgment: Judgment, best: int) -> bool:
    return hit(judgment.scores, best) == 1


def _is_true(judgment: Judgment, group: TaskGroup) -> bool:
    return is_true(judgment.text, group.task, [group.responses[n] for n in judgment.order])


def _is_unanimous(verdict: Verdict) -> bool:
    best = verdict.group.metadata["best"]
    return all(_prefers(judgment, best) for judgment in verdict.judgments)
