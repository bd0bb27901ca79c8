"""What explains a gain without a better reader: ties, criteria, weights; and what the judge saw."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from grm_plugin.pipeline.weighing import margin_of
from grm_plugin.reference.making.evaluation import invented_criteria, read_checks
from grm_plugin.reference.tasks.reading import Slips, find_slips
from grm_plugin.reference.tasks.task import Requirement, Task
from grm_plugin.types import Group, Judgment, Verdict


@dataclass(frozen=True)
class Reading:
    """Of the judgments of one judge.

    Args:
        unreadable: share of the samples, 0..1.
        ties: share of the judgments with several best responses, 0..1.
        criteria: a judgment.
        largest_weight: of the ten points that the criteria share.
        invented: criteria a judgment that the query never stated.
        true_checks: share of the checks on stated requirements that are true, 0..1.
        flipped: share of the verdicts that contradict their own evidence, 0..1.
        miscounted: share of the scores that are not the sum of what was called ok, 0..1.
        tokens: a sample.
    """

    unreadable: float
    ties: float
    criteria: float
    largest_weight: float
    invented: float
    true_checks: float
    flipped: float
    miscounted: float
    tokens: float


def read(verdicts: Sequence[Verdict]) -> Reading:
    """What the judgments in ``verdicts`` have in common; their groups name their requirements."""
    judged = [(one.group, each) for one in verdicts for each in one.judgments]
    failed = [each for one in verdicts for each in one.failures]
    weights = [[one.weight or 0.0 for one in each.principles] for _, each in judged]
    slips = sum((find_slips(each.text) for _, each in judged), Slips())
    checks = [agrees for group, each in judged for agrees in _checks(group, each)]
    return Reading(
        unreadable=len(failed) / (len(failed) + len(judged)),
        ties=_mean(margin_of(each) == 0 for _, each in judged),
        criteria=_mean(map(len, weights)),
        largest_weight=_mean(max(each) for each in weights if each),
        invented=_mean(invented_criteria(each.text, task_of(group)) for group, each in judged),
        true_checks=_mean(checks),
        flipped=slips.flipped / max(1, slips.verdicts),
        miscounted=slips.miscounted / max(1, slips.scores),
        tokens=_mean(
            [each.output_tokens for _, each in judged] + [one.output_tokens for one in failed]
        ),
    )


def task_of(group: Group) -> Task:
    """The task whose requirements the metadata of ``group`` names."""
    known: Sequence[Mapping[str, object]] = group.metadata["requirements"]
    demands = tuple(
        Requirement(str(one["kind"]), tuple(one["words"]), tuple(one["numbers"]))  # type: ignore[arg-type]
        for one in known
    )
    return Task(group.conversation[0].content, demands)


def _checks(group: Group, judgment: Judgment) -> list[bool]:
    shown = [group.responses[index] for index in judgment.order]
    return [one.agrees for one in read_checks(judgment.text, task_of(group), shown)]


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return fmean(found) if found else float("nan")
