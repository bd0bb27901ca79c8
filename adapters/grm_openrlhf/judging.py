"""From a group of rollouts to what the host gets for each of them."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from grm_openrlhf.ledger import Share
from grm_openrlhf.options import OpenRLHFOptions
from grm_openrlhf.progress import Progress
from grm_openrlhf.reading import Rollout
from grm_openrlhf.rounds import Place
from grm_openrlhf.settings import RunSettings
from grm_openrlhf.weightless import left_out
from grm_plugin import GRM, Group
from grm_plugin.errors import AlarmError, JudgeDeadError, on_one_line
from grm_plugin.hosts import learning
from grm_plugin.hosts.fallback import Fallback, Filled, extra_logs
from grm_plugin.hosts.recorded import when
from grm_plugin.hosts.rounding import rounded_to
from grm_plugin.size import Size
from grm_plugin.types import Verdict

logger = logging.getLogger(__name__)

NO_REWARD = "has no reward"  # by these words the launcher has Ray show every such line


@dataclass(frozen=True, slots=True)
class Scored:
    """What the host gets for one rollout.

    Args:
        reward: a number that is finite in training.
        score: what dynamic filtering goes by; NaN is dropped.
        logs: what it logs beside the reward.
        weightless: whether the policy must not learn from this rollout.
    """

    reward: float
    score: float
    logs: Mapping[str, float]
    weightless: bool = False


class GroupJudge:
    """Judges whole groups, one at a time or many at once, on the loop of a rollout actor.

    A training group without a reward gets the mean of those that are judged at the same time, and
    no weight. In an evaluation it gets numbers that leave the host's metrics as they are without
    it. When ``dead_groups`` in a row were not scored, and for ``dead_after_s``, the run ends.

    Args:
        grm: the judge.
        options: of the adapter.
        settings: of the run.
    """

    def __init__(self, grm: GRM, options: OpenRLHFOptions, settings: RunSettings) -> None:
        self._grm, self._options = grm, options
        self._filtering = settings.filtering
        low, high = settings.reward_range
        self._fallback = Fallback(start=(low + high) / 2)
        self._progress = Progress(
            grm.config.schedule,
            settings.groups_per_step,
            first_step=settings.first_step,
            seen=settings.seen,
        )
        self._shares = self._progress.hears or learning.learns(grm)

    async def score(self, rollouts: Sequence[Rollout], place: Place) -> list[Scored]:
        """Rewards and logs of one group, in its order.

        Args:
            rollouts: of the group.
            place: of the group among those that are under way.

        Raises:
            EngineError: the judge can not be started.
            JudgeDeadError: too many groups in a row had no reward.
        """
        training = rollouts[0].training
        judged = await self._judged(self._group(rollouts), training)
        verdict = self._rounded(judged)
        shared = training and self._shares
        place.judged(verdict, learning.what_teaches(judged) if shared else None)
        if training:
            self._progress.judged(verdict)
        if not verdict.known_rewards:
            why = on_one_line(verdict.unscored)
            logger.warning("group %s %s: %s", verdict.group.label, NO_REWARD, why)
        if training:
            return await self._trained(verdict, place)
        return await self._evaluated(verdict, place)

    def hear(self, shares: Sequence[Share], actor: str) -> None:
        """Learn from what all rollout actors judged.

        Args:
            shares: theirs, and its own.
            actor: which are its own.
        """
        own = {place for place, share in enumerate(shares) if share.actor == actor}
        for place, share in enumerate(shares):
            if self._progress.hears and place not in own:
                self._progress.heard(map(self._rounded, share.verdicts))
        with suppress(AlarmError):  # it ends the run with the next group
            learning.learn(self._grm, [share.verdicts for share in shares], own)

    async def _trained(self, verdict: Verdict, place: Place) -> list[Scored]:
        known = verdict.known_rewards
        if not known and self._filtering:  # the host replaces it, and must not wait for others
            return self._scored(verdict, self._fallback.fill(verdict), score=math.nan)
        means = None if known else await place.means()
        return self._scored(verdict, self._fallback.fill(verdict, means.mean if means else None))

    async def _evaluated(self, verdict: Verdict, place: Place) -> list[Scored]:
        if verdict.known_rewards:
            return self._scored(verdict, Fallback().fill(verdict))
        means = await place.means()
        mean, best = (means.mean, means.best) if means else (math.nan, math.nan)
        rewards = left_out(len(verdict.group.responses), mean, best)
        return self._scored(verdict, Filled(rewards, unscored=True))

    def _scored(self, verdict: Verdict, filled: Filled, score: float | None = None) -> list[Scored]:
        logs, scale = extra_logs(verdict, filled, self._grm.watch), self._options.reward_scale
        known = verdict.rewards or (None,) * len(filled.rewards)
        return [
            Scored(reward * scale, reward if score is None else score, logs, own is None)
            for reward, own in zip(filled.rewards, known, strict=True)
        ]

    def _rounded(self, verdict: Verdict) -> Verdict:
        return rounded_to(self._options.round_to, verdict)

    def _group(self, rollouts: Sequence[Rollout]) -> Group:
        first = rollouts[0]
        return Group(
            conversation=first.conversation,
            responses=tuple(rollout.response for rollout in rollouts),
            reference=first.reference,
            metadata=when(
                self._progress.step, training=first.training, round_to=self._options.round_to
            ),
        )

    async def _judged(self, group: Group, training: bool) -> Verdict:
        size: Size | None = self._progress.size() if training else None
        try:
            (verdict,) = await self._grm.score_batch_async([group], size=size)
        except JudgeDeadError as error:
            raise type(error)(f"in a rollout actor {error}") from None
        return verdict
