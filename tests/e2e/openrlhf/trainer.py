"""Runs of the real trainer and what they leave behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import yaml
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from transformers import AutoTokenizer

from grm_plugin.records import read_verdicts
from grm_plugin.reference.policy import POLICY_MODEL, write_prompts
from grm_plugin.types import Verdict
from recipes.openrlhf_on_cpu import cluster as on_cpu

PATIENCE_S = 900.0
SAMPLES = 4
PROMPTS_PER_STEP = 4
LAUNCHER = (sys.executable, "-m", "grm_openrlhf.train_ppo_ray")
IN_EVERY_PROCESS = Path(__file__).parent / "in_every_process"
_SOURCES = (str(IN_EVERY_PROCESS), on_cpu.ENVIRONMENT["PYTHONPATH"])
ENVIRONMENT = {**on_cpu.ENVIRONMENT, "PYTHONPATH": os.pathsep.join(_SOURCES)}
OPTIONS = {
    "actor.model_name_or_path": POLICY_MODEL,
    "actor.num_gpus_per_node": 1,
    "actor.adam.lr": 1e-3,
    "algo.advantage.estimator": "group_norm",
    "algo.kl.init_coef": 0,
    "data.input_key": "prompt",
    "data.apply_chat_template": True,
    "data.max_len": 256,
    "ds.attn_implementation": "eager",
    "ds.zero_stage": 0,
    "rollout.batch_size": PROMPTS_PER_STEP,
    "rollout.n_samples_per_prompt": SAMPLES,
    "rollout.micro_batch_size": SAMPLES,
    "rollout.max_new_tokens": 32,
    "train.batch_size": PROMPTS_PER_STEP * SAMPLES,
    "train.micro_batch_size": SAMPLES,
    "vllm.num_engines": 1,
    "vllm.enforce_eager": True,
}


def cluster() -> AbstractContextManager[str]:
    """The address of a running Ray cluster, whose updates are written down."""
    return on_cpu.cluster(ENVIRONMENT)


@dataclass(frozen=True)
class Sample:
    """A response as it reached the policy update."""

    prompt: str
    response: str
    reward: float
    advantage: float
    logs: Mapping[str, float]

    @property
    def query(self) -> str:
        """What is asked, without the policy's chat template."""
        return self.prompt.partition("[Query]\n")[2].rpartition("\n[Response 1]")[0]


def record(folder: Path) -> Path:
    """Where the verdicts of a run go, or the start of the files' names when there are several."""
    return folder / "verdicts.jsonl"


def judged_by(folder: Path, settings: Mapping[str, Any]) -> list[str]:
    """The launcher's options for a judge with ``settings``; its verdicts are recorded."""
    config = folder / "grm.yaml"
    config.write_text(yaml.safe_dump({**settings, "record": str(record(folder))}))
    return ["--reward_model", "grm_plugin", "--grm_config", str(config)]


class Training:
    """A run of a trainer's command in ``folder``; a context, at whose end it is over.

    Args:
        address: of the Ray cluster.
        folder: for everything it reads and writes.
        command: program and first arguments.
        steps: policy updates, each on prompts of its own.
        options: the trainer's, in addition to those above.
    """

    def __init__(
        self,
        address: str,
        folder: Path,
        command: Sequence[str],
        *,
        steps: int,
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self.folder = folder
        self.steps = steps
        chosen: dict[str, Any] = {
            **OPTIONS,
            "data.prompt_dataset": write_prompts(folder, PROMPTS_PER_STEP * steps, seed=5),
            "ckpt.output_dir": folder / "out",
            "ckpt.path": folder / "checkpoints",
            "logger.tensorboard_dir": folder / "metrics",
            **(options or {}),
        }
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [*command, *as_arguments(chosen)],
                cwd=folder,
                env={**os.environ, **ENVIRONMENT, "RAY_ADDRESS": address},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    @property
    def _log(self) -> Path:
        return self.folder / "log.txt"

    @property
    def output(self) -> str:
        """What it has printed so far, with the lines of its workers."""
        return self._log.read_text(errors="replace")

    def wait(self) -> int:
        """Its exit status."""
        return self._process.wait(PATIENCE_S)

    def until(self, happened: Callable[[], object]) -> None:
        """Return as soon as ``happened()``; the trainer must not end before."""
        deadline = time.monotonic() + PATIENCE_S
        while not happened():
            assert self._process.poll() is None, self.output[-4000:]
            assert time.monotonic() < deadline, self.output[-4000:]
            time.sleep(0.1)

    @property
    def queries(self) -> list[str]:
        """What is asked in its prompts."""
        lines = (self.folder / "train.jsonl").read_text().splitlines()
        return [json.loads(line)["prompt"][-1]["content"] for line in lines]

    def verdicts(self) -> list[Verdict]:
        """Every verdict recorded so far, by whichever process."""
        files = sorted(self.folder.glob(f"{record(self.folder).name}*"))
        return [verdict for file in files for verdict in read_verdicts(file)]

    def updates(self) -> list[list[Sample]]:
        """What each policy update was given; see ``in_every_process/watched_updates.py``."""
        tokenizer = AutoTokenizer.from_pretrained(POLICY_MODEL)

        def sample(row: dict[str, Any]) -> Sample:
            text = tokenizer.decode(row.pop("response"), skip_special_tokens=True)
            return Sample(response=text, **row)

        lines = (self.folder / "out" / "updates.jsonl").read_text().splitlines()
        return [[sample(row) for row in json.loads(line)] for line in lines]

    @staticmethod
    def plain(text: str) -> str:
        """``text`` without special tokens: over HTTP they are part of a response."""
        for token in AutoTokenizer.from_pretrained(POLICY_MODEL).all_special_tokens:
            text = text.replace(token, "")
        return text

    def metrics(self) -> dict[str, list[float]]:
        """What the trainer logged in each step, by name."""
        (folder,) = (self.folder / "metrics").iterdir()
        events = EventAccumulator(str(folder)).Reload()
        return {
            name: [event.value for event in events.Scalars(name)]
            for name in events.Tags()["scalars"]
        }


def of_group(verdict: Verdict, updates: Sequence[Sequence[Sample]]) -> list[Sample]:
    """The samples of the group of ``verdict``; none when it did not reach an update."""
    asked = verdict.group.conversation[-1].content
    found = ([one for one in update if one.query == asked] for update in updates)
    return next(filter(None, found), [])


def as_arguments(options: Mapping[str, Any]) -> list[str]:
    """Options as a command line; True stands for a flag, a tuple for several values."""
    words: list[str] = []
    for name, value in options.items():
        values = value if isinstance(value, tuple) else (value,)
        words += [f"--{name}", *(str(one) for one in values if one is not True)]
    return words
