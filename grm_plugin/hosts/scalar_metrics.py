"""The metrics of a scalar RM beside the judge."""

from __future__ import annotations

from grm_plugin.hosts.counting import share
from grm_plugin.hosts.described import SHARE, metric

METRICS = (
    metric(
        "judged_rate",
        "",
        SHARE,
        "share of the groups with scalar scores about which the judge was asked, too; below 1 in a "
        "cascade",
        lambda tally: tally.scalar.judged_rate,
    ),
    metric(
        "sureness",
        "",
        "0.5 to 1",
        "how sure the scalar RM is of the order of a group: its expected pair accuracy by its own "
        "Bradley-Terry model",
        lambda tally: tally.scalar.sureness.value,
    ),
    metric(
        "sure_threshold",
        "",
        "0.5 to 1",
        "sureness from which on groups go without the judge; at 1, to which failed audits raise "
        "it, all are judged",
        lambda tally: tally.scalar.sure.value,
    ),
    metric(
        "audited_rate",
        "",
        SHARE,
        "share of the groups with scalar scores that were judged though the scalar RM was sure",
        lambda tally: share(tally.scalar.audited, tally.scalar.groups),
    ),
    metric(
        "audit_agreement",
        "",
        SHARE,
        "share of pairs on which the judge agrees with the scalar RM, in those; to be "
        "compared with `sureness`",
        lambda tally: tally.scalar.audits.value,
    ),
    metric(
        "scalar_correlation",
        "",
        "-1 to 1",
        "correlation of scalar scores and the judge's mean scores within groups that have both",
        lambda tally: tally.scalar.correlation.value,
    ),
    metric(
        "scalar_failed_rate",
        "",
        SHARE,
        "share of the responses to which the scalar RM gave no score, so that they have no reward",
        lambda tally: share(tally.scalar.failed, tally.scalar.responses),
    ),
)
