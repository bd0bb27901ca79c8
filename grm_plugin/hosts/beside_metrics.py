"""The metrics of models beside the judge: a scalar RM, and the control judge."""

from __future__ import annotations

from grm_plugin.hosts.counting import share
from grm_plugin.hosts.described import SHARE, metric

BESIDE = (
    metric(
        "judged_rate",
        "",
        SHARE,
        "share of the groups with scalar scores about which the judge was asked, too; below 1 in a "
        "cascade",
        lambda tally: tally.scalar.judged_rate,
        in_a_group="0 without a scalar RM",
    ),
    metric(
        "sureness",
        "",
        "0.5 to 1",
        "how sure the scalar RM is of the order of a group: its expected pair accuracy by its own "
        "Bradley-Terry model",
        lambda tally: tally.scalar.sureness.value,
        in_a_group="0 without scalar scores",
    ),
    metric(
        "sure_threshold",
        "",
        "0.5 to 1",
        "sureness from which on groups go without the judge; at 1, to which failed audits raise "
        "it, all are judged",
        lambda tally: tally.scalar.sure.value,
        in_a_group="0 without a cascade",
    ),
    metric(
        "audited_rate",
        "",
        SHARE,
        "share of the groups with scalar scores that were judged though the scalar RM was as sure "
        "as `sure` of the settings wants",
        lambda tally: share(tally.scalar.audited, tally.scalar.groups),
        in_a_group="0 without a cascade",
    ),
    metric(
        "audit_agreement",
        "",
        SHARE,
        "share of pairs on which the judge agrees with the scalar RM, in those; to be "
        "compared with `audit_claim`",
        lambda tally: tally.scalar.audits.value,
        in_a_group="0 where a group is not audited: to be divided by `audited_rate`",
    ),
    metric(
        "audit_claim",
        "",
        "0.5 to 1",
        "the same share where the scalar RM is as right as it claims",
        lambda tally: tally.scalar.claims.value,
        in_a_group="0 where a group is not audited: to be divided by `audited_rate`",
    ),
    metric(
        "scalar_correlation",
        "",
        "-1 to 1",
        "correlation of scalar scores and the judge's mean scores within groups that have both",
        lambda tally: tally.scalar.correlation.value,
        in_a_group="of each group by itself, 0 where one of the two is missing or alike",
    ),
    metric(
        "scalar_saturated_rate",
        "",
        SHARE,
        "share of the groups that the scalar RM decided without the judge in which its votes lie "
        "within 0.02 of each other, near 0 or 1, though it is sure of their order: rounded or set "
        "against other groups they teach nothing; `raw` rewards do not saturate",
        lambda tally: share(tally.scalar.saturated, tally.scalar.decided),
        in_a_group="0 where a group is judged: to be divided by 1 - `judged_rate`",
    ),
    metric(
        "scalar_failed_rate",
        "",
        SHARE,
        "share of the responses to which the scalar RM gave no score, so that they have no reward",
        lambda tally: share(tally.scalar.failed, tally.scalar.responses),
        in_a_group="0 without a scalar RM",
    ),
    metric(
        "control_rate",
        "",
        SHARE,
        "share of groups that the control judge of `watch` gave rewards as well",
        lambda tally: share(tally.controlled, tally.groups),
        in_a_group="",
    ),
    metric(
        "control_failed_rate",
        "",
        SHARE,
        "share of the groups about which the control judge was asked, and gave nothing",
        lambda tally: share(tally.uncontrolled, tally.controlled + tally.uncontrolled),
        in_a_group="0 where it was not asked",
    ),
    metric(
        "control_correlation",
        "",
        "-1 to 1",
        "correlation of a response's reward and that of the control judge within groups; where "
        "it falls to 0 the policy learns what only its judge likes",
        lambda tally: tally.control.value,
    ),
)
