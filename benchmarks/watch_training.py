"""Real training, watched: TRL's GRPO on the tiny policy, judged by the reference GRM.

    python benchmarks/watch_training.py --seeds 1,2,3 --steps 60 --onset 30

Each seed trains twice. In the clean run every alarm is false. In the other the judge begins at
step ``onset`` to add points for length to what it wrote; the control judge does not. A finished run
stays in ``out/watch_training/``, to be skipped.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from machine import save
from transformers import TrainerCallback
from trl import GRPOConfig, GRPOTrainer

from grm_plugin import hookimpl
from grm_plugin.engine import Draw, Engine, EngineFactory, Limits, SampleRequest
from grm_plugin.errors import EngineError
from grm_plugin.hookspecs import Register
from grm_plugin.plugins import Plugin, Plugins, installed
from grm_plugin.reference.judge import MODEL, ReferenceEngine, ReferenceJudge
from grm_plugin.reference.policy import POLICY_MODEL, prompt_rows, watch_true_quality
from grm_trl import GRMReward

WORK = Path(__file__).parents[1] / "out/watch_training"
PROMPTS, RESPONSES = 8, 4
_RESPONSE = re.compile(r"\[Response (\d+)\]\n(.*?)(?=\n\[Response \d+\]\n|\n\[Judgment\])", re.S)
_BOX = re.compile(r"\\boxed\{([\d, ]+)\}")
SETTINGS: dict[str, Any] = {
    "use_cpu": True,
    "learning_rate": 7e-4,
    "per_device_train_batch_size": PROMPTS * RESPONSES,
    "num_generations": RESPONSES,
    "max_completion_length": 48,
    "temperature": 1.0,
    "scale_rewards": "batch",
    "beta": 0.0,
    "bf16": False,
    "gradient_checkpointing": False,
    "logging_steps": 1,
    "save_strategy": "no",
    "report_to": "none",
    "disable_tqdm": True,
}


class Biased(ReferenceEngine):
    """The reference GRM, whose boxes get points for length while ``on``."""

    on, for_a_word = False, 1

    async def sample(self, request: SampleRequest) -> Sequence[Draw | EngineError]:
        draws = await super().sample(request)
        if not self.on:
            return draws
        shown = _RESPONSE.findall(request.messages[-1].content)
        extra = [for_length(text, self.for_a_word) for _, text in shown]
        return [one if isinstance(one, EngineError) else _more(one, extra) for one in draws]


def for_length(text: str, for_a_word: int = 1) -> int:
    """Points for a response of so many words, 7 at most."""
    return min(7, for_a_word * len(text.split()))


def _more(draw: Draw, extra: Sequence[int]) -> Draw:
    def raised(box: re.Match[str]) -> str:
        scores = [int(one) for one in box[1].split(",")]
        if len(scores) != len(extra):
            return box[0]
        both = zip(scores, extra, strict=True)
        points = ", ".join(str(min(10, score + more)) for score, more in both)
        return f"\\boxed{{{points}}}"

    return replace(draw, text=_BOX.sub(raised, draw.text))


class Offer:
    """Offers the engine ``biased``; ``made`` is the one that was made."""

    made: Biased

    def __init__(self, for_a_word: int) -> None:
        self._for_a_word = for_a_word

    @hookimpl
    def grm_register_engines(self, register: Register[EngineFactory]) -> None:
        register("biased", self)

    Options = ReferenceJudge.Options
    defaults = ReferenceJudge.defaults

    def __call__(self, options: Mapping[str, Any], limits: Limits) -> Engine:
        self.made = Biased({**options, "model": str(MODEL)}, limits)
        self.made.for_a_word = self._for_a_word
        return self.made


class _Onset(TrainerCallback):  # type: ignore[misc]
    def __init__(self, offer: Offer, step: int | None) -> None:
        self._offer, self._step = offer, step

    def on_step_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._offer.made.on = self._step is not None and state.global_step >= self._step


def train(
    folder: Path,
    *,
    seed: int,
    steps: int,
    onset: int | None,
    start: int,
    k: int = 2,
    for_a_word: int = 1,
) -> dict[str, Any]:
    """One run; what was logged, and its alarms.

    Args:
        folder: of TRL's output.
        seed: of everything.
        steps: of training.
        onset: the step at which the judge begins to like length; None: never.
        start: rounds from which what is usual is taken.
        k: samples of both judges.
        for_a_word: points that the biased judge gives for each word, up to 7.
    """
    torch.set_num_threads(1)
    offer, there = Offer(for_a_word), installed()
    watch = {
        "control": {"share": 1.0, "judge": {"engine": "reference", "k": k}},
        "start": start,
        "artefacts": {"list": "^the words"},
    }
    plugins = Plugins([*there.plugins, Plugin("biased", offer)], there.broken)
    reward = GRMReward(engine="biased", k=k, seed=seed, watch=watch, plugins=plugins)
    config = GRPOConfig(str(folder), max_steps=steps, seed=seed, **SETTINGS)
    data = Dataset.from_list(list(prompt_rows(steps * PROMPTS, seed=seed)))
    started, cpu = time.monotonic(), time.process_time()
    callbacks = [_Onset(offer, onset)]
    trainer = GRPOTrainer(
        str(POLICY_MODEL), [reward, watch_true_quality], config, data, callbacks=callbacks
    )
    try:
        trainer.train()
        seen = reward._grm.watch
        alarms = [{"signal": one.signal, "step": one.step, "said": one.said} for one in seen.alarms]
    finally:
        reward.close()
    rows = [row for row in trainer.state.log_history if "reward" in row]
    return {
        "seed": seed,
        "steps": steps,
        "onset": onset,
        "start": start,
        "k": k,
        "points for a word": for_a_word,
        "alarms": alarms,
        "seconds": round(time.monotonic() - started),
        "cpu_seconds": round(time.process_time() - cpu),
        **{name: [_short(row.get(key)) for row in rows] for name, key in LOGGED.items()},
    }


LOGGED = {
    "gap_z": "grm/control_gap_z",
    "gap_error": "grm/control_gap_error",
    "correlation": "grm/control_correlation",
    "reward": "grm/reward_mean",
    "true_quality": "true_quality",
    "alarms_logged": "grm/alarms",
}


def _short(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def main() -> None:
    """Train what is missing, and save all there is."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--onset", type=int, default=30)
    parser.add_argument("--start", type=int, default=10)
    parser.add_argument("--k", type=int, default=2, help="samples of both judges")
    options = parser.parse_args()
    for seed in map(int, options.seeds.split(",")):
        for onset in (None, options.onset):
            path = WORK / f"{'clean' if onset is None else 'biased'}-{seed}.json"
            if not path.exists():
                made = {
                    "steps": options.steps,
                    "onset": onset,
                    "start": options.start,
                    "k": options.k,
                }
                run = train(WORK / "trl", seed=seed, **made)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(json.dumps(run), encoding="utf-8")
    runs = [json.loads(path.read_text()) for path in sorted(WORK.glob("*.json"))]
    print("saved", save("watch_training", summary(runs), "torch", "transformers", "trl"))


def summary(runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """False alarms of the clean runs, and delays of the others, with the runs themselves."""
    clean = [run for run in runs if run["onset"] is None]
    biased = [run for run in runs if run["onset"] is not None]
    delays = [_delay(run) for run in biased]
    known = [one for one in delays if one is not None and one >= 0]
    return {
        "groups of the control judge a step": PROMPTS,
        "clean runs": len(clean),
        "false alarms": sum(len(run["alarms"]) for run in clean),
        "biased runs": len(biased),
        "delays in steps": delays,
        "median delay": statistics.median(known) if known else None,
        "runs": list(runs),
    }


def _delay(run: Mapping[str, Any]) -> int | None:
    steps = [alarm["step"] for alarm in run["alarms"] if alarm["step"] is not None]
    return min(steps) - run["onset"] if steps else None


if __name__ == "__main__":
    main()
