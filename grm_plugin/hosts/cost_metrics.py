"""The metrics of what judging costs: tokens, FLOPs and money."""

from __future__ import annotations

import math

from grm_plugin.hosts.counting import Tally, share
from grm_plugin.hosts.described import ANY, SHARE, metric


def _money(tally: Tally) -> float:
    return math.nan if tally.cost.money is None else tally.cost.money


def _flops(tally: Tally) -> float:
    return math.nan if tally.cost.flops is None else tally.cost.flops


COSTS = (
    metric(
        "tokens_in",
        "tokens",
        ANY,
        "that the judge read",
        lambda tally: tally.cost.prompt_tokens,
        in_a_group="",
    ),
    metric(
        "tokens_out",
        "tokens",
        ANY,
        "that the judge wrote",
        lambda tally: tally.cost.output_tokens,
        in_a_group="",
    ),
    metric(
        "cache_hit_rate",
        "",
        SHARE,
        "share of the prompt tokens that the judge's server had cached, where it tells that; "
        "vLLM does with `--enable-prompt-tokens-details`",
        lambda tally: tally.cached.value,
        in_a_group="0 where it does not",
    ),
    metric(
        "flops",
        "FLOPs",
        ANY,
        "of the judge, twice its active parameters for each token that it read or wrote, and of "
        "all other models that were asked; unknown where one's size is; see `flops_per_token`",
        _flops,
        in_a_group="0 where a size is not known",
    ),
    metric(
        "money",
        "US dollars",
        ANY,
        "what the samples cost whose price is known",
        _money,
        in_a_group="0 where none is known",
    ),
    metric(
        "unpriced_rate",
        "",
        SHARE,
        "share of the samples whose price is not known, so that `money` is the least",
        lambda tally: min(share(tally.cost.unpriced, tally.samples), 1.0),
        in_a_group="0 where nothing was judged",
    ),
)
