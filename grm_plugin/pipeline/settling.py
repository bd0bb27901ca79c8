"""The only place where judgments become rewards. Pure: live scoring, replay, evaluation at any k,
adaptive stopping and training labels all call :func:`settle`.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from grm_plugin.errors import PluginError
from grm_plugin.pipeline.aggregating import Aggregate, Rewards, connected, mean_of_runs
from grm_plugin.pipeline.case import Case, Run
from grm_plugin.pipeline.checking import checked_rewards
from grm_plugin.pipeline.scalar_voting import ScalarRule
from grm_plugin.pipeline.voting import NO_WEIGHTS, Voter, can_weigh
from grm_plugin.running import guarded
from grm_plugin.types import Judgment, Scalar, Scale

_NOISE = 1e-9  # of floating point
_APART = (
    "pairs without enough valid samples leave it compared with few responses of its group, and "
    "with none of those that have rewards"
)


@dataclass(frozen=True)
class Rule:
    """How judgments become rewards.

    Args:
        name: what messages call the voter.
        voter: makes rewards of the scores of one run.
        scale: the closed range of a score, in points.
        aggregate: how runs meet; only pairs need another than the mean.
        both_orders: whether a run of two or more samples counts only when its two responses were
            shown both ways round, with equal weight for each way.
        scalar: what the votes of a scalar RM count, where the case has them.
    """

    name: str
    voter: Voter
    scale: Scale
    aggregate: Aggregate = mean_of_runs
    both_orders: bool = False
    scalar: ScalarRule = field(default_factory=ScalarRule)


@dataclass(frozen=True)
class Settled:
    """What judgments come to.

    Args:
        rewards: N rewards in the group's order, None for a response without one; None: no
            response has one.
        unscored: why there are no rewards; empty when there are.
        responses: why single responses have none, by index.
    """

    rewards: tuple[float | None, ...] | None
    unscored: str = ""
    responses: Mapping[int, str] = field(default_factory=dict)


def settle(judgments: Iterable[Judgment], case: Case, rule: Rule) -> Settled:
    """The rewards of a group, or why there are none.

    A run with fewer than ``case.min_valid`` judgments, or whose selector let nobody vote, gives no
    rewards. A response that no run scores is unscored alone; a group of such is unscored. So is one
    without a scalar score, where there is a scalar RM; and where that decides alone, its votes are
    the rewards.

    Args:
        judgments: valid ones, in any order; those that did not get a vote count as valid.
        case: which responses were shown together, and how many judgments are enough.
        rule: how they vote.

    Raises:
        PluginError: the voter gave something other than finite rewards, one per response.

    >>> from grm_plugin import Group
    >>> from grm_plugin.pipeline.voting import mean
    >>> from grm_plugin.size import Size
    >>> group = Group.of("q", ["a", "b"])
    >>> case = Case(group, group, ((0, 1),), (0, 1), Size(k=2), min_valid=1)
    >>> votes = [Judgment(0, (0, 1), 1, "", (10.0, 1.0)), Judgment(1, (1, 0), 2, "", (10.0, 10.0))]
    >>> settle(votes, case, Rule("mean", mean, Scale(1, 10))).rewards
    (1.0, 0.5)
    """
    scalar = case.scalar
    if scalar is None:
        return _judged(judgments, case, rule)[0]
    if not scalar.judged:
        return _with_scalar(Settled(rule.scalar.instead(scalar)), scalar)
    settled, votes = _judged(judgments, case, rule)
    if settled.rewards is None:
        return settled
    rewards = rule.scalar.together(settled.rewards, scalar, votes, rule.scale)
    return _with_scalar(replace(settled, rewards=rewards), scalar)


def _with_scalar(settled: Settled, scalar: Scalar) -> Settled:
    """Settled with what the scalar RM could not score; a group of such is unscored."""
    responses = {**settled.responses, **scalar.failures}
    if settled.rewards is None or all(one is None for one in settled.rewards):
        return Settled(None, next(iter(responses.values()), "no response has a score"))
    return replace(settled, responses=responses)


def _judged(judgments: Iterable[Judgment], case: Case, rule: Rule) -> tuple[Settled, float]:
    """What judgments alone come to, and how many vote: the mean over the runs that count."""
    of_run: dict[int, list[Judgment]] = {}
    for one in judgments:
        of_run.setdefault(one.run, []).append(one)
    rewards, missing, votes = [], [], []
    for number, run in enumerate(case.runs):
        valid = of_run.get(number, [])
        if problem := _too_few(valid, case, rule):
            missing.append((run, problem))
        else:
            rewards.append(_of_run(valid, run, rule))
            votes.append(sum(one.voted for one in valid))
    if not rewards:
        return Settled(None, missing[0][1]), 0.0
    kept = connected(rewards) if rule.both_orders else rewards
    why = {n: problem for run, problem in missing for n in run}
    why.update((n, _APART) for pair in rewards if pair not in kept for n in pair)
    return _spread(rule.aggregate(kept), why, case), statistics.fmean(votes)


def _too_few(valid: Sequence[Judgment], case: Case, rule: Rule) -> str:
    """Why a run gives no rewards; empty when it does."""
    if len(valid) < case.min_valid:
        return f"{len(valid)} of {case.size.k} samples are valid, min_valid is {case.min_valid}"
    ways = {one.order for one in valid if one.voted}
    if not ways:
        return f"the selector let none of {len(valid)} judgments vote"
    if rule.both_orders and case.size.k > 1 and len(ways) < 2:
        if len({one.order for one in valid}) > 1:
            return f"all that vote of {len(valid)} valid samples show the pair the same way round"
        return f"all of {len(valid)} valid samples show the pair the same way round"
    return ""


def _of_run(valid: Iterable[Judgment], run: Run, rule: Rule) -> Rewards:
    ways: dict[object, list[Judgment]] = {}
    for one in valid:
        if one.voted:
            ways.setdefault(one.order if rule.both_orders else None, []).append(one)
    voted = [_vote(votes, run, rule) for votes in ways.values()]
    rewards = [statistics.fmean(column) for column in zip(*voted, strict=True)]
    if rule.both_orders and abs(rewards[0] - rewards[1]) > 1 + _NOISE:
        raise PluginError(
            f"voter {rule.name!r}: expected the rewards of a pair to be at most 1 apart, got "
            f"{rewards}; pairs need a voter that gives rewards in 0..1"
        )
    return dict(zip(run, rewards, strict=True))


def _vote(votes: Sequence[Judgment], run: Run, rule: Rule) -> Sequence[float]:
    """What the voter makes of judgments; equal weights, whatever they are, are a plain vote."""
    owner, voter = f"voter {rule.name!r}", rule.voter
    weights_K = [one.weight for one in votes]
    if len(set(weights_K)) > 1:
        if not can_weigh(voter):
            raise PluginError(f"{owner}: {NO_WEIGHTS}")
        voter = partial(voter, weights_K=weights_K)
    rewards = guarded.run(owner, voter, [_row(one, run) for one in votes], rule.scale)
    return checked_rewards(rule.name, rewards, len(run))


def _row(judgment: Judgment, run: Run) -> list[float]:
    return [score for n in run if (score := judgment.scores[n]) is not None]


def _spread(rewards: Rewards, why: Mapping[int, str], case: Case) -> Settled:
    """Rewards for every response, duplicates included, and why some have none."""
    unscored = {n: why[copy] for n, copy in enumerate(case.copies) if copy not in rewards}
    return Settled(tuple(rewards.get(copy) for copy in case.copies), responses=unscored)
