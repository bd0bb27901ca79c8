"""The file that OpenRLHF loads into every rollout actor; all it does is elsewhere."""

from __future__ import annotations

from typing import Any

from openrlhf.utils.agent import SingleTurnAgentExecutor

from grm_openrlhf.own_agent import load_executor
from grm_openrlhf.rollouts import ScoredRollouts
from grm_openrlhf.settings import RunSettings


class AgentExecutor(SingleTurnAgentExecutor):  # type: ignore[misc]
    """The host's executor, or the user's own, with rewards of a judge."""

    def __init__(self) -> None:
        super().__init__()
        settings = RunSettings.from_environment()
        path = settings.own_agent
        roll_out = load_executor(path).execute if path else super().execute
        self._rollouts = ScoredRollouts(roll_out, settings)

    async def execute(self, **call: Any) -> dict[str, Any]:
        """One rollout with its reward; arguments and result are the host's."""
        return await self._rollouts.execute(**call)
