"""The page of everything that a run or a server logs of the judge."""

from __future__ import annotations

from collections.abc import Iterable

from grm_openrlhf.metrics import WAIT
from grm_plugin.hosts import fallback, watch_metrics
from grm_plugin.hosts.metrics import METRICS, Described
from grm_plugin.serving.metrics import Metrics
from grm_trl.columns import CELLS
from grm_trl.reporting import OWN

_HEAD = "| name | unit | range | meaning |\n|---|---|---|---|\n"
_CELLS = {
    "critique": "what the judgment nearest to the mean of the votes says of this response and of "
    "no other; `no reward: ` and why, where there is none",
    "place": "at which place of how many that judgment saw it, such as `2/4`",
    "votes": "its scores in the judgments that voted (points), eight at most",
    "principles": "what that judgment went by, with weights; the same for a whole group",
}


def metrics_page() -> str:
    """Every number and column, with unit, range and meaning."""
    shared = [metric.described for metric in METRICS]
    cells = "\n".join(f"| `grm_{name}` | {_CELLS[name]} |" for name in CELLS)
    return (
        "# Metrics\n\n"
        "A judge logs the same names in every trainer, behind its prefix: `grm/`, or `name/` of "
        "`GRMReward(name=...)`. TRL writes `grm/...`, and `eval_grm/...` in evaluations; OpenRLHF "
        "`train/grm/...`. Rewards are those that the trainer gets, rounded where `round_to` says "
        "so.\n\n"
        "## TRL\n\n"
        "Of all groups of a reward call, over all ranks with `groups: gather`. A number that does "
        "not exist, such as the price of a judge without prices, is not logged, and NaN in "
        "`GRMReward.metrics`.\n\n"
        f"{_HEAD}{_rows([*shared, *watch_metrics.OWN, *OWN])}\n\n"
        "## OpenRLHF, and a reward server\n\n"
        "Of the group of each response; OpenRLHF logs the mean over responses, so that a flag "
        "becomes a share. Every response needs every number: what does not exist is 0, and draws "
        "the mean towards 0 where groups are unscored, unlike in TRL. The server answers the "
        "same in `extra_logs`, but for the wait and what is watched of a run.\n\n"
        f"{_HEAD}{_rows([*fallback.described(), *watch_metrics.OWN, WAIT])}\n\n"
        "## Columns of TRL's completions table\n\n"
        "With `log_completions: true`, in the terminal and in the tables of trackio and wandb; "
        "`table` of the adapter says which. A cell is one line of 400 characters at most; the "
        "record has all.\n\n"
        f"| column | what |\n|---|---|\n{cells}\n\n"
        "## `GET /metrics` of `grm serve`\n\n"
        f"| name | type | meaning |\n|---|---|---|\n{_exported()}\n"
    )


def described_in_trl() -> set[str]:
    """The names that the TRL adapter logs."""
    return {
        one.name for one in (*(metric.described for metric in METRICS), *watch_metrics.OWN, *OWN)
    }


def _rows(described: Iterable[Described]) -> str:
    return "\n".join(
        f"| `{one.name}` | {one.unit} | {one.range} | {one.meaning} |" for one in described
    )


def _exported() -> str:
    """What Prometheus is offered, from the server's own registry."""
    return "\n".join(
        f"| `{one.name}{'_total' * (one.type == 'counter')}` | {one.type} | {one.documentation} |"
        for one in Metrics().registry.collect()
    )
