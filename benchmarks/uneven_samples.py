"""Does drawing more samples for some groups than for others serve a policy's training?

``python benchmarks/uneven_samples.py RECORDS...``: no model is asked. RECORDS are labelled verdicts
with 64 samples a group; samples come in random orders that keep balanced shuffles together. One
half of each order may be drawn, the other half is what the rewards should have been.

Every way of spreading samples is compared with as many samples for every group: how far centred
rewards (Dr. GRPO) and rewards centred and divided by their spread (GRPO) are off, how well the
latter correlate with what they should be, and how often the best response wins. The ways:

- ranking: the stopper of that name, for several values of its error
- noise: a batch shares a budget; each next pair of samples goes where it takes most variance off
  the centred rewards
- noise over spread: the same for rewards divided by their spread
- advantage: the stopper of that name, for several values of its worth: the same without a budget
- close lead: each next pair goes where another response is likeliest to lead in the end
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from machine import save

from grm_plugin.evaluation.resampling import Array, Resampling
from grm_plugin.evaluation.scaling import Samples, draw_orders
from grm_plugin.evaluation.scaling.early import first_within, lead_risks, worths_of_two
from grm_plugin.records import read_verdicts

CAP, FEWEST = 32, 4
ERRORS = (0.02, 0.05, 0.1, 0.2, 0.3, 0.4)
BUDGETS = (6, 8, 12, 16)
WORTHS = (0.1, 0.05, 0.02, 0.01, 0.005, 0.002)
_SPREAD = 1e-4  # as GRPO adds to the standard deviation of a group, in units of the reward
_PRIOR = 4.0  # points squared: the variance of a score before there are samples
_BEFORE = 2  # samples that it is worth


@dataclass(frozen=True)
class Half:
    """The samples of groups in one order: what may be drawn, and what should come out.

    Args:
        means_G_M_N: mean scores after 2, 4, ... samples.
        noise_G_M: estimated variance of a centred score of one sample, at the same places.
        risks_G_M: that another response leads at the cap; 0 there.
        worths_G_M: of two more samples to normalised advantages; 0 there.
        target_G_N: mean scores of the samples that may not be drawn.
        best_G: index of the best response.
    """

    means_G_M_N: Array
    noise_G_M: Array
    risks_G_M: Array
    worths_G_M: Array
    target_G_N: Array
    best_G: Array


def main() -> None:
    """Simulate and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("records", nargs="+", type=Path)
    parser.add_argument("--orders", type=int, default=64)
    parser.add_argument("--batch", type=int, default=32, help="groups that share a budget")
    options = parser.parse_args()
    verdicts = [one for path in options.records for one in read_verdicts(path)]
    result: dict[str, Any] = {"orders": options.orders, "batch": options.batch, "cap": CAP}
    for n in sorted({len(one.group.responses) for one in verdicts}):
        samples = Samples.of([one for one in verdicts if len(one.group.responses) == n])
        result[f"N = {n}"] = compared(samples, n, options.orders, options.batch)
    print("saved", save("uneven_samples", result, "numpy"))


def compared(samples: Samples, n: int, orders: int, batch: int) -> dict[str, Any]:
    """Every way against as many samples for every group, with intervals by group."""
    halves = list(in_halves(samples, draw_orders(samples.samples, orders, places=n)))
    groups = len(samples.groups)
    even = {m: measured(halves, lambda half, m=m: np.full(groups, m)) for m in range(2, CAP + 1, 2)}
    resampling = Resampling(groups)
    found: dict[str, Any] = {"groups": groups, "target noise": noise_of_target(halves)}
    for name, spread in ways(batch).items():
        mine = measured(halves, spread)
        row = {key: difference(resampling, mine, even, key) for key in MEASURES}
        found[name] = {"samples": round(float(mine["samples"].mean()), 2), **row}
        print(f"N = {n}", name, found[name], flush=True)
    return found


def in_halves(samples: Samples, orders_O_K: Array) -> Iterator[Half]:
    """Each order of the samples as a :class:`Half`."""
    values = (each(samples.scores_G_K_N, CAP, orders_O_K) for each in (lead_risks, worths_of_two))
    for order, risks, worths in zip(orders_O_K, *values, strict=True):
        scores = samples.scores_G_K_N[:, order]
        yield Half(
            *running(scores[:, :CAP]),
            *(np.pad(each, ((0, 0), (0, 1))) for each in (risks, worths)),
            np.nanmean(scores[:, CAP:], axis=1),
            samples.best_G,
        )


def running(scores_G_K_N: Array) -> tuple[Array, Array]:
    """Means and noise after 2, 4, ... samples; a dropped sample is in neither."""
    valid = ~np.isnan(scores_G_K_N).all(axis=2)
    scores = np.nan_to_num(scores_G_K_N)
    centred = scores - scores.mean(axis=2, keepdims=True)
    count = np.maximum(valid.cumsum(axis=1), 1)[..., None]
    means = scores.cumsum(axis=1) / count
    sums, squares = centred.cumsum(axis=1), (centred**2).cumsum(axis=1)
    deviations = (squares - sums**2 / count).mean(axis=2)
    noise = (deviations + _BEFORE * _PRIOR) / (count[..., 0] - 1 + _BEFORE)
    return means[:, 1::2], noise[:, 1::2]


Spread = Callable[[Half], Array]
"""How many samples each group gets: an even number, ``FEWEST`` to ``CAP``."""


def ways(batch: int) -> dict[str, Spread]:
    """Every way of spreading samples, by name."""
    found: dict[str, Spread] = {}
    for error in ERRORS:
        found[f"ranking, {error:g}"] = lambda half, e=error: ended(half.risks_G_M, e)
    gains = {"noise": noise, "noise over spread": noise_over_spread, "close lead": close_lead}
    for name, gain in gains.items():
        for mean in BUDGETS:
            found[f"{name}, {mean}"] = lambda half, g=gain, m=mean: shared(half, g, m, batch)
    for worth in WORTHS:
        found[f"advantage, {worth:g}"] = lambda half, w=worth: ended(half.worths_G_M, w)
    return found


def ended(values_G_M: Array, most: float) -> Array:
    """A stopper, by its risks or worths."""
    return np.asarray(first_within(values_G_M[None, :, :-1], most, CAP, FEWEST)[0])


Gain = Callable[[Half, Array], Array]
"""What the next pair of samples is worth to each group, at the place where it is now."""


def noise(half: Half, at_G: Array) -> Array:
    """By how much the next pair lowers the variance of the centred rewards."""
    drawn_G = 2.0 * (at_G + 1)
    noise_G = np.take_along_axis(half.noise_G_M, at_G[:, None], axis=1)[:, 0]
    return np.asarray(noise_G * (1 / drawn_G - 1 / (drawn_G + 2)))


def noise_over_spread(half: Half, at_G: Array) -> Array:
    """The same for rewards that are divided by their standard deviation."""
    means = np.take_along_axis(half.means_G_M_N, at_G[:, None, None], axis=1)[:, 0]
    return np.asarray(noise(half, at_G) / np.maximum(means.var(axis=1), 0.05))


def close_lead(half: Half, at_G: Array) -> Array:
    """How likely another response leads in the end, for each sample that is still to come."""
    risks = np.take_along_axis(half.risks_G_M, at_G[:, None], axis=1)[:, 0]
    return np.asarray(np.where(np.isinf(risks), 1.0, risks) / (CAP - 2.0 * at_G - 1))


def shared(half: Half, gain: Gain, mean: int, batch: int) -> Array:
    """Samples of each group when those of a batch share ``mean`` a group, pair by pair."""
    at_G = np.full(len(half.best_G), FEWEST // 2 - 1)
    for start in range(0, len(at_G), batch):
        of_batch = slice(start, start + batch)
        few = Half(*(getattr(half, name)[of_batch] for name in Half.__dataclass_fields__))
        at = at_G[of_batch]
        for _ in range(len(at) * (mean - FEWEST) // 2):
            worth = np.where(2 * (at + 1) < CAP, gain(few, at), -np.inf)
            at[worth.argmax()] += 1
    return 2 * (at_G + 1)


MEASURES = ("error of centred", "error of normalised", "correlation", "slope", "accuracy")


def measured(halves: Sequence[Half], spread: Spread) -> dict[str, Array]:
    """Of each group the mean over the orders.

    Errors are squared, in points for centred rewards. The slope is that of centred rewards over
    what they should be: above that of as many samples for every group they come out too wide.
    """
    rows = [of_half(half, spread(half)) for half in halves]
    return {key: np.mean([row[key] for row in rows], axis=0) for key in rows[0]}


def of_half(half: Half, drawn_G: Array) -> dict[str, Array]:
    """Of each group, with so many of its samples."""
    at = (drawn_G // 2 - 1)[:, None, None]
    found = centred(np.take_along_axis(half.means_G_M_N, at, axis=1)[:, 0])
    target = centred(half.target_G_N)
    normal, right = normalised(found), normalised(target)
    top = np.isclose(found, found.max(axis=1, keepdims=True), atol=1e-9)
    wins = np.take_along_axis(top, half.best_G[:, None], axis=1)[:, 0] / top.sum(axis=1)
    return {
        "samples": drawn_G,
        "error of centred": ((found - target) ** 2).mean(axis=1),
        "error of normalised": ((normal - right) ** 2).mean(axis=1),
        "correlation": (normal * right).mean(axis=1),
        "slope": (found * target).mean(axis=1) / (target**2).mean(),
        "accuracy": wins,
    }


def centred(means_G_N: Array) -> Array:
    """Less the mean of the group."""
    return np.asarray(means_G_N - means_G_N.mean(axis=1, keepdims=True))


def normalised(centred_G_N: Array) -> Array:
    """Divided by the standard deviation of the group; the same for all where all are equal."""
    return np.asarray(centred_G_N / (centred_G_N.std(axis=1, keepdims=True) + 9 * _SPREAD))


def noise_of_target(halves: Sequence[Half]) -> float:
    """How much of the error of centred rewards is that of what they are compared with."""
    return round(float(np.mean([half.noise_G_M[:, -1].mean() / CAP for half in halves])), 4)


def difference(
    resampling: Resampling, mine: dict[str, Array], even: dict[int, dict[str, Array]], key: str
) -> list[float]:
    """The value, that of as many samples for every group, and the difference with its interval."""
    drawn = float(mine["samples"].mean())
    low = min(2 * math.floor(drawn / 2), CAP - 2)
    share = (drawn - low) / 2
    uniform = (1 - share) * even[low][key] + share * even[low + 2][key]
    found = resampling.difference(mine[key], uniform)
    values = (mine[key].mean(), uniform.mean(), found.value, found.low, found.high)
    return [round(float(value), 4) for value in values]


if __name__ == "__main__":
    main()
