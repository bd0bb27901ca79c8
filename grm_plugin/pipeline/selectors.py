"""The built-in selectors: all vote, rated or not, the best by a meta RM, or each by a weight."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import Field, model_validator

from grm_plugin.engine import Limits
from grm_plugin.hookspecs import Register, hookimpl
from grm_plugin.options import Options, read_options
from grm_plugin.pipeline.rating import Rater, RatingOptions
from grm_plugin.pipeline.selecting import Selection, SelectorFactory, keep_best, meta_score
from grm_plugin.pipeline.weighing import Weighing, margin_of, read_weighing, weights
from grm_plugin.size import Size
from grm_plugin.types import Failure, Group, Judgment, Sample


class SelectAll:
    """Every valid judgment votes."""

    def __init__(self, options: Mapping[str, Any], limits: Limits) -> None:
        read_options(Options, "selector 'all'", options)

    async def start(self) -> None: ...

    async def select(self, group: Group, judgments: Sequence[Judgment], size: Size) -> Selection:
        return Selection(tuple(judgments))

    async def close(self) -> None: ...


class _Rating:
    """What selectors with a meta RM have in common: its life, and what it costs."""

    def __init__(self, options: RatingOptions, owner: str) -> None:
        self._rater = Rater(options, owner)
        self.prices = options.prices
        self.start_limit_s = self._rater.start_limit_s

    @property
    def flops_per_token(self) -> float | None:
        """As :attr:`grm_plugin.pipeline.rating.Rater.flops_per_token`."""
        return self._rater.flops_per_token

    async def start(self) -> None:
        await self._rater.start()

    async def close(self) -> None:
        await self._rater.close()

    def abandon(self) -> None:
        """As :meth:`grm_plugin.pipeline.rating.Rater.abandon`."""
        self._rater.abandon()


class Rate(_Rating):
    """Every judgment votes, and the meta RM rates each: for studies of how it could choose.

    One that it can not rate votes all the same, without a meta-score. Where it can rate none of a
    group it is taken to be away: all are dropped and counted as ``meta``.
    """

    def __init__(self, options: Mapping[str, Any], limits: Limits) -> None:
        super().__init__(read_options(RatingOptions, "selector 'rate'", options), "selector 'rate'")

    async def select(self, group: Group, judgments: Sequence[Judgment], size: Size) -> Selection:
        rated = await self._rater.rated(group, judgments)
        valid, failures = _parted(rated.samples)
        if not valid:
            return Selection((), failures, rated.tokens)
        pairs = zip(judgments, rated.samples, strict=True)
        found = tuple(_with_score(one, answer) for one, answer in pairs)
        return Selection(found, tokens=rated.tokens)


class MetaRMOptions(RatingOptions):
    """How the meta RM is asked, and how many judgments it lets vote.

    Args:
        k_meta: how many judgments vote; None is half of k, at least 1. A size that names its own
            `k_meta`, as a schedule's may, goes before.
    """

    k_meta: int | None = Field(None, ge=1)


class MetaRM(_Rating):
    """The meta RM as a selector: it reads query, responses and critique, and rates the judgment.

    The best ``k_meta`` judgments vote (section 4 of arXiv:2504.02495). A judgment it can not rate
    is dropped and counted as ``meta``. One that has a meta-score on record is not rated again.
    """

    def __init__(self, options: Mapping[str, Any], limits: Limits) -> None:
        read = read_options(MetaRMOptions, "selector 'meta_rm'", options)
        super().__init__(read, "selector 'meta_rm'")
        self._k_meta = read.k_meta

    async def select(self, group: Group, judgments: Sequence[Judgment], size: Size) -> Selection:
        rated = await self._rater.rated(group, judgments)
        valid, failures = _parted(rated.samples)
        k_meta = size.k_meta or self._k_meta or max(1, size.k // 2)
        return Selection(keep_best(valid, k_meta), failures, rated.tokens)


class WeightsOptions(RatingOptions):
    """How much each judgment counts, and how the meta RM is asked where that needs its score.

    Args:
        file: coefficients as ``grm train weights`` writes them.
        coefficients: the same in place of a file, such as ``{meta: 0.8, margin: 0.1}``.
    """

    file: Path | None = None
    coefficients: Weighing | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> WeightsOptions:
        if (self.file is None) == (self.coefficients is None):
            raise ValueError(
                "expected one of file (what `grm train weights` wrote) and coefficients, "
                f"got {'neither' if self.file is None else 'both'}"
            )
        return self


class Weigh(_Rating):
    """Every judgment votes with a weight of its own: soft weights in place of a choice.

    Without a coefficient for the meta-score no meta RM is asked. Weights are at most 1 and relative
    to the heaviest of the group.
    """

    weighs = True

    def __init__(self, options: Mapping[str, Any], limits: Limits) -> None:
        read = read_options(WeightsOptions, "selector 'weights'", options)
        self._weighing = read.coefficients or read_weighing(read.file or Path())
        if not self._weighing.meta:
            read = read.model_copy(update={"classifier": None, "prices": None})
        super().__init__(read, "selector 'weights'")
        self.origin = {"weights": self._weighing.model_dump()}

    async def select(self, group: Group, judgments: Sequence[Judgment], size: Size) -> Selection:
        if not self._weighing.meta:
            return Selection(weighed(judgments, self._weighing))
        rated = await self._rater.rated(group, judgments)
        valid, failures = _parted(rated.samples)
        return Selection(weighed(valid, self._weighing), failures, rated.tokens)


def weighed(judgments: Sequence[Judgment], weighing: Weighing) -> tuple[Judgment, ...]:
    """The judgments of one group with their weights; one of weight 0 does not vote.

    Args:
        judgments: with meta-scores, where the weighing has a coefficient for them.
        weighing: how much each counts.

    Raises:
        ValueError: a meta-score that is needed is missing.
    """
    if not judgments:
        return ()
    meta_K = [meta_score(one) if weighing.meta else 0.0 for one in judgments]
    found = weights(meta_K, [margin_of(one) for one in judgments], weighing)
    return tuple(
        replace(one, weight=weight, voted=weight > 0)
        for one, weight in zip(judgments, found, strict=True)
    )


def _with_score(judgment: Judgment, answer: Sample) -> Judgment:
    """As rated; what an attempt cost that gave no score is kept."""
    if isinstance(answer, Judgment):
        return answer
    return replace(judgment, money=answer.money)


def _parted(samples: Sequence[Sample]) -> tuple[tuple[Judgment, ...], tuple[Failure, ...]]:
    return (
        tuple(one for one in samples if isinstance(one, Judgment)),
        tuple(one for one in samples if isinstance(one, Failure)),
    )


@hookimpl
def grm_register_selectors(register: Register[SelectorFactory]) -> None:
    """Offer the built-in selectors."""
    register("all", SelectAll)
    register("meta_rm", MetaRM)
    register("rate", Rate)
    register("weights", Weigh)
