"""What can be set of a scalar RM: where it runs, what it is for, and what it reads."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from grm_plugin.options import Options, Part
from grm_plugin.prices import PromptPrices

WEIGHT = 4.0
"""Samples of the judge that a scalar RM counts as where it votes."""


class ScalarOptions(Options):
    """A scalar RM beside the judge, in front of it, or alone.

    Args:
        classifier: where it runs, such as ``{name: transformers, model: ...}``; a replay of records
            that hold scalar scores needs none.
        use: ``vote`` adds its vote to those of the judge, ``cascade`` asks the judge only about
            groups of whose order it is not sure, ``alone`` asks no judge at all.
        weight: samples of the judge that its vote counts as; default 4, and 0 in a cascade.
        sure: sureness of a group, 0.5..1, from which on a cascade takes its rewards; 1 judges every
            group.
        audit: share of those groups that are judged all the same; where the judge does not agree,
            `sure` is raised.
        judge_accuracy: share of pairs, above 0.5, on which the judge itself is right, as far as
            `center` and `spread` go by labels: a scalar RM that is right agrees with it no more
            often than that. Default: 1, the judge is what the scalar RM is held to.
        center: of its logits, where its vote is one half; default: what `scalar.json` beside the
            weights says, else 0.
        spread: what a logit is divided by; default: as for `center`, else 1.
        raw: with ``use: alone``: rewards are the logits as they are.
        template: a file of what it reads; default: the one beside its weights, as `grm train
            scalar --template` keeps it, else the model's own chat template, filled with the prompt
            and one response.
        prices: what it costs, ``{prompt: 0.1}`` in US dollars for a million tokens.
        flops_per_token: FLOPs for a token that it reads, twice its active parameters; one in this
            process is counted.
    """

    classifier: Part | None = None
    use: Literal["vote", "cascade", "alone"] = "vote"
    weight: float | None = Field(None, ge=0, le=1e6)
    sure: float = Field(0.8, ge=0.5, le=1)
    audit: float = Field(0.05, ge=0, le=1)
    judge_accuracy: float = Field(1.0, gt=0.5, le=1)
    center: float | None = None
    spread: float | None = Field(None, gt=0)
    raw: bool = False
    template: str | None = None
    prices: PromptPrices | None = None
    flops_per_token: float | None = Field(None, gt=0)

    @property
    def votes_as(self) -> float:
        """Samples of the judge that its vote counts as, in groups that are judged."""
        if self.weight is None:
            return WEIGHT if self.use == "vote" else 0.0
        return self.weight

    @property
    def alone(self) -> bool:
        """Whether it decides every group, so that no judge is asked."""
        return self.use == "alone"

    @model_validator(mode="after")
    def _fits_its_use(self) -> ScalarOptions:
        if self.use == "cascade" and not self.audit:
            raise ValueError(
                "audit: expected a share above 0 with use: cascade, got 0; a scalar RM that a "
                "policy has learned to please is sure and wrong, and only audits notice"
            )
        if self.use == "vote" and self.weight == 0:
            raise ValueError(
                "weight: expected more than 0 with use: vote, got 0, which is no vote; leave "
                "scalar out, or set use: cascade"
            )
        if self.raw and not self.alone:
            raise ValueError(
                f"raw: expected it with use: alone only, got use: {self.use}; logits and votes of "
                "the judge can not be added"
            )
        return self
