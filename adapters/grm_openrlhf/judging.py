"""From a group of rollouts to what the host gets for each of them."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from grm_openrlhf.options import OpenRLHFOptions
from grm_openrlhf.progress import Progress
from grm_openrlhf.reading import Rollout
from grm_openrlhf.settings import RunSettings
from grm_plugin import GRM, Group
from grm_plugin.errors import JudgeDeadError
from grm_plugin.hosts.fallback import Fallback, extra_logs
from grm_plugin.size import Size
from grm_plugin.types import Verdict

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Scored:
    """What the host gets for one rollout: the reward, the score it filters by, and its logs."""

    reward: float
    score: float
    logs: Mapping[str, float]


class GroupJudge:
    """Judges whole groups, one at a time or many at once, on the loop of a rollout actor.

    A group that can not be judged gets the mean of recent rewards for all its responses, from
    which an estimator that compares them learns nothing; see :mod:`grm_plugin.hosts.fallback`.
    When no group at all was scored during ``dead_batches`` training steps, the run ends.

    Args:
        grm: the judge; it counts every group as a batch.
        options: of the adapter.
        settings: of the run.
    """

    def __init__(self, grm: GRM, options: OpenRLHFOptions, settings: RunSettings) -> None:
        self._grm, self._options = grm, options
        low, high = settings.vote_range
        self._fallback = Fallback(start=(low + high) / 2)
        self._progress = Progress(
            grm.config.schedule, settings.groups_per_step, first_step=settings.first_step
        )

    async def score(self, rollouts: Sequence[Rollout]) -> list[Scored]:
        """Rewards and logs of one group, in its order.

        Raises:
            EngineError: the judge can not be started.
            JudgeDeadError: too many groups in a row had no reward.
        """
        first = rollouts[0]
        group = Group(
            conversation=first.conversation,
            responses=tuple(rollout.response for rollout in rollouts),
            reference=first.reference,
            metadata={"training": first.training, "step": self._progress.step},
        )
        size = self._progress.size() if first.training else None
        verdict = await self._judged(group, size)
        filled = self._fallback.fill(verdict)
        if first.training:
            self._progress.judged(math.nan if filled.unscored else filled.mean)
        if filled.unscored:
            logger.warning(
                "group %s has no reward and all its responses get %.4f: %s",
                *(group.label, filled.rewards[0], verdict.unscored),
            )
        scores = tuple(self._rounded(reward) for reward in filled.rewards)
        logs = extra_logs(verdict, replace(filled, rewards=scores))
        scale = self._options.reward_scale
        return [Scored(score * scale, score, logs) for score in scores]

    async def _judged(self, group: Group, size: Size | None) -> Verdict:
        try:
            (verdict,) = await self._grm.score_batch_async([group], size=size)
        except JudgeDeadError as error:
            raise JudgeDeadError(
                f"a rollout actor saw no reward for {self._grm.config.dead_batches} groups, the "
                f"worth of dead_batches training steps; counting a group as a batch: {error}"
            ) from None
        return verdict

    def _rounded(self, reward: float) -> float:
        step = self._options.round_to
        return reward if step is None else round(reward / step) * step
