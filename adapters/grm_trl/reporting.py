"""Tells people what the judge did: TRL's metrics and completions table, and a few warnings."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

from grm_plugin import GRMConfig, Size
from grm_plugin.hosts import watch_metrics
from grm_plugin.hosts.counting import Tally
from grm_plugin.hosts.metrics import Described, numbers
from grm_plugin.hosts.scales import told_of_two_scales
from grm_plugin.types import Verdict
from grm_plugin.watching.watch import Watch
from grm_trl import growth, host
from grm_trl.columns import columns
from grm_trl.options import TRLOptions
from grm_trl.truth import numbers as truth_numbers

logger = logging.getLogger(__name__)

OWN = (
    Described(
        "k_meta",
        "judgments",
        "1 or more",
        "judgments that vote, by the meta RM; where a size of the `schedule` sets it",
    ),
    Described(
        "truth_mean",
        "of `truth`",
        "any",
        "mean of what `truth` says of each completion, where it is set",
    ),
    Described(
        "truth_correlation",
        "",
        "-1 to 1",
        "correlation of the judge's reward with that, within groups: whether the judge is right",
    ),
    Described("seconds", "seconds", "0 or more", "of the reward call"),
    Described(
        "step_share",
        "",
        "0 to 1",
        "share of the time since the last reward call that this one took",
    ),
)
"""What is logged beside :data:`grm_plugin.hosts.metrics.METRICS`."""


class Reporter:
    """Reports every call of one reward.

    TRL averages a metric over ranks and over the steps between two log lines. Where groups are
    gathered, every rank logs the numbers of all groups, so the average is the number itself (only
    the two times differ); with ``groups: local`` it is the mean of the ranks that have it. TRL asks
    all ranks for their names, so a rank may leave one out.

    Args:
        options: of the adapter; metrics are ``<name>/...`` and columns ``<name>_...``.
        config: settings of the judge.
        watch: what is watched of the run.
    """

    def __init__(self, options: TRLOptions, config: GRMConfig, watch: Watch | None = None) -> None:
        self.numbers: dict[str, float] = {}
        self._name, self._table, self._config = options.name, options.table, config
        self.watch = watch
        self._knows_truth = options.truth is not None
        self._told: set[str] = set()
        self._ended = time.monotonic()

    def report(
        self,
        verdicts: Sequence[Verdict],
        places: Sequence[tuple[int, int]],
        trl: Mapping[str, Any],
        *,
        size: Size | None,
        started: float,
    ) -> None:
        """Log one call through what TRL handed over.

        Args:
            verdicts: of all groups, with the rewards that the trainer gets.
            places: group and place in it of each completion of this rank.
            trl: keywords of the call; ``log_metric`` and ``log_extra`` may be missing.
            size: how many judgments the schedule asked for; None without one.
            started: ``time.monotonic()`` at the start of the call.
        """
        tallied = numbers(Tally.of(verdicts))
        training = host.is_training(host.trainer_of(trl))
        self.numbers = {
            **tallied,
            **growth.numbers(size or self._config.size, self._config.schedule),
            **({"k": tallied["k"]} if self.watch else {}),  # an alarm may have raised it
            **watch_metrics.numbers(self.watch if training else None),
            **(truth_numbers(verdicts) if self._knows_truth else {}),
            **self._clock(started),
        }
        if log_metric := trl.get("log_metric"):
            for key, value in self.numbers.items():
                if not math.isnan(value):  # its mean over ranks and steps would be NaN, too
                    log_metric(f"{self._name}/{key}", value)
        if log_extra := trl.get("log_extra"):
            rows = {g: columns(verdicts[g], self._table) for g in {g for g, _ in places}}
            for column in self._table:
                log_extra(f"{self._name}_{column}", [rows[g][n][column] for g, n in places])
        self._warn_of_unscored(verdicts)

    def _clock(self, started: float) -> dict[str, float]:
        before, self._ended = self._ended, time.monotonic()
        seconds, step = self._ended - started, self._ended - before
        return {"seconds": seconds, "step_share": seconds / step if step > 0 else 1.0}

    def _warn_of_unscored(self, verdicts: Sequence[Verdict]) -> None:
        unscored = [verdict for verdict in verdicts if not verdict.scored]
        if unscored:
            logger.warning(
                "%s: %d of %d groups have no reward; group %s: %s",
                self._name,
                len(unscored),
                len(verdicts),
                unscored[0].group.label,
                unscored[0].unscored,
            )
        single = [verdict for verdict in verdicts if verdict.unscored_responses]
        if single:
            first, reason = min(single[0].unscored_responses.items())
            logger.warning(
                "%s: %d responses of %d scored groups have no reward; response %d of group %s: %s",
                self._name,
                sum(len(verdict.unscored_responses) for verdict in single),
                len(single),
                first + 1,
                single[0].group.label,
                reason,
            )

    def warn(self, members: Sequence[Sequence[int]], trainer: Any) -> None:
        """Say once what makes rewards weak: nothing to compare, or two scales in one batch.

        Args:
            members: rows of each group.
            trainer: whose rewards they are; None: not known.
        """
        scale = getattr(getattr(trainer, "args", None), "scale_rewards", "group")
        if scale not in ("group", True):
            setting = f"scale_rewards: {scale}"
            told = told_of_two_scales(self._config, setting, "scale_rewards: group and round_to")
            self.warn_once(told)
        if members and not any(len(run) > 1 for run in members):
            self.warn_once(
                "every prompt of this call has a single response; a judge is much weaker when it "
                "has nothing to compare, so use num_generations of 2 or more"
            )

    def warn_once(self, text: str) -> None:
        """Say ``text``, if there is any and unless it was said."""
        if text and text not in self._told:
            self._told.add(text)
            logger.warning("%s: %s", self._name, text)
