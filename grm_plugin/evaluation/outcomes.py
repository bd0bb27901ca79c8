"""Whether a judge's rewards pick a right response, and what that counts. Pure functions.

Every judged group has exactly one outcome. What a tie counts is asked for by name and told wherever
a number is; what has no reward counts 0 and is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Literal

from grm_plugin.evaluation.truth import Best, Correct, Ratings, Truth

Ties = Literal["strict", "half", "random"]
"""What a tie at the top counts: 0; 1 / 2; or the share of right ones among the tied, which is what
breaking it at random comes to."""
MIDDLE = 0.5
"""Of rewards, 0..1: a single response above it is taken for right."""


class Outcome(StrEnum):
    """What a judged group came to."""

    RIGHT = "right"
    WRONG = "wrong"
    TIE = "tie"
    UNSCORED = "unscored"


def outcome(rewards_N: Sequence[float | None] | None, truth: Truth) -> Outcome | None:
    """Whether the response with the highest reward is a right one.

    A single response is right or wrong by the side of the middle of the scale, 0.5, that its reward
    is on.

    Args:
        rewards_N: of one group, 0..1; None for a response without one, or for the whole group. A
            response without a reward could have had any, so that its group is unscored.
        truth: what is known of the group.

    Returns:
        None of a group with ratings, which are compared by their correlation.

    >>> outcome((0.2, 0.9), Best((1,))), outcome((0.5, 0.5), Best((1,))), outcome(None, Best((0,)))
    (<Outcome.RIGHT: 'right'>, <Outcome.TIE: 'tie'>, <Outcome.UNSCORED: 'unscored'>)
    """
    rewards = _whole(rewards_N)
    if rewards is None:
        return Outcome.UNSCORED
    if isinstance(truth, Ratings):
        return None
    share = _share_of_right(rewards, truth)
    return {0.0: Outcome.WRONG, 1.0: Outcome.RIGHT}.get(share, Outcome.TIE)


def credit(rewards_N: Sequence[float | None] | None, truth: Truth, ties: Ties) -> float:
    """What :func:`outcome` counts, 0..1: right 1, wrong and unscored 0, a tie what ``ties`` says.

    Raises:
        TypeError: the truth are ratings.

    >>> [credit((1, 1, 1, 0), Best((0,)), ties) for ties in ("strict", "half", "random")]
    [0.0, 0.5, 0.3333333333333333]
    """
    if isinstance(truth, Ratings):
        raise TypeError("ratings have no credit; compare them by correlation")
    rewards = _whole(rewards_N)
    share = 0.0 if rewards is None else _share_of_right(rewards, truth)
    tied = 0 < share < 1
    return {"strict": 0.0, "half": 0.5, "random": share}[ties] if tied else share


def credit_of(outcome: Outcome | None, ties: Ties) -> float:
    """The same of an outcome by another rule, of which a tie is between two.

    >>> [credit_of(Outcome.TIE, ties) for ties in ("strict", "half", "random")]
    [0.0, 0.5, 0.5]
    """
    tied = 0.0 if ties == "strict" else 0.5
    return {Outcome.RIGHT: 1.0, Outcome.TIE: tied}.get(outcome, 0.0) if outcome else 0.0


def _whole(rewards_N: Sequence[float | None] | None) -> list[float] | None:
    """Rewards of all responses; None where one or all are missing."""
    known = [reward for reward in rewards_N or () if reward is not None]
    return known if rewards_N and len(known) == len(rewards_N) else None


def _share_of_right(rewards_N: Sequence[float], truth: Best | Correct) -> float:
    """How many of those with the highest reward are right ones, 0..1."""
    if len(rewards_N) == 1:
        return _side(rewards_N[0], truth)
    highest = max(rewards_N)
    top = [index for index, reward in enumerate(rewards_N) if reward == highest]
    return sum(_is_right(index, truth) for index in top) / len(top)


def _is_right(index: int, truth: Best | Correct) -> bool:
    return index in truth.indices if isinstance(truth, Best) else truth.labels_N[index] == 1


def _side(reward: float, truth: Best | Correct) -> float:
    if reward == MIDDLE:
        return 0.5
    return float((reward > MIDDLE) == _is_right(0, truth))
