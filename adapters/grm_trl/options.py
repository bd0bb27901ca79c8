"""The adapter's own options; everything else a reward is given belongs to the judge."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from grm_plugin.hosts.messages import Thinking, UnseenParts
from grm_plugin.options import Options


class Columns(Options):
    """Dataset columns that say more about a row; None leaves that part out.

    Args:
        reference: a known good answer (text).
        principles: a principle, or a list of them.
        evidence: facts about this completion (text).
        id: how records and messages name the group (text or number).
        metadata: columns kept with the verdict, which the judge does not see; of a group's first
            completion.
    """

    reference: str | None = None
    principles: str | None = None
    evidence: str | None = None
    id: str | None = None
    metadata: tuple[str, ...] = ()


class TRLOptions(Options):
    """Keywords of :class:`grm_trl.GRMReward`, or the section ``adapters: {trl: ...}`` in YAML."""

    name: str = Field("grm", min_length=1, description="prefix of TRL's metrics and columns")
    groups: Literal["gather", "check", "local"] = Field(
        "gather", description="groups split over ranks: make them whole, refuse, or do not look"
    )
    num_generations: int | None = Field(
        None, ge=1, description="responses per prompt; default: what the trainer says, if it does"
    )
    thinking: Thinking = Field(
        "drop",
        description="thinking that opens a completion: not shown, must be `closed`, or `keep`",
    )
    unseen: UnseenParts = Field(
        "refuse", description="parts that the judge can not see, such as images: or `tell` of them"
    )
    columns: Columns = Field(Columns(), description="dataset columns the judge sees")
    table: tuple[Literal["critique", "place", "votes", "principles"], ...] = Field(
        ("critique", "place", "votes"),
        description="columns beside each completion in TRL's table: what the judgment nearest to "
        "the mean says of it, at which place that saw it, its votes, the principles",
    )
    truth: str | None = Field(
        None,
        description="import path of a function with the arguments of a reward, which knows how "
        "good each completion is; kept with verdicts, never shown to the judge and never rewarded",
    )
    page: Path | None = Field(
        None,
        description="HTML file about the run, written from `record` at its end, and a PNG beside",
    )
    round_to: float | None = Field(
        None, gt=0, description="step that rewards are rounded to, so that equal quality ties"
    )
    unscored: Literal["abstain", "stop"] = Field(
        "abstain", description="a group without a verdict: no reward (None), or end the run"
    )
    others: Literal["abstain", "train"] = Field(
        "abstain", description="other rewards, for completions without a reward of the judge"
    )
