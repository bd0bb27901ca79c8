"""The metrics of a judge in a trainer's log: one table of names, which also counts them.

Every call of :func:`numbers` gives the same names. A number that does not exist, such as the mean
reward when no group was scored, is NaN; what a trainer gets in its place is for its adapter to say.
"""

from __future__ import annotations

import math
from functools import partial

from grm_plugin.hosts import scalar_metrics
from grm_plugin.hosts.counting import Tally, share
from grm_plugin.hosts.described import ANY, SHARE, metric
from grm_plugin.types import Reason


def numbers(tally: Tally) -> dict[str, float]:
    """The number of every metric.

    Args:
        tally: of all groups of a call, with the rewards that the trainer gets.
    """
    return {one.described.name: float(one.of(tally)) for one in METRICS}


def _dropped(reason: Reason, tally: Tally) -> float:
    return share(tally.dropped[reason], tally.samples)


def _money(tally: Tally) -> float:
    return math.nan if tally.cost.money is None else tally.cost.money


def _flops(tally: Tally) -> float:
    return math.nan if tally.cost.flops is None else tally.cost.flops


METRICS = (
    metric(
        "reward_mean",
        "reward",
        "0 to 1, unless `vote: sum`",
        "mean of the responses that have a reward",
        lambda tally: tally.mean_reward,
    ),
    metric(
        "reward_spread",
        "reward",
        ANY,
        "standard deviation within a group, mean over groups with two rewards or more; at 0 a "
        "group teaches nothing",
        lambda tally: tally.mean_spread,
    ),
    metric(
        "vote_spread",
        "points",
        ANY,
        "standard deviation of the votes on a response, mean over responses: how far the samples "
        "of the judge disagree",
        lambda tally: tally.vote_spread.value,
    ),
    metric(
        "reliability",
        "",
        "at most 1",
        "share of a single vote's variance that lies between the responses of a group, not between "
        "the samples of the judge; a `schedule` may go by it, and single samples do not tell it",
        lambda tally: tally.vote_variance.reliability,
    ),
    metric(
        "tie_rate",
        "",
        SHARE,
        "share of groups in which responses share the highest reward, of those with two rewards "
        "or more",
        lambda tally: tally.tie_rate,
    ),
    metric(
        "length_correlation",
        "",
        "-1 to 1",
        "correlation of a response's length (logarithm of its characters) and its reward within "
        "groups; far above 0 the policy may learn to be long",
        lambda tally: tally.lengths.value,
    ),
    metric(
        "unscored_rate",
        "",
        SHARE,
        "share of groups without a reward",
        lambda tally: tally.unscored_rate,
    ),
    metric(
        "unscored_response_rate",
        "",
        SHARE,
        "share of the responses of scored groups that alone have no reward",
        lambda tally: share(tally.left_out, tally.left_out + tally.rewards.count),
    ),
    metric(
        "valid_rate",
        "",
        SHARE,
        "share of the judge's samples that could be read",
        lambda tally: tally.valid_rate,
    ),
    *(
        metric(
            f"dropped_{reason}",
            "",
            SHARE,
            f"share of the samples that were dropped as `{reason}`",
            partial(_dropped, reason),
        )
        for reason in Reason
    ),
    metric(
        "place_gap",
        "points",
        ANY,
        "between the places in the prompt with the highest and the lowest mean score; chance "
        "alone opens a gap, the wider the fewer the judgments",
        lambda tally: tally.places.gap,
    ),
    metric(
        "place_first",
        "points",
        "any",
        "how far the first place lies above the mean of all places; chance pushes it both ways",
        lambda tally: tally.places.first,
    ),
    metric(
        "k",
        "samples",
        "1 or more",
        "samples that were asked for a group; it follows the `schedule`, if there is one",
        lambda tally: tally.asked.value,
    ),
    metric(
        "k_drawn",
        "samples",
        "1 or more",
        "samples of a group that were drawn, in each of its runs; mean over the groups that were "
        "judged at all",
        lambda tally: tally.drawn.value,
    ),
    metric(
        "early_rate",
        "",
        SHARE,
        "share of the judged groups for which a stopper had enough samples before k",
        lambda tally: share(tally.early, tally.judged),
    ),
    metric(
        "selected_rate",
        "",
        SHARE,
        "share of the judgments that were selected to vote",
        lambda tally: share(tally.selected, tally.valid),
    ),
    *scalar_metrics.METRICS,
    metric(
        "control_rate",
        "",
        SHARE,
        "share of groups that the control judge of `watch` gave rewards as well",
        lambda tally: share(tally.controlled, tally.groups),
    ),
    metric(
        "control_failed_rate",
        "",
        SHARE,
        "share of the groups about which the control judge was asked, and gave nothing",
        lambda tally: share(tally.uncontrolled, tally.controlled + tally.uncontrolled),
    ),
    metric(
        "control_correlation",
        "",
        "-1 to 1",
        "correlation of a response's reward and that of the control judge within groups; where "
        "it falls to 0 the policy learns what only its judge likes",
        lambda tally: tally.control.value,
    ),
    metric(
        "tokens_in", "tokens", ANY, "that the judge read", lambda tally: tally.cost.prompt_tokens
    ),
    metric(
        "tokens_out",
        "tokens",
        ANY,
        "that the judge wrote",
        lambda tally: tally.cost.output_tokens,
    ),
    metric(
        "cache_hit_rate",
        "",
        SHARE,
        "share of the prompt tokens that the judge's server had cached, where it tells that; "
        "vLLM does with `--enable-prompt-tokens-details`",
        lambda tally: tally.cached.value,
    ),
    metric(
        "flops",
        "FLOPs",
        ANY,
        "of the judge, twice its active parameters for each token that it read or wrote, and of "
        "other models whose size is known; see `flops_per_token`",
        _flops,
    ),
    metric("money", "US dollars", ANY, "what the samples cost whose price is known", _money),
    metric(
        "unpriced_rate",
        "",
        SHARE,
        "share of the samples whose price is not known, so that `money` is the least",
        lambda tally: min(share(tally.cost.unpriced, tally.samples), 1.0),
    ),
)
