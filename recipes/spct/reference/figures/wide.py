"""Figures of one sample, greedy and vote@8: what each stage of the training buys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from grm_plugin.evaluation.resampling import Array
from grm_plugin.evaluation.scaling.measuring import Design, measure
from grm_plugin.evaluation.scaling.samples import Samples
from grm_plugin.evaluation.scaling.schemes import voting
from grm_plugin.evaluation.scaling.study import aligned
from recipes.spct.reference.figures.intervals import Figure, Slice

MEAN = voting("mean")
_WAYS = {"one sample": "one_G", "greedy": "greedy_G", "vote@8": "vote_G"}


@dataclass(frozen=True)
class Wide:
    """How often one judge is right in each group, 0..1.

    Args:
        one_G: one sample, the mean over all of the group.
        vote_G: all of them together.
        greedy_G: at temperature 0.
    """

    one_G: Array
    vote_G: Array
    greedy_G: Array

    @classmethod
    def of(cls, samples: Samples, greedy: Samples) -> Wide:
        """From K samples of each group and its greedy judgment."""
        k = samples.samples
        found = measure(samples, [MEAN], Design(ks=(1, k), orders=k))
        alone = measure(aligned(greedy, samples), [MEAN], Design(ks=(1,), orders=1))
        return cls(
            *(wins.random_G for wins in (found["mean", 1], found["mean", k], alone["mean", 1]))
        )

    def means(self) -> dict[str, float]:
        """By the way of asking."""
        return {name: float(getattr(self, way).mean()) for name, way in _WAYS.items()}


def stages(slice_: Slice, judges: Mapping[str, Wide], seeds: Sequence[int]) -> Iterator[Figure]:
    """What RFT and RL buy; the mean over the seeds, and each seed.

    Args:
        slice_: the groups.
        judges: base, and rft1, rl1, rft2 and so on.
        seeds: those that were trained.
    """
    base = dict.fromkeys(seeds, judges["base"])
    rft, rl = ({seed: judges[f"{kind}{seed}"] for seed in seeds} for kind in ("rft", "rl"))
    yield _over_seeds(slice_, "RFT - base, one sample", rft, base, "one_G", 0.0)
    yield _over_seeds(slice_, "RL - RFT, one sample", rl, rft, "one_G", 0.0)
    yield _over_seeds(slice_, "RL - base, one sample", rl, base, "one_G", 5.0)
    yield _over_seeds(slice_, "RL - RFT, greedy", rl, rft, "greedy_G", 0.0)
    yield _over_seeds(slice_, "RL - base, greedy", rl, base, "greedy_G", None)
    yield _over_seeds(slice_, "RL - base, vote@8", rl, base, "vote_G", None)


def votes(slice_: Slice, judges: Mapping[str, Wide]) -> Iterator[Figure]:
    """What eight samples buy with each judge, against one and against greedy."""
    for name, judge in judges.items():
        yield slice_.figure(f"{name}: vote@8 - one sample", judge.vote_G - judge.one_G)
        yield slice_.figure(f"{name}: vote@8 - greedy", judge.vote_G - judge.greedy_G)


def accuracies(slice_: Slice, judges: Mapping[str, Wide]) -> Iterator[Figure]:
    """One sample, greedy and vote@8 of each judge."""
    for name, judge in judges.items():
        for asked, way in _WAYS.items():
            yield slice_.figure(f"{name}: {asked}", getattr(judge, way))


def principles(slice_: Slice, with_: Wide, without: Wide) -> Iterator[Figure]:
    """What criteria are worth that the judge writes down before it criticises."""
    for name, way in _WAYS.items():
        gain_G = getattr(with_, way) - getattr(without, way)
        yield slice_.figure(f"with principles - without, {name}", gain_G)


def _over_seeds(
    slice_: Slice,
    name: str,
    after: Mapping[int, Wide],
    before: Mapping[int, Wide],
    way: str,
    least: float | None,
) -> Figure:
    gains = {
        f"seed {seed}": getattr(after[seed], way) - getattr(before[seed], way) for seed in after
    }
    return slice_.figure(name, np.mean(list(gains.values()), axis=0), seeds=gains, least=least)
