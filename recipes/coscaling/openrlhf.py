"""Train one policy of the co-scaling study with OpenRLHF, on CPU cores if there is no GPU.

``python -m recipes.coscaling.openrlhf --judge FILE --data prompts.jsonl --seed 1 --output_dir DIR``
runs the unmodified trainer as ``recipes/reference/openrlhf/grpo.sh`` does, and leaves what
:mod:`recipes.coscaling.policy` leaves: ``metrics.jsonl``, ``verdicts.jsonl`` and the last weights.
A training that was killed begins anew; one that ended is not run again for what comes after it.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from grm_plugin.correlation import Correlation
from grm_plugin.hosts.counting import Tally
from grm_plugin.hosts.inputs.lines import read_json_lines
from grm_plugin.hosts.metrics import numbers
from grm_plugin.records import read_verdicts
from grm_plugin.reference.policy import POLICY_MODEL, true_quality
from grm_plugin.report.terminal import say
from grm_plugin.types import Group, Verdict
from grm_plugin.types.groups import digest
from recipes.coscaling.following import logged, rewarded
from recipes.coscaling.plan import kept_folder, plan
from recipes.coscaling.spending import spent

RECIPE = Path("recipes/reference/openrlhf/grpo.sh")
LEARNING_RATE = 5e-4  # as grpo.yaml says for TRL
_PROMPTS = 32  # of a rollout, as the recipe says
_ON_A_CPU = ("--ds.attn_implementation", "eager", "--vllm.enforce_eager")


def main(
    judge: Annotated[str, typer.Option(help="Judge settings.")],
    data: Annotated[Path, typer.Option(help="Prompts with their requirements, a JSONL file.")],
    output_dir: Annotated[
        Path, typer.Option("--output_dir", help="Folder of the run; emptied before a training.")
    ],
    seed: Annotated[int, typer.Option(help="Of the training.")],
    rounds: Annotated[int, typer.Option(min=1, help="Rollouts.")],
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="KEY=VALUE over the judge settings.")
    ] = None,
) -> None:
    """Train, keep the last weights, and write what each round was worth."""
    chosen = options(judge, data, output_dir, seed=seed, rounds=rounds, settings=set_ or ())
    inputs = [digest(Path(one).read_text(encoding="utf-8")) for one in (judge, data)]
    trained, told = output_dir / "trained.json", json.dumps([*chosen, *inputs])
    if not trained.is_file() or trained.read_text(encoding="utf-8") != told:
        _train(chosen, output_dir)
        trained.write_text(told, encoding="utf-8")
    lines = [json.dumps(row) for row in rows(output_dir, data)]
    (output_dir / "metrics.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _train(chosen: Sequence[str], out: Path) -> None:
    # only who runs this needs Ray
    from recipes.openrlhf_on_cpu.cluster import ENVIRONMENT, cluster

    shutil.rmtree(out, ignore_errors=True)
    shutil.copytree(POLICY_MODEL, kept_folder(out, 0))
    command = ["bash", str(RECIPE), *chosen, *_ON_A_CPU]
    with cluster() as address, (out / "log.txt").open("wb") as log:
        variables = {**os.environ, **ENVIRONMENT, "RAY_ADDRESS": address}
        done = subprocess.run(command, env=variables, stdout=log, stderr=log, check=False)  # noqa: S603
    if done.returncode:
        say(f"openrlhf: ended with code {done.returncode}; see {out / 'log.txt'}")
        sys.exit(done.returncode)


def options(
    judge: str, data: Path, out: Path, *, seed: int, rounds: int, settings: Sequence[str] = ()
) -> list[str]:
    """What the trainer is told beside what the recipe tells it.

    Args:
        judge: file of the judge's settings.
        data: the prompts.
        out: folder of the run.
        seed: of the training.
        rounds: rollouts.
        settings: KEY=VALUE over those of the file.
    """
    chosen = {
        "--grm_config": Path(judge).resolve(),
        "--actor.adam.lr": LEARNING_RATE,
        "--train.seed": seed,
        "--data.prompt_dataset": data,
        "--data.max_samples": rounds * _PROMPTS,
        "--ckpt.output_dir": kept_folder(out, rounds * plan().updates),
        "--ckpt.path": out / "checkpoints",
        "--logger.tensorboard_dir": out / "metrics",
        "--grm.record": out / "verdicts.jsonl",
    }
    pairs = [setting.partition("=") for setting in settings]
    chosen |= {f"--grm.{key}": value for key, _, value in pairs}
    return [str(text) for option in chosen.items() for text in option]


def rows(run: Path, data: Path) -> Iterator[dict[str, Any]]:
    """What each round was worth, by its verdicts, under the names that TRL's log has.

    Args:
        run: folder with the verdicts of every process of the run.
        data: the prompts, with what each asks for.
    """
    known = (row for _, row in read_json_lines(data))
    asked = {row["prompt"][-1]["content"]: row["requirements"] for row in known}
    rounds: dict[int, list[Verdict]] = {}
    for path in sorted(run.glob("verdicts.jsonl*")):
        for verdict in read_verdicts(path):
            rounds.setdefault(verdict.group.metadata["step"], []).append(verdict)
    for place, step in enumerate(sorted(rounds), 1):
        costs = spent(rounds[step], run / "verdicts.jsonl")
        yield {"step": place * plan().updates, **_row(rounds[step], asked), **costs}


def _row(verdicts: Sequence[Verdict], asked: Mapping[str, Any]) -> dict[str, Any]:
    qualities_G_N = [_qualities(one.group, asked) for one in verdicts]
    pairs_G = [rewarded(*both) for both in zip(verdicts, qualities_G_N, strict=True)]
    qualities = [one for qualities_N in qualities_G_N for one in qualities_N]
    pairs = [pair for pairs_N in pairs_G for pair in pairs_N]
    together = Correlation()
    for pairs_N in pairs_G:
        together.add(pairs_N)
    rewards = [reward for _, reward in pairs]
    return {
        "reward": statistics.fmean(rewards),
        "rewards/grm/std": statistics.pstdev(rewards),
        "true_quality": statistics.fmean(qualities),
        "true_quality_deviation": statistics.pstdev(qualities),
        **logged(pairs),
        **{f"grm/{name}": value for name, value in numbers(Tally.of(verdicts)).items()},
        "grm/truth_correlation": None if math.isnan(together.value) else together.value,
    }


def _qualities(group: Group, asked: Mapping[str, Any]) -> list[float]:
    requirements = asked[group.conversation[-1].content]
    return true_quality(group.responses, [requirements] * len(group.responses))


if __name__ == "__main__":
    typer.run(main)
