"""Outputs of the host's executor with as little weight in a policy update as the host allows.

An update averages over the tokens that a policy wrote. The host divides by their number, also
within a response, so that none at all would make its metrics NaN, and where nothing was scored
the whole update. So one token stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def without_weight(output: Mapping[str, Any], max_length: int) -> dict[str, Any]:
    """``output`` as if the policy had written one token: the last of its prompt.

    That is none that it ever writes by itself, so whatever the update makes of it, no response
    becomes more or less likely. The output also counts as finished, since the host's penalties on
    length would make a difference where there is no reward.

    Args:
        output: of the host's executor.
        max_length: tokens of prompt and response that the host trains on.
    """
    ranges = [(start, min(end, max_length)) for start, end in output["action_ranges"]]
    starts = [start for start, end in ranges if start < end]
    if not starts:
        return dict(output)
    kept = max(1, starts[0] - 1)  # nothing predicts the first token of all
    return {**output, "action_ranges": [(kept, kept + 1)], "truncated": False}


def left_out(responses: int, mean: float, best: float) -> tuple[float, ...]:
    """Numbers for a group that change neither of the two means that an evaluation reports.

    The host knows no group without a reward. It reports the mean over groups of their mean reward
    (``pass1``) and of their best (``pass4`` where each has four responses).

    Args:
        responses: of the group.
        mean: what the first is over the other groups; NaN when they have no reward either.
        best: what the second is.

    >>> left_out(3, mean=0.5, best=0.75)
    (0.75, 0.375, 0.375)
    """
    if responses == 1:
        return (mean,)
    return (best,) + ((responses * mean - best) / (responses - 1),) * (responses - 1)
