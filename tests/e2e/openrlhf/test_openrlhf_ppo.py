"""One whole run with much at once: what may come between a judge and an update, comes.

PPO with a critic, two rollout engines, each prompt twice, dynamic filtering, evaluation with one
response; the judge is a real vLLM that the launcher starts in a Ray actor.
"""

from __future__ import annotations

import statistics
from collections import Counter
from typing import Any

import psutil
import pytest

from grm_plugin.records import read_verdicts
from grm_plugin.reference.judge import MODEL, ReferenceJudge
from grm_plugin.reference.policy import write_prompts
from grm_plugin.types import Verdict
from tests.adapters.openrlhf.stand_in import wait_until
from tests.e2e.openrlhf.trainer import LAUNCHER, SAMPLES, Training, judged_by, record

CONTEXT = 1024
LOWEST, HIGHEST = 0.45, 0.7  # near the middle: of 16 groups some are outside and some inside
ASKED, EVALUATED = 8, 3
JUDGE = {
    **ReferenceJudge.defaults,
    "k": 4,
    "engine": {
        "serve": {
            "model": str(MODEL),
            "args": [
                *("--max-model-len", str(CONTEXT), "--max-num-batched-tokens", str(CONTEXT)),
                *("--dtype", "float32", "--enforce-eager", "--no-enable-chunked-prefill"),
                *("--kv-cache-memory-bytes", str(64 << 20), "--block-size", "32"),
            ],
        }
    },
    "adapters": {"openrlhf": {"judge": {"replicas": 1, "gpus": 1}}},
}
OPTIONS = {
    "algo.advantage.estimator": "gae",
    "critic.num_gpus_per_node": 1,
    "vllm.num_engines": 2,
    "algo.dynamic_filtering_enable": True,
    "algo.dynamic_filtering_range": (LOWEST, HIGHEST),
    "eval.steps": 1,
    "eval.n_samples_per_prompt": 1,
}


@pytest.fixture(scope="module")
def run(address: str, tmp_path_factory: Any) -> Training:
    """A finished run."""
    folder = tmp_path_factory.mktemp("ppo")
    once = write_prompts(folder / "once", ASKED, seed=6).read_text()
    asked, evaluated = folder / "twice.jsonl", folder / "evaluation"
    asked.write_text(once * 2)
    options = {
        **OPTIONS,
        "data.prompt_dataset": asked,
        "eval.dataset": write_prompts(evaluated, EVALUATED, seed=7),
    }
    command = [*LAUNCHER, *judged_by(folder, JUDGE)]
    with Training(address, folder, command, steps=1, options=options) as training:
        assert training.wait() == 0, training.output[-6000:]
    return training


def trained(run: Training) -> list[Verdict]:
    return [verdict for verdict in run.verdicts() if verdict.group.metadata["phase"] == "train"]


def evaluated(run: Training) -> list[Verdict]:
    return [verdict for verdict in run.verdicts() if verdict.group.metadata["phase"] == "eval"]


def rewarded(verdicts: list[Verdict]) -> Counter[tuple[str, str, float]]:
    """How often a query, a response and a reward came together."""
    return Counter(
        (verdict.group.conversation[-1].content, response, round(reward, 6))
        for verdict in verdicts
        for response, reward in zip(verdict.group.responses, verdict.rewards or (), strict=True)
    )


def test_every_group_is_judged_whole_also_when_its_prompt_comes_twice(run: Training) -> None:
    assert {len(verdict.group.responses) for verdict in trained(run)} == {SAMPLES}
    queries = Counter(verdict.group.conversation[-1].content for verdict in trained(run))
    assert set(queries.values()) == {2}
    assert len(queries) == ASKED


def test_an_evaluation_with_one_response_is_judged_and_logged(run: Training) -> None:
    assert {len(verdict.group.responses) for verdict in evaluated(run)} == {1}
    assert len(evaluated(run)) == EVALUATED * len(run.updates())
    logged = run.metrics()["eval/eval_default_pass1"]
    rewards = [verdict.rewards[0] for verdict in evaluated(run) if verdict.rewards]
    assert statistics.fmean(logged) == pytest.approx(statistics.fmean(rewards), rel=1e-3)


def test_both_engines_judge_what_they_rolled_out(run: Training) -> None:
    files = sorted(record(run.folder).parent.glob(f"{record(run.folder).name}*"))
    assert len(files) == 2
    assert all(list(read_verdicts(file)) for file in files)


def test_groups_outside_the_range_are_filtered_and_all_others_are_trained_on(run: Training) -> None:
    means = [statistics.fmean(verdict.rewards or ()) for verdict in trained(run)]
    kept = [
        verdict
        for verdict, mean in zip(trained(run), means, strict=True)
        if LOWEST < mean < HIGHEST
    ]
    assert 0 < len(kept) < len(means)
    updated = Counter(
        (one.query, one.response, round(one.reward, 6))
        for update in run.updates()
        for one in update
    )
    assert updated == rewarded(kept)


def test_the_judges_server_ends_with_the_run(run: Training) -> None:
    def servers() -> list[list[str]]:
        words = [one.info["cmdline"] or [] for one in psutil.process_iter(["cmdline"])]
        return [line for line in words if "serve" in line and str(MODEL) in line]

    wait_until(lambda: not servers(), "the judge's server outlived the run")
