"""Asks a reward server with the client of the OpenRLHF on PYTHONPATH.

``python -m tests.adapters.openrlhf.rewards_over_http URL`` prints which release, and the rewards as
its trainer would use them: two prompts, of each a better and a worse response.
"""

from __future__ import annotations

import asyncio
import json
import sys
from types import SimpleNamespace
from typing import Any

import openrlhf

PROMPTS = ["first. ", "first. ", "second. ", "second. "]
QUERIES = ["first. quality 10", "first. quality 1", "second. quality 10", "second. quality 1"]
LABELS = ["", "", "", ""]


async def one_by_one(url: str) -> list[float]:
    """Since 0.9.1: a call for each sample."""
    from openrlhf.utils.agent import SingleTurnAgentExecutor

    fetch = SingleTurnAgentExecutor(url)._fetch_rewards_via_http
    calls = (fetch([QUERIES[i]], [PROMPTS[i]], [LABELS[i]]) for i in range(len(QUERIES)))
    return [answer["rewards"][0] for (answer,) in await asyncio.gather(*calls)]


def all_at_once(url: str, client: Any) -> list[float]:
    """Before: one call for the whole rollout."""
    from openrlhf.trainer.ppo_utils import experience_maker

    if hasattr(client, "remote_rm_fn"):
        return list(client.remote_rm_fn(url, QUERIES, PROMPTS, LABELS).tolist())
    asked = {"query": QUERIES, "prompts": PROMPTS, "labels": LABELS}
    info = client.request_api_wrapper(url, asked)
    samples = [SimpleNamespace(sequences=[0, 0], prompts=[0, 0], info={}) for _ in range(2)]
    experience_maker.update_samples_with_rewards([info], samples)
    return [reward for sample in samples for reward in sample.rewards.tolist()]


def main(url: str) -> None:
    try:
        from openrlhf.utils import remote_rm_utils as client
    except ImportError:
        rewards = asyncio.run(one_by_one(url))
    else:
        rewards = all_at_once(url, client)
    print(json.dumps({"openrlhf": openrlhf.__path__[0], "answer": rewards}))


if __name__ == "__main__":
    main(sys.argv[1])
