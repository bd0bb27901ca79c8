"""What two samples have to be worth so that groups get so many on average. Needs numpy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from grm_plugin.errors import InputError
from grm_plugin.evaluation.resampling import Array
from grm_plugin.evaluation.scaling import Samples, draw_orders
from grm_plugin.evaluation.scaling.early import first_within, worths_of_two
from grm_plugin.spct.threshold import Trial, are_balanced
from grm_plugin.types import Verdict

_WORTHS = np.geomspace(1e-5, 10, 400)


@dataclass(frozen=True)
class Worth:
    """An option ``worth`` of the stopper ``advantage``.

    Args:
        worth: the option.
        samples: drawn of a group on average.
        most_share: share of the groups that get all k, 0..1.
    """

    worth: float
    samples: float
    most_share: float


def worth_of(verdicts: Sequence[Verdict], trial: Trial, mean: float) -> Worth:
    """The smallest worth with which groups get ``mean`` samples on average, or fewer.

    Args:
        verdicts: with k samples or more of each group; labels are not needed.
        trial: how samples are drawn.
        mean: samples of a group that the budget allows.

    Raises:
        InputError: groups have too few samples, or no worth draws so few.
    """
    worths = list(_worths(verdicts, trial))
    for worth in _WORTHS:
        ends = [first_within(each, worth, trial.k, trial.min_samples) for each in worths]
        drawn_G = np.concatenate([each.mean(axis=0) for each in ends])
        if drawn_G.mean() <= mean:
            most = np.concatenate([(each == trial.k).mean(axis=0) for each in ends])
            return Worth(round(float(worth), 5), float(drawn_G.mean()), float(most.mean()))
    raise InputError(
        f"mean: expected more than {trial.min_samples} samples, the fewest of a group, got {mean:g}"
    )


def _worths(verdicts: Sequence[Verdict], trial: Trial) -> Iterator[Array]:
    """``worths_O_G_R`` of the groups of each N."""
    width = trial.scale.high - trial.scale.low
    for n in sorted({len(one.group.responses) for one in verdicts}):
        samples = Samples.of(
            [_unlabelled(one) for one in verdicts if len(one.group.responses) == n], k=trial.k
        )
        places = n if are_balanced(verdicts) else 1
        orders = draw_orders(trial.k, trial.orders, places=places, seed=trial.seed)
        found = worths_of_two(samples.scores_G_K_N, trial.k, orders, width=width)
        yield np.where(samples.sizes_G[:, None] > 1, found, np.inf)


def _unlabelled(verdict: Verdict) -> Verdict:
    """With some label: none is looked at."""
    known = {"best": 0} if len(verdict.group.responses) > 1 else {"correct": 0}
    return replace(verdict, group=replace(verdict.group, metadata=known))
