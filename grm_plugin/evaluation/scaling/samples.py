"""Verdicts as arrays: K samples of G groups of N responses, and which response should win."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from grm_plugin.errors import InputError, quoted
from grm_plugin.evaluation.resampling import Array
from grm_plugin.evaluation.truth import label_of
from grm_plugin.evaluation.whole import shown_whole
from grm_plugin.pipeline.case import Case
from grm_plugin.types import Group, Sample, Verdict

_MIDDLE = 0.5  # of the scale 0..1 on which single responses are judged


@dataclass(frozen=True)
class Samples:
    """K samples of each of G groups; N is the most responses that a group has.

    A single response that is right or wrong (scale 0..1) stands beside a second one, which every
    judgment scores 0.5: right means that the first one wins, wrong that the second one does.

    Args:
        groups: what was asked; G.
        best_G: index of the response that should win.
        copies_G_N: the response that was judged for each: itself, or the first with its text.
        scores_G_K_N: points; NaN for a dropped sample, a response that is not there, and a copy.
        meta_G_K: logits of the meta RM; NaN where there is none.
        read_G_K, written_G_K: tokens of the prompt and of the judgment, of dropped samples, too.
        seconds_G_K: wall seconds of the request.
        scalar_G_N: votes of a scalar RM, 0..1; NaN where it gave none.
        sureness_G: of the scalar RM, 0.5..1; NaN where there is none.
        scalar_read_G: tokens that it read, where it tells.
    """

    groups: tuple[Group, ...]
    best_G: Array
    copies_G_N: Array
    scores_G_K_N: Array
    meta_G_K: Array
    read_G_K: Array
    written_G_K: Array
    seconds_G_K: Array
    scalar_G_N: Array
    sureness_G: Array
    scalar_read_G: Array

    @classmethod
    def of(cls, verdicts: Iterable[Verdict], *, k: int | None = None) -> Samples:
        """The first ``k`` samples of verdicts whose groups have labels.

        Args:
            verdicts: scored or not, each with at least ``k`` samples, dropped ones counted.
            k: None: as many as every one of them has.

        Raises:
            InputError: there is none, one has fewer samples or no label, or its responses were not
                judged together.
        """
        judged = [shown_whole(one) for one in verdicts]
        fewest = min((one.drawn for one in judged), default=0)
        if not judged or fewest < (k or 1):
            least = min(judged, key=lambda one: one.drawn).group.label if judged else "none"
            raise InputError(
                f"expected verdicts with at least {k or 1} samples each, got {len(judged)}, and "
                f"{fewest} samples of group {least}"
            )
        n = max(2, *(len(one.group.responses) for one in judged))
        rows = [_row(one, k or fewest, n) for one in judged]
        return cls(tuple(one.group for one in judged), *map(np.array, zip(*rows, strict=True)))

    @property
    def samples(self) -> int:
        """K."""
        return int(self.scores_G_K_N.shape[1])

    @property
    def sizes_G(self) -> Array:
        """How many responses each group has."""
        return np.array([len(one.responses) for one in self.groups])

    def named(self, name: str) -> list[Any]:
        """What the metadata of each group says under ``name``; None where it says nothing."""
        return [group.metadata.get(name) for group in self.groups]

    def at(self, numbers: Sequence[int] | Array) -> Samples:
        """Those of some of the groups, and no more responses than they have."""
        taken = np.asarray(numbers)
        n = max(2, int(self.sizes_G[taken].max()))
        return Samples(
            tuple(self.groups[number] for number in taken),
            self.best_G[taken],
            self.copies_G_N[taken, :n],
            self.scores_G_K_N[taken, :, :n],
            self.meta_G_K[taken],
            self.read_G_K[taken],
            self.written_G_K[taken],
            self.seconds_G_K[taken],
            self.scalar_G_N[taken, :n],
            self.sureness_G[taken],
            self.scalar_read_G[taken],
        )

    def spread(self, rewards_O_G_N: Array) -> Array:
        """Rewards for copies, too: each gets what the response got that was judged for it."""
        return np.take_along_axis(rewards_O_G_N, self.copies_G_N[None], axis=2)


def _drawn(verdict: Verdict) -> list[Sample]:
    return [*verdict.judgments, *verdict.failures]


def _row(verdict: Verdict, k: int, n: int) -> tuple[object, ...]:
    group, case = verdict.group, Case.of(verdict)
    if len(case.runs) > 1:
        raise InputError(
            f"group {group.label}: its responses were judged in {len(case.runs)} parts (as pairs, "
            "each alone, or split to fit the context), and curves need groups that are judged "
            "whole; grm_plugin.evaluation.accuracy.best_of_accuracy settles such groups"
        )
    scores, meta = np.full((k, n), np.nan), np.full(k, np.nan)
    tokens = np.zeros((3, k))
    for one in _drawn(verdict):
        if one.sample < k:
            tokens[:, one.sample] = one.prompt_tokens, one.output_tokens, one.seconds
    for vote in (one for one in verdict.judgments if one.sample < k):
        scores[vote.sample, list(vote.order)] = [vote.scores[index] for index in vote.order]
        meta[vote.sample] = np.nan if vote.meta_score is None else vote.meta_score
    best = _label(group)
    if len(group.responses) == 1:
        best = _beside_the_middle(scores, best, group)
    copies = [*case.copies, *range(len(case.copies), n)]
    return best, copies, scores, meta, *tokens, *_scalar(verdict, n)


def _scalar(verdict: Verdict, n: int) -> tuple[object, ...]:
    """Votes of a scalar RM, its sureness, what it read; a single response meets the middle."""
    votes_N, scalar = np.full(n, np.nan), verdict.scalar
    if scalar is None:
        return votes_N, np.nan, 0
    for index, one in enumerate(scalar.votes):
        votes_N[index] = np.nan if one is None else one
    if len(scalar.scores) == 1 and not np.isnan(votes_N[0]):
        votes_N[1] = _MIDDLE
    sure = scalar.sureness
    return votes_N, np.nan if sure is None else sure, scalar.prompt_tokens


def _label(group: Group) -> int:
    try:
        return label_of(group)
    except InputError as error:
        raise InputError(f"group {group.label}: {error}") from error


def _beside_the_middle(scores_K_N: Array, right: int, group: Group) -> int:
    """Put the second response beside a single one; the index of the one that should win."""
    known = scores_K_N[~np.isnan(scores_K_N[:, 0]), 0]
    if not ((known >= 0) & (known <= 1)).all():
        raise InputError(
            f"group {group.label}: expected scores 0..1 of a response that is judged alone, got "
            f"{quoted(known.max())}; only judgments by a template for single responses tell right "
            "from wrong"
        )
    scores_K_N[:, 1] = np.where(np.isnan(scores_K_N[:, 0]), np.nan, _MIDDLE)
    return 1 - right
