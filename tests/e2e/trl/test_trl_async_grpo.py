"""Async GRPO: the worker process that generates and scores, against a stand-in for vLLM."""

from __future__ import annotations

import json
import math
import random
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from accelerate import PartialState
from datasets import Dataset
from transformers import AutoTokenizer

from grm_plugin.plugins import Plugins
from grm_trl import GRMReward, abstaining
from tests.e2e.trl.shown_judge import length

pytest.importorskip("vllm")

from trl.experimental.async_grpo.async_rollout_worker import AsyncRolloutWorker

PLAIN_TEXT = {
    "defaults": {"role": "assistant"},
    "start_anchor": "assistant :",
    "fields": {"content": {"close_pattern": r"\s*<eos>", "content": "text"}},
}


class Completions(BaseHTTPRequestHandler):
    """``/v1/completions`` with random words."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        tokens = [random.randrange(3, 15) for _ in range(4)] + [1]
        logprobs = {"token_logprobs": [-1.0] * len(tokens)}
        body = json.dumps({"choices": [{"token_ids": tokens, "logprobs": logprobs}]}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def policy_server() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Completions)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def scored(
    judge: Plugins,  # looks for plug-ins before the folder is there
    tiny_model: Path,
    plugin_folder: Path,
    policy_server: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[list[Any]], list[Any]]:
    """Six samples of two groups, scored by the worker with these rewards."""
    monkeypatch.syspath_prepend(plugin_folder)  # the spawned process takes over sys.path
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    tokenizer = AutoTokenizer.from_pretrained(tiny_model)
    tokenizer.response_template = PLAIN_TEXT
    return lambda rewards: scored_by(rewards, tokenizer, policy_server)


def scored_by(rewards: list[Any], tokenizer: Any, policy_server: str) -> list[Any]:
    prompts = [[{"role": "user", "content": text}] for text in ("red cat ?", "blue dog ?")]
    worker = AsyncRolloutWorker(
        model_name="policy",
        dataset=Dataset.from_dict({"prompt": prompts}),
        reward_funcs=rewards,
        processing_class=tokenizer,
        eos_token_ids=[1],
        num_generations=3,
        max_inflight_tasks=6,
        queue_maxsize=12,
        vllm_server_url=policy_server,
        max_tokens=5,
        child_ready_timeout=240,
    )
    PartialState()  # the worker's logger asks for it
    worker.start()
    try:
        samples = [worker.rollout_buffer.get(timeout=60) for _ in range(6)]
        worker.check_health(stale_after_s=60)
        return samples
    finally:
        worker.stop()


def test_the_scoring_worker_judges_whole_groups_in_its_own_process(
    scored: Callable[[list[Any]], list[Any]], judge: Plugins
) -> None:
    samples = scored([GRMReward(engine="shown", k=2, plugins=judge)])
    assert_rewards_of_groups(samples, GRMReward(engine="shown", k=2, plugins=judge))


def test_rewards_that_were_joined_abstain_as_one_in_the_scoring_worker(
    scored: Callable[[list[Any]], list[Any]], judge: Plugins
) -> None:
    away = {"name": "shown", "away_for": "dog"}
    for sample in scored(abstaining([length, GRMReward(engine=away, k=2, plugins=judge)])):
        unscored = "dog" in str(sample.prompt)
        assert math.isnan(sample.metrics["rewards/length"]) == unscored
        assert (sample.advantage == 0) == unscored


def assert_rewards_of_groups(samples: list[Any], alone: GRMReward) -> None:
    groups = defaultdict(list)
    for sample in samples:
        groups[sample.group_id].append(sample)
    for members in groups.values():
        prompts = [sample.prompt for sample in members]
        rewards = alone(prompts, [sample.completion for sample in members])
        assert rewards == [sample.metrics["rewards/grm"] for sample in members]
    assert [len(members) for members in groups.values()] == [3, 3]
