"""The metrics of a judge in a trainer's log: one table of names, which also counts them.

Every call of :func:`numbers` gives the same names. A number that does not exist, such as the mean
reward when no group was scored, is NaN; what a trainer gets in its place is for its adapter to say.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from grm_plugin.hosts.counting import Tally, share
from grm_plugin.types import Reason


class Described(NamedTuple):
    """A number that a trainer logs.

    Args:
        name: after the prefix of the judge, ``grm/`` unless it was given another.
        unit: of the number; empty for a share or a correlation.
        range: what it can be.
        meaning: of what, over what.
    """

    name: str
    unit: str
    range: str
    meaning: str


class Metric(NamedTuple):
    """A number that is counted from verdicts, and how."""

    described: Described
    of: Callable[[Tally], float]


def numbers(tally: Tally) -> dict[str, float]:
    """The number of every metric.

    Args:
        tally: of all groups of a call, with the rewards that the trainer gets.
    """
    return {metric.described.name: float(metric.of(tally)) for metric in METRICS}


def _dropped(reason: Reason, tally: Tally) -> float:
    return share(tally.dropped[reason], tally.samples)


def _money(tally: Tally) -> float:
    return math.nan if tally.cost.money is None else tally.cost.money


def _flops(tally: Tally) -> float:
    return math.nan if tally.cost.flops is None else tally.cost.flops


def _metric(
    name: str, unit: str, range_: str, meaning: str, of: Callable[[Tally], float]
) -> Metric:
    return Metric(Described(name, unit, range_, meaning), of)


_SHARE = "0 to 1"
_ANY = "0 or more"
METRICS = (
    _metric(
        "reward_mean",
        "reward",
        "0 to 1, unless `vote: sum`",
        "mean of the responses that have a reward",
        lambda tally: tally.mean_reward,
    ),
    _metric(
        "reward_spread",
        "reward",
        _ANY,
        "standard deviation within a group, mean over groups with two rewards or more; at 0 a "
        "group teaches nothing",
        lambda tally: tally.mean_spread,
    ),
    _metric(
        "vote_spread",
        "points",
        _ANY,
        "standard deviation of the votes on a response, mean over responses: how far the samples "
        "of the judge disagree",
        lambda tally: tally.vote_spread.value,
    ),
    _metric(
        "reliability",
        "",
        "at most 1",
        "share of a single vote's variance that lies between the responses of a group, not between "
        "the samples of the judge; a `schedule` may go by it, and single samples do not tell it",
        lambda tally: tally.vote_variance.reliability,
    ),
    _metric(
        "tie_rate",
        "",
        _SHARE,
        "share of groups in which responses share the highest reward, of those with two rewards "
        "or more",
        lambda tally: tally.tie_rate,
    ),
    _metric(
        "length_correlation",
        "",
        "-1 to 1",
        "correlation of a response's length (logarithm of its characters) and its reward within "
        "groups; far above 0 the policy may learn to be long",
        lambda tally: tally.lengths.value,
    ),
    _metric(
        "unscored_rate",
        "",
        _SHARE,
        "share of groups without a reward",
        lambda tally: tally.unscored_rate,
    ),
    _metric(
        "unscored_response_rate",
        "",
        _SHARE,
        "share of the responses of scored groups that alone have no reward",
        lambda tally: share(tally.left_out, tally.left_out + tally.rewards.count),
    ),
    _metric(
        "valid_rate",
        "",
        _SHARE,
        "share of the judge's samples that could be read",
        lambda tally: tally.valid_rate,
    ),
    *(
        _metric(
            f"dropped_{reason}",
            "",
            _SHARE,
            f"share of the samples that were dropped as `{reason}`",
            partial(_dropped, reason),
        )
        for reason in Reason
    ),
    _metric(
        "place_gap",
        "points",
        _ANY,
        "between the places in the prompt with the highest and the lowest mean score; chance "
        "alone opens a gap, the wider the fewer the judgments",
        lambda tally: tally.places.gap,
    ),
    _metric(
        "place_first",
        "points",
        "any",
        "how far the first place lies above the mean of all places; chance pushes it both ways",
        lambda tally: tally.places.first,
    ),
    _metric(
        "k",
        "samples",
        "1 or more",
        "samples that were asked for a group; it follows the `schedule`, if there is one",
        lambda tally: tally.asked.value,
    ),
    _metric(
        "k_drawn",
        "samples",
        "1 or more",
        "samples of a group that were drawn, in each of its runs; mean over the groups that were "
        "judged at all",
        lambda tally: tally.drawn.value,
    ),
    _metric(
        "early_rate",
        "",
        _SHARE,
        "share of the judged groups for which a stopper had enough samples before k",
        lambda tally: share(tally.early, tally.judged),
    ),
    _metric(
        "selected_rate",
        "",
        _SHARE,
        "share of the judgments that were selected to vote",
        lambda tally: share(tally.selected, tally.valid),
    ),
    _metric(
        "judged_rate",
        "",
        _SHARE,
        "share of the groups with scalar scores about which the judge was asked, too; below 1 in a "
        "cascade",
        lambda tally: tally.scalar.judged_rate,
    ),
    _metric(
        "sureness",
        "",
        "0.5 to 1",
        "how sure the scalar RM is of the order of a group: its expected pair accuracy by its own "
        "Bradley-Terry model",
        lambda tally: tally.scalar.sureness.value,
    ),
    _metric(
        "sure_threshold",
        "",
        "0.5 to 1",
        "sureness from which on groups go without the judge; at 1, to which failed audits raise "
        "it, all are judged",
        lambda tally: tally.scalar.sure.value,
    ),
    _metric(
        "audited_rate",
        "",
        _SHARE,
        "share of the groups with scalar scores that were judged though the scalar RM was sure",
        lambda tally: share(tally.scalar.audited, tally.scalar.groups),
    ),
    _metric(
        "audit_agreement",
        "",
        _SHARE,
        "share of pairs on which the judge agrees with the scalar RM, in those; to be "
        "compared with `sureness`",
        lambda tally: tally.scalar.audits.value,
    ),
    _metric(
        "scalar_correlation",
        "",
        "-1 to 1",
        "correlation of scalar scores and the judge's mean scores within groups that have both",
        lambda tally: tally.scalar.correlation.value,
    ),
    _metric(
        "scalar_failed_rate",
        "",
        _SHARE,
        "share of the responses to which the scalar RM gave no score, so that they have no reward",
        lambda tally: share(tally.scalar.failed, tally.scalar.responses),
    ),
    _metric(
        "control_rate",
        "",
        _SHARE,
        "share of groups that the control judge of `watch` gave rewards as well",
        lambda tally: share(tally.controlled, tally.groups),
    ),
    _metric(
        "control_failed_rate",
        "",
        _SHARE,
        "share of the groups about which the control judge was asked, and gave nothing",
        lambda tally: share(tally.uncontrolled, tally.controlled + tally.uncontrolled),
    ),
    _metric(
        "control_correlation",
        "",
        "-1 to 1",
        "correlation of a response's reward and that of the control judge within groups; where "
        "it falls to 0 the policy learns what only its judge likes",
        lambda tally: tally.control.value,
    ),
    _metric(
        "tokens_in", "tokens", _ANY, "that the judge read", lambda tally: tally.cost.prompt_tokens
    ),
    _metric(
        "tokens_out",
        "tokens",
        _ANY,
        "that the judge wrote",
        lambda tally: tally.cost.output_tokens,
    ),
    _metric(
        "cache_hit_rate",
        "",
        _SHARE,
        "share of the prompt tokens that the judge's server had cached, where it tells that; "
        "vLLM does with `--enable-prompt-tokens-details`",
        lambda tally: tally.cached.value,
    ),
    _metric(
        "flops",
        "FLOPs",
        _ANY,
        "of the judge, twice its active parameters for each token that it read or wrote, and of "
        "other models whose size is known; see `flops_per_token`",
        _flops,
    ),
    _metric("money", "US dollars", _ANY, "what the samples cost whose price is known", _money),
    _metric(
        "unpriced_rate",
        "",
        _SHARE,
        "share of the samples whose price is not known, so that `money` is the least",
        lambda tally: min(share(tally.cost.unpriced, tally.samples), 1.0),
    ),
)
