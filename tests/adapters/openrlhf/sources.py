"""Sources with the outline of an OpenRLHF release: what is read of it, and nothing else."""

from __future__ import annotations

from pathlib import Path

_COMMAND = """
import argparse
import os
from datetime import datetime

{imports}
{train}


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    for prefix in ("actor", "critic"):
        parser.add_argument(f"--{{prefix}}{dot}lr", type=float, default=1e-6)
    parser.add_argument("--run_name", default="ppo_%s" % datetime.now().strftime("%m%d"))
    parser.add_argument("--{run}agent_func_path", default=None)
    parser.add_argument("--{remote_url}", default=None)
    parser.add_argument("--{reward_model}", default=None)
    parser.add_argument("--{reward}clip_range", type=float, nargs=2, default=(-10, 10))
    parser.add_argument("--{vllm}num_engines", type=int, default=None)
    parser.add_argument("--{rollout}{batch_size}", type=int, default=8)
    parser.add_argument("--{rollout}n_samples_per_prompt", type=int, default=1)
    parser.add_argument("--{rollout}temperature", type=float, default=1.0)
    parser.add_argument("--{filtering}", action="store_true")
    parser.add_argument("--{estimator}", default="gae")
    parser.add_argument("--{loss_type}", default="ppo")
    parser.add_argument("--{eval}dataset", default=None)
    parser.add_argument("--{eval}temperature", type=float, default=0.6)
    parser.add_argument("--{resume}", action="store_true")
    parser.add_argument("--{checkpoints}", default="./checkpoints")
    parser.add_argument("--{data}input_key", default="input")
    parser.add_argument("--{data}label_key", default=None)
    args = parser.parse_args()
    train(args)
"""

_IMPORTS = """
import asyncio
import json
import logging
import time

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from grm_openrlhf.ending import RemoteLedger
from grm_openrlhf.rounds import Rounds
from grm_openrlhf.servers import Keepers
from grm_openrlhf.settings import ENV, RunSettings
from grm_plugin.types import Group, Verdict
"""

_TRAIN = """
def train(args):
    ray.init(runtime_env={"env_vars": {"NCCL_DEBUG": os.environ.get("NCCL_DEBUG", "WARN")}})
"""

TRAIN_IN_RAY = (
    _TRAIN.replace("    ray", "    if not ray.is_initialized():\n        ray")
    + """
    nodes = [node["NodeID"] for node in ray.nodes() if node["Alive"]]
    everywhere = [NodeAffinitySchedulingStrategy(node, soft=False) for node in nodes]
    actors = [ray.remote(Rollouts).options(scheduling_strategy=one).remote() for one in everywhere]
    told = [ray.get(actor.told.remote()) for actor in actors]
    print("TOLD", json.dumps({"run_name": args.run_name, "actors": told}))


class Rollouts:
    async def told(self):
        found = {"config": None, "urls": [], "nccl": os.environ.get("NCCL_DEBUG")}
        if ENV in os.environ:
            settings = RunSettings.from_environment()
            found["config"] = dict(settings.config)
            if replicas := settings.config["engine"].get("replicas"):
                found["urls"] = await Keepers(replicas).urls(60)
        return found
"""
)

TRAIN_AND_COUNT = (
    _TRAIN.replace("    ray", "    if not ray.is_initialized():\n        ray")
    + """
    actors = [ray.remote(Rollouts).remote() for _ in range(2)]
    ray.get([actor.judged.remote(number, args.run_name) for number, actor in enumerate(actors)])
    print("HEARD", json.dumps(ray.get([actor.heard.remote() for actor in actors])))
    if args.run_name == "fails":
        raise RuntimeError("the trainer's own fault")


class Rollouts:
    async def judged(self, number, rewarded):
        self.shares = []
        hear = self.shares.extend
        self.training = Rounds(RemoteLedger(), f"actor-{number}", training=True, hear=hear)
        places = [self.training.enter(asyncio.get_running_loop().create_future()) for _ in range(3)]
        for place, reward in zip(places, [1.0, *[0.5] * 2], strict=True):
            has_one = reward == 1.0 or rewarded == "all"
            verdict = Verdict(Group.of("q", ["a"]), (reward,) if has_one else None)
            place.judged(verdict, verdict)
        await places[0].means()

    async def heard(self):
        lost = asyncio.get_running_loop().create_future()  # a round in which nothing is judged
        place = self.training.enter(lost)
        lost.cancel()
        await place.means()
        actors = [share.actor for share in self.shares for _ in share.verdicts]
        return {actor: actors.count(actor) for actor in actors}
"""
)

TRAIN_WITHOUT_REWARDS = (
    _TRAIN.replace("    ray", "    if not ray.is_initialized():\n        ray")
    + """
    actors = [ray.remote(Rollouts).remote() for _ in range(3)]
    ray.get([actor.fail.remote(number) for number, actor in enumerate(actors)])
    time.sleep(1)  # lines of actors take a moment


class Rollouts:
    def fail(self, number):
        for group in range(3):
            logging.warning("group %s has no reward: status 50%s of judge%s", group, number, group)
            logging.warning("something else number %s", number)
"""
)

_DOTTED = {
    **{"dot": ".", "run": "train.", "reward": "reward.", "vllm": "vllm.", "data": "data."},
    **{"rollout": "rollout.", "batch_size": "batch_size", "eval": "eval."},
    "remote_url": "reward.remote_url",
    "reward_model": "reward.model_name_or_path",
    "filtering": "algo.dynamic_filtering_enable",
    "estimator": "algo.advantage.estimator",
    "loss_type": "actor.policy_loss_type",
    "resume": "ckpt.load_enable",
    "checkpoints": "ckpt.path",
}
_FLAT = {
    **{"dot": "_", "run": "", "reward": "reward_", "vllm": "vllm_", "data": ""},
    **{"rollout": "", "batch_size": "rollout_batch_size", "eval": "eval_"},
    "remote_url": "remote_rm_url",
    "reward_model": "reward_pretrain",
    "filtering": "dynamic_filtering",
    "estimator": "advantage_estimator",
    "loss_type": "policy_loss_type",
    "resume": "load_checkpoint",
    "checkpoints": "ckpt_path",
}

_FILES = {
    "__init__.py": "",
    "cli/__init__.py": "",
    "utils/agent.py": "async def execute(self, prompt, sampling_params, llm_engine): ...",
    "trainer/ray/vllm_engine.py": "async def generate_responses(self, num_samples): ...",
    "datasets/prompts_dataset.py": "def collate_fn(self, items): ...",
    "utils/loss_utils.py": "def iter_grad_accum_global_norm(data_iter): ...",
}


def write_release(
    root: Path,
    *,
    dotted: bool = True,
    without: tuple[str, ...] = (),
    command: str | None = None,
    train: str | None = None,
) -> Path:
    """An OpenRLHF below ``root``.

    Args:
        root: what becomes the folder of its package.
        dotted: how its options are spelled.
        without: files it lacks.
        command: another source of its command.
        train: what its command runs; by default nothing that can run.
    """
    files = {name: text for name, text in _FILES.items() if name not in without}
    spelled = _DOTTED if dotted else _FLAT
    files["cli/train_ppo_ray.py"] = command or _COMMAND.format(
        imports=_IMPORTS if train else "from a_library_of_the_trainer import something",
        train=train or _TRAIN,
        **spelled,
    )
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root
