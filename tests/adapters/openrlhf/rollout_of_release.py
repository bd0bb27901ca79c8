"""Scores one group with the agent file and the executor of the OpenRLHF on PYTHONPATH.

``python -m tests.adapters.openrlhf.rollout_of_release`` prints which release and the rewards.
"""

from __future__ import annotations

import asyncio
import json
import os

import openrlhf
from transformers import AutoTokenizer

from grm_openrlhf.own_agent import load_executor
from grm_openrlhf.plan import AGENT
from grm_openrlhf.settings import ENV, RunSettings
from grm_plugin.reference.policy import POLICY_MODEL
from tests.adapters.openrlhf.conftest import Actor

QUERY = "Write a list of words: include the word sunrise; use exactly 3 items."
TEXTS = ["sunrise, teapot, airport", "teapot, airport"]


async def main() -> None:
    settings = RunSettings(config={"engine": "reference", "k": 8}, label="conversation")
    os.environ[ENV] = settings.model_dump_json(exclude_unset=True)
    actor = Actor(load_executor(AGENT), AutoTokenizer.from_pretrained(POLICY_MODEL))
    outputs = await actor.generate_responses(QUERY, TEXTS, label=QUERY)
    rewards = [output["reward"] for output in outputs]
    print(json.dumps({"openrlhf": openrlhf.__path__[0], "answer": rewards}))


if __name__ == "__main__":
    asyncio.run(main())
