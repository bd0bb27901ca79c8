"""Measures a reference model on fresh evaluation groups. Needs torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from grm_plugin.evaluation.accuracy import hit_at
from grm_plugin.evaluation.statistics import Estimate, bootstrap
from grm_plugin.pipeline.settling import Rule
from grm_plugin.pipeline.voting import mean
from grm_plugin.reference.making.evaluation import (
    agreement,
    invented_criteria,
    read_checks,
    read_scores,
)
from grm_plugin.reference.making.generation import Completion, complete
from grm_plugin.reference.prompt import render_prompt
from grm_plugin.reference.tasks.data import TaskGroup, best_of_groups
from grm_plugin.reference.tasks.reading import Slips, find_slips, read_judgment
from grm_plugin.reference.tasks.words import Split
from grm_plugin.types import Failure, Group, Judgment, Reason, Scale, Verdict

_RULE = Rule("mean", mean, Scale(1, 10))


@dataclass(frozen=True, slots=True)
class Form:
    """What the texts of judgments look like, means over all samples.

    Attributes:
        criteria: how many a judgment has.
        largest_weight: of its criteria, 1..10.
        invented: criteria a judgment that the query never stated.
        flipped: share of verdicts that contradict their own evidence, 0..1.
        miscounted: share of scores that are not the sum of what was called ok, 0..1.
        miscopied: share of boxed scores that differ from the critique's, 0..1.
    """

    criteria: float
    largest_weight: float
    invented: float
    flipped: float
    miscounted: float
    miscopied: float


@dataclass(frozen=True, slots=True)
class Figures:
    """What a model did on best-of-N groups; fractions are 0..1.

    Intervals are clustered by the phrasing of the first requirement.

    Attributes:
        best_of: how often the best response ranks first after the vote, with its 95 % interval.
        single: the same for one sample alone, averaged over the K samples.
        readable: the fraction of samples that end by themselves with N scores in the box.
        ties: the fraction of readable samples with several responses at the top.
        agreement: per kind of requirement, the fraction of generated checks that are true.
        form: what the judgments look like.
    """

    best_of: Estimate
    single: Estimate
    readable: float
    ties: float
    agreement: dict[str, float]
    form: Form


def measure(
    model: Any,
    tokenizer: Any,
    *,
    responses: int,
    groups: int,
    samples: int = 1,
    temperature: float = 1.0,
    split: Split = "heldout",
    seed: int = 1,
) -> Figures:
    """Sample judgments for groups of N = `responses` and vote by the mean.

    Args:
        model: a causal language model of transformers.
        tokenizer: a `tokenizers.Tokenizer`.
        responses: N, 2..8.
        groups: how many groups; they are a pure function of `seed`, `split` and N.
        samples: K, judgments a group.
        temperature: 0 is greedy.
        split: which words and phrasings to use.
        seed: seeds the groups and the sampling.
    """
    data = best_of_groups(seed, split, responses=responses, number=groups)
    prompts = [render_prompt(one.task.query, one.responses) for one in data for _ in range(samples)]
    done = complete(model, tokenizer, prompts, temperature=temperature, seed=seed)
    return summarize(
        data, [done[start : start + samples] for start in range(0, len(done), samples)]
    )


def summarize(groups: Sequence[TaskGroup], completions_G_K: Sequence[list[Completion]]) -> Figures:
    """The figures of K completions for each of G groups."""
    judged = [
        (_verdict(group, completions), _best(group))
        for group, completions in zip(groups, completions_G_K, strict=True)
    ]
    texts = [(g, one.text) for g, some in zip(groups, completions_G_K, strict=True) for one in some]
    read = [one.scores for verdict, _ in judged for one in verdict.judgments]
    clusters = [group.task.phrasings[1] for group in groups]

    def hits(k: int) -> Estimate:
        return bootstrap([_hit(verdict, best, k) for verdict, best in judged], clusters=clusters)

    return Figures(
        best_of=hits(len(completions_G_K[0])),
        single=hits(1),
        readable=len(read) / len(texts),
        ties=sum(map(_is_tied, read)) / max(1, len(read)),
        agreement=agreement(
            check for g, text in texts for check in read_checks(text, g.task, g.responses)
        ),
        form=_form(texts),
    )


def _is_tied(scores: Sequence[float | None]) -> bool:
    known = [score for score in scores if score is not None]
    return known.count(max(known)) > 1


def _form(texts: Sequence[tuple[TaskGroup, str]]) -> Form:
    weights = [read_judgment(text).weights for _, text in texts]
    slips = sum((find_slips(text) for _, text in texts), Slips())
    return Form(
        criteria=fmean(map(len, weights)),
        largest_weight=fmean(max(some, default=0) for some in weights),
        invented=fmean(invented_criteria(text, group.task) for group, text in texts),
        flipped=slips.flipped / max(1, slips.verdicts),
        miscounted=slips.miscounted / max(1, slips.scores),
        miscopied=slips.miscopied / max(1, slips.boxes),
    )


def _best(group: TaskGroup) -> int:
    if group.best is None:
        raise ValueError(f"best of {len(group.responses)}: the top is a tie: {group.qualities}")
    return group.best


def _hit(verdict: Verdict, best: int, k: int) -> float:
    return hit_at(verdict, _RULE, best, k=k, min_valid=1)


def _verdict(group: TaskGroup, completions: Sequence[Completion]) -> Verdict:
    """The samples as they would be recorded; every one saw the responses in their own order."""
    order = tuple(range(len(group.responses)))
    judgments, failures = [], []
    for k, one in enumerate(completions):
        if scores := _scores(one, group):
            judgments.append(Judgment(k, order, 0, one.text, scores))
        else:
            failures.append(Failure(k, order, 0, Reason.UNREADABLE, "no scores in a box"))
    asked = Group.of(group.task.query, group.responses)
    return Verdict(asked, None, tuple(judgments), tuple(failures))


def _scores(completion: Completion, group: TaskGroup) -> tuple[float, ...] | None:
    if not completion.finished:
        return None
    return read_scores(completion.text, len(group.responses))
