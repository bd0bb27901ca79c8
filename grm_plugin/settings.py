"""Every setting of the judge and of the vote, with what it means."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from grm_plugin.options import Options, Part
from grm_plugin.prices import BudgetLimits, Prices
from grm_plugin.running.recorder import Durability
from grm_plugin.scalar import ScalarOptions
from grm_plugin.schedule import Schedule
from grm_plugin.size import MAX_K
from grm_plugin.watching.options import WatchOptions

DEFAULT = "default"


class ThinkingMarks(Options):
    """What of a judge's text is thinking.

    Args:
        marks: pairs of texts that open and close thinking, besides those that are known.
        closed: a text whose thinking is not closed is no answer.
    """

    marks: tuple[tuple[str, str], ...] = ()
    closed: bool = False


class Settings(Options):
    """What can be set; None follows the engine or is derived.

    ``docs/reference/config.md`` is made from this class.
    """

    engine: Part = Field(
        Part(name=DEFAULT),
        description="where the judge runs: `reference`, `transformers`, `vllm`, `server`, "
        "`litellm`, `replay`; `default` is chosen when the judge is made",
    )
    template: str | None = Field(None, description="name or file of the prompt; default `grm`")
    k: int = Field(8, ge=1, le=MAX_K, description="samples of the judge per group")
    schedule: Schedule | None = Field(
        None,
        description="k (and k_meta) that follow the training, by `step`, `saturation` or "
        "`reliability`; `k` holds everywhere else",
    )
    contract: Part | None = Field(
        None, description="how the judge answers; default: what the template says"
    )
    plan: Part | None = Field(
        None, description="which responses each call shows; default: from the contract"
    )
    thinking: ThinkingMarks = Field(
        ThinkingMarks(), description="what of a judge's text is thinking, and no answer"
    )
    shuffle: Literal["balanced", "independent"] = Field(
        "balanced", description="`balanced` shows every response in every place equally often"
    )
    nonce: bool = Field(
        False, description="a word of its own for each group in the delimiters of the prompt"
    )
    permutations: int | None = Field(
        None, ge=1, description="shuffles the k samples share; default k (every sample its own)"
    )
    temperature: float = Field(0.5, ge=0, le=5, description="0 is greedy")
    top_p: float = Field(1.0, gt=0, le=1, description="nucleus of each draw")
    max_tokens: int = Field(2048, ge=1, description="most tokens of one judgment")
    stop_texts: tuple[str, ...] = Field((), description="texts that end a judgment")
    seed: int = Field(0, description="decides shuffles and draws")
    vote: Part = Field(
        Part(name="mean"), description="`mean`, `sum`, `median`, `majority`, `borda`"
    )
    select: Part = Field(
        Part(name="all"),
        description="which judgments vote, and how much: `all`, `meta_rm`, `weights`; `rate`: all, "
        "each with its meta-score",
    )
    stop: Part = Field(
        Part(name="fixed"),
        description="when enough samples are drawn: `fixed` draws k, `ranking` as many of the k as "
        "settle who leads, `advantage` as many as GRPO's advantages need",
    )
    scalar: ScalarOptions | None = Field(
        None, description="a scalar RM beside the judge, in front of it, or alone"
    )
    min_valid: int | None = Field(
        None, ge=1, description="fewest valid samples for a reward; default half of k, rounded up"
    )
    find_culprits: int | None = Field(
        None,
        ge=0,
        description="most draws to find the response that breaks a group; default 3 N + 4",
    )
    evidence: tuple[Part, ...] = Field((), description="evidence sources to ask, by name")
    principles: Part | None = Field(None, description="where a group's principles come from")
    duplicates: str = Field(
        "merge", pattern="^(merge|keep)$", description="`merge` judges equal responses once"
    )
    over_context: Literal["refuse", "split"] = Field(
        "refuse",
        description="a group too long for the judge: `refuse` it by name or `split` it",
    )
    request_timeout_s: float = Field(
        120,
        gt=0,
        description="deadline of one request; "
        "a judge that is busy or away is waited for as long, from its last answer",
    )
    group_timeout_s: float = Field(
        600, gt=0, description="deadline of one group, from when the judge can take it"
    )
    batch_timeout_s: float = Field(1800, gt=0, description="deadline of one batch of groups")
    max_concurrent_samples: int = Field(256, ge=1, description="draws of the judge at a time")
    max_concurrent_groups: int = Field(64, ge=1, description="groups in flight at a time")
    tries: int = Field(
        4, ge=1, le=20, description="tries of a request on faults of a server that is there"
    )
    dead_groups: int = Field(
        8, ge=1, description="groups in a row without a reward after which the run stops, but"
    )
    dead_after_s: float = Field(
        300, ge=0, description="not before the judge was asked in vain for so long"
    )
    prices: Prices | None = Field(
        None,
        description="US dollars for a million tokens of the judge: `{prompt: 0.15, output: 0.6}`, "
        "and `cached` for those of a prompt that the server had cached; they hold before a cost "
        "that the server tells itself",
    )
    flops_per_token: float | None = Field(
        None,
        gt=0,
        description="FLOPs of the judge for a token that it reads or writes: twice its active "
        "parameters, such as 5.6e9 for 2.8 billion; a judge in this process is counted",
    )
    budget: BudgetLimits | None = Field(
        None,
        description="the most that a run spends on the judge, `{money: 5}` in US dollars, "
        "`{tokens: 1000000}` or `{flops: 1e18}`; it stops before one of them is passed",
    )
    watch: WatchOptions | None = Field(
        None,
        description="a control judge for a share of the groups, artefacts in the responses, and "
        "what an alarm does: `{control: {share: 0.25, judge: {k: 32}}, alarm: warn}`",
    )
    record: Path | None = Field(None, description="JSONL file for every verdict")
    durability: Durability = Field(
        "flush",
        description="what a recorded verdict survives: `flush` a kill, `fsync` a power cut, too, "
        "at some milliseconds a verdict",
    )
    adapters: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="options of trainers' adapters, by name: `trl: {...}`"
    )
