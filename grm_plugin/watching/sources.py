"""Where rewards come from: the judge and each version of a scalar RM have scales of their own."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from grm_plugin.errors import quoted
from grm_plugin.types import Judgment, Scalar, Verdict
from grm_plugin.watching.compared import Compared

Values = tuple[float | None, ...]
_SUM = "sum"


class Source(NamedTuple):
    """A scalar RM of one version and scaling, or the judge, which has neither.

    Args:
        version: of the scalar RM; None: it is the judge.
        center, spread: by which its logits are scaled.
    """

    version: str | None = None
    center: float = 0.0
    spread: float = 1.0

    def __str__(self) -> str:
        if self.version is None:
            return "the judge"
        return (
            f"version {quoted(self.version)} of the scalar RM" if self.version else "the scalar RM"
        )


JUDGE = Source()


def sourced(verdict: Verdict) -> Iterator[tuple[Source, Compared]]:
    """What each source gave a group that the control judge judged, too.

    Where votes are added up the judge's part is its mean score, so that a larger k moves nothing.
    """
    for source, values in _parts(verdict):
        if group := Compared.of(replace(verdict, rewards=values)):
            yield source, group


def _parts(verdict: Verdict) -> Iterator[tuple[Source, Values]]:
    scalar, rewards = verdict.scalar, verdict.rewards
    if rewards is None:
        return
    weight = _weight(verdict.origin) if scalar else 0.0
    if scalar is None or scalar.judged:
        adds_up = weight > 0 or _votes_by(verdict.origin) == _SUM
        yield JUDGE, _mean_scores(verdict.judgments, rewards) if adds_up else rewards
    if scalar and not scalar.judged:
        yield _source(scalar), rewards
    elif scalar and weight > 0:
        yield _source(scalar), _where(rewards, scalar.votes)


def _source(scalar: Scalar) -> Source:
    return Source(scalar.version, scalar.center, scalar.spread)


def _weight(origin: Mapping[str, object]) -> float:
    told = origin.get("scalar")
    weight = told.get("weight") if isinstance(told, Mapping) else None
    return float(weight) if isinstance(weight, int | float) else 0.0


def _votes_by(origin: Mapping[str, object]) -> object:
    vote = origin.get("vote")
    return vote.get("name") if isinstance(vote, Mapping) else vote


def _mean_scores(judgments: Sequence[Judgment], rewards_N: Values) -> Values:
    """Of the judgments that vote, by their weights; the rewards where none is at hand."""
    voting = [one for one in judgments if one.voted]
    if not voting:
        return rewards_N
    means = [_mean([(one.scores[n], one.weight) for one in voting]) for n in range(len(rewards_N))]
    return _where(rewards_N, means)


def _mean(weighted: Sequence[tuple[float | None, float]]) -> float | None:
    known = [(score, weight) for score, weight in weighted if score is not None]
    total = math.fsum(weight for _, weight in known)
    return math.fsum(score * weight for score, weight in known) / total if total else None


def _where(rewards_N: Values, values_N: Sequence[float | None]) -> Values:
    """The values of the responses that have a reward."""
    both = zip(rewards_N, values_N, strict=True)
    return tuple(None if reward is None else value for reward, value in both)
