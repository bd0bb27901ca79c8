"""Train one policy of the co-scaling study with TRL: one arm, one seed.

``python -m recipes.coscaling.policy --config recipes/coscaling/grpo.yaml
--judge recipes/coscaling/arms/grm_k8.yaml --data prompts.jsonl --seed 1 --output_dir out/grm_k8/1``

Run the same command again after a kill, and it goes on from its last checkpoint. In the output
folder are at the end ``metrics.jsonl`` with one line a step, ``verdicts.jsonl``, and the weights
after every ``keep_steps`` steps in ``kept/``. Keys of the YAML are those of :class:`Arm`, of TRL's
``GRPOConfig`` and of its ``ModelConfig``.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from datasets import load_dataset
from transformers import AutoTokenizer, TrainerCallback
from trl import GRPOConfig, ModelConfig

from grm_plugin.cli.judge import read_pairs
from grm_plugin.config import GRMConfig
from grm_plugin.reference.policy import true_quality
from grm_plugin.spct.refresh_process import refreshing
from grm_plugin.spct.versions import CURRENT
from grm_trl import GRMReward
from grm_trl.resuming import going_on
from grm_trl.small import SmallModelGRPOTrainer
from grm_trl.training import MetricsFile, StopAtNaN, run_command
from recipes.coscaling import ensemble
from recipes.coscaling.following import logged, rated
from recipes.coscaling.plan import CHECKER, HERE, kept_folder
from recipes.coscaling.seconds import CoreSeconds
from recipes.coscaling.spending import Spending, spent

REFRESH = (
    *("--template", f"{HERE}/scalar.txt", "--every", "64", "--replay", "0.5"),
    *("--learning-rate", "3e-4", "--device-batch", "16", "--idle-s", "900"),
)
"""How the scalar RM is trained on: a version after 64 judged groups, half of them older ones."""
TRUTH = "grm_plugin.reference.policy.true_quality"


@dataclass
class Arm:
    """What rewards the policy, and what is kept of the run."""

    judge: str = field(metadata={"help": f"Judge settings, or `{CHECKER}` for the hidden checker."})
    data: str = field(metadata={"help": "Prompts with their requirements, a JSONL file."})
    set: list[str] = field(
        default_factory=list, metadata={"help": "KEY=VALUE over the judge settings."}
    )
    refresh: str | None = field(
        default=None, metadata={"help": "A scalar RM that is trained on beside the policy."}
    )
    keep_steps: int = field(default=16, metadata={"help": "Steps between weights that are kept."})


def main(arm: Arm, training: GRPOConfig, model: ModelConfig) -> None:
    """Train, or go on; the last weights are kept whatever the number of steps."""
    torch.set_num_threads(1)
    training.logging_nan_inf_filter = False  # which would hide a loss that is NaN
    folder, name = Path(training.output_dir), model.model_name_or_path
    rows = load_dataset("json", data_files=arm.data, split="train")
    settings = settings_of(arm, folder)
    last = going_on(training, name, rows, judge=_decides(arm.judge, settings))
    spending = Spending(Path(settings["record"]))
    trainer = TellingTrainer(
        name,
        rewards(arm.judge, settings, spending),
        training,
        rows,
        spending=spending,
        processing_class=AutoTokenizer.from_pretrained(name),
        callbacks=[
            MetricsFile(folder / "metrics.jsonl"),
            StopAtNaN(),
            KeptWeights(folder, arm.keep_steps),
        ],
    )
    with _refreshing(arm, settings):
        trainer.train(resume_from_checkpoint=last)


def settings_of(arm: Arm, folder: Path) -> dict[str, Any]:
    """What is set over the file of the judge; a scalar RM that is refreshed is the newest one."""
    own = {"record": folder / "verdicts.jsonl"}
    if arm.refresh:
        own["scalar.classifier.model"] = folder / "scalar" / CURRENT
    return read_pairs(arm.set, "--set") | {name: str(path) for name, path in own.items()}


def _refreshing(arm: Arm, settings: Mapping[str, Any]) -> AbstractContextManager[None]:
    if not arm.refresh:
        return nullcontext()
    return refreshing(GRMConfig.load(arm.judge, **settings), arm.refresh, options=REFRESH)


def rewards(
    judge: str, settings: Mapping[str, Any], spending: Spending
) -> list[Callable[..., Any]]:
    """The reward functions of an arm; true quality is logged beside all of them.

    Args:
        judge: file of its settings, or ``checker``.
        settings: over those of the file.
        spending: is told of verdicts.
    """
    if judge == CHECKER:
        return [true_quality, watched]
    return [GRMReward(judge, plugins=[ensemble, spending], truth=TRUTH, **settings), watched]


def watched(
    completions: Any, requirements: Any, log_metric: Callable[[str, float], None], **_: object
) -> list[None]:
    """Logs mean and standard deviation of the true quality of a round, and rewards nothing."""
    qualities = true_quality(completions, requirements)
    log_metric("true_quality", statistics.fmean(qualities))
    log_metric("true_quality_deviation", statistics.pstdev(qualities))
    return [None] * len(qualities)


class TellingTrainer(SmallModelGRPOTrainer):
    """Logs what each step cost: FLOPs and tokens of the rewards, and seconds of a core for all.

    How rewards follow true quality is logged beside it.

    Seconds of the clock say more about what else ran than about the arm. Those of a refresh, which
    is a process of its own, count.

    Args:
        spending: counts what the rewards cost.
    """

    def __init__(self, *given: Any, spending: Spending, **named: Any) -> None:
        super().__init__(*given, **named)
        self._spending = spending

    def train(self, *given: Any, **named: Any) -> Any:
        """Begin to count."""
        self._seconds = CoreSeconds()
        return super().train(*given, **named)

    def log(self, logs: dict[str, float], *given: Any, **named: Any) -> None:
        """Add what was spent since the last line."""
        verdicts = self._spending.taken()
        follows = logged(pair for verdict in verdicts for pair in rated(verdict))
        costs = spent(verdicts, self._spending.record)
        told = {"cpu_seconds": self._seconds.taken(), **costs, **follows}
        super().log({**logs, **told}, *given, **named)


def _decides(judge: str, settings: Mapping[str, Any]) -> object:
    """The settings of the judge as JSON: a run does not go on with others."""
    return judge if judge == CHECKER else GRMConfig.load(judge, **settings).model_dump(mode="json")


class KeptWeights(TrainerCallback):  # type: ignore[misc]
    """Saves the weights alone at the start and after every ``steps`` steps.

    Args:
        run: output folder of the run.
        steps: 1 and more.
    """

    def __init__(self, run: Path, steps: int) -> None:
        self._run, self._steps = run, steps

    def on_train_begin(self, args: Any, state: Any, control: Any, **keys: Any) -> None:
        """Keep what the run starts from."""
        if state.global_step == 0:
            self._keep(0, **keys)

    def on_step_end(self, args: Any, state: Any, control: Any, **keys: Any) -> None:
        """Keep the weights of this step, if it is its turn."""
        if state.global_step % self._steps == 0 or state.global_step == state.max_steps:
            self._keep(state.global_step, **keys)

    def _keep(self, step: int, *, model: Any, **_: Any) -> None:
        model.save_pretrained(kept_folder(self._run, step))


if __name__ == "__main__":
    run_command(main, Arm, GRPOConfig, ModelConfig)
