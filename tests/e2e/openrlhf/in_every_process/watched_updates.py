"""Writes down what reaches the policy update: the last place where a reward is still a number.

One line of ``updates.jsonl`` in the output folder for each update: a list of samples, each with its
prompt, the tokens of its response, its reward, the advantage of its first token, and its logs.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import wrapt


@wrapt.when_imported("openrlhf.trainer.ray.ppo_actor")
def write_updates_down(module: Any) -> None:
    ppo_train = module.ActorPPOTrainer.ppo_train

    def watched(trainer: Any, kl_ctl: float) -> Any:
        folder = Path(trainer.args.ckpt.output_dir)
        folder.mkdir(parents=True, exist_ok=True)
        line = json.dumps([as_row(sample) for sample in trainer.replay_buffer.items])
        with (folder / "updates.jsonl").open("a") as file:
            file.write(line + "\n")
        return ppo_train(trainer, kl_ctl)

    module.ActorPPOTrainer.ppo_train = watched


def as_row(sample: Any) -> dict[str, Any]:
    is_action = sample.action_mask.bool()
    return {
        "prompt": sample.prompts[0],
        "response": sample.sequences[1:][is_action].tolist(),
        "reward": sample.rewards.item(),
        "advantage": sample.advantages[is_action][0].item(),
        "logs": {name: float(value) for name, value in sample.info.items()},
    }
