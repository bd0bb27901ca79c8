"""The agent file with which OpenRLHF trains a judge: ``--train.agent_func_path`` names it.

The settings of the judge are those that ``GRM_CONFIG`` names in the environment of the rollout
actors, and ``GRM_SINGLE`` names another template for single responses. A reward file
(``--reward.remote_url``) would be told neither tokens nor whether they were cut, and OpenRLHF
swallows its errors; an agent's end the run with their own words.
"""

from __future__ import annotations

import os
from typing import Any

from openrlhf.utils.agent import SingleTurnAgentExecutor

from grm_openrlhf.outcome import Outcomes
from grm_plugin.spct.asking import SINGLE


class AgentExecutor(SingleTurnAgentExecutor):  # type: ignore[misc]
    """The host's executor, with +1 for a judgment that is right and -1 for every other."""

    def __init__(self) -> None:
        super().__init__()
        self._outcomes = Outcomes(single=os.environ.get("GRM_SINGLE") or SINGLE)

    async def execute(self, **call: Any) -> dict[str, Any]:
        """One rollout with its reward; arguments and result are the host's."""
        output = await super().execute(**call)
        return self._outcomes.scored(output, call["hf_tokenizer"])
