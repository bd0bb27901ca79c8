"""True quality of a policy of the study while it was trained, on queries that no training used.

``python -m recipes.coscaling.measure out/coscaling/runs/grm_k8/1 --out FILE`` asks the hidden
checker about answers to the tuning and the held-out queries, at every step whose weights were kept.
Several steps' weights are averaged, so that a figure hangs less on the last batch.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from safetensors.torch import load_file
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM

from grm_plugin.errors import ConfigError, quoted
from grm_plugin.reference.policy import POLICY_MODEL
from grm_plugin.reference.policy.sampling import Answer, answered, fixed_tasks
from grm_plugin.reference.tasks.task import Task
from grm_plugin.running.whole_file import writing
from recipes.coscaling.plan import STUDY, Plan, Slice, kept_folder, kept_steps, plan

_WEIGHTS = "model.safetensors"
_SEED = 0  # of the answers: the same for every policy


def main(
    run: Annotated[Path, typer.Argument(help="Output folder of a run.")],
    out: Annotated[Path, typer.Option(help="JSON file.")],
    by: Annotated[Path, typer.Option("--plan", help="What was run.")] = STUDY,
) -> None:
    """Measure every kept step of RUN."""
    torch.set_num_threads(1)
    settings = plan(by)
    tokenizer = Tokenizer.from_file(str(POLICY_MODEL / "tokenizer.json"))
    tasks = {name: tasks_of(settings, name) for name in settings.queries}
    points = [
        {"step": step}
        | {
            name: _told(answered(model, tokenizer, asked, seed=_SEED))
            for name, asked in tasks.items()
        }
        for step, model in policies(run, settings.averaged)
    ]
    with writing(out) as file:
        file.write(json.dumps(points, indent=1) + "\n")


def tasks_of(settings: Plan, name: Slice) -> list[Task]:
    """The queries of a slice of the plan."""
    slice_ = settings.queries[name]
    return fixed_tasks(slice_.number, seed=slice_.seed, split=slice_.split)


def policies(run: Path, window: int) -> Iterator[tuple[int, Any]]:
    """The policy at each kept step, with the mean of its last ``window`` weights.

    Weights from before training count for step 0 alone.

    Args:
        run: output folder of a run.
        window: of how many kept steps weights are averaged, 1 and more.

    Yields:
        the step, and the model, which is the same object each time.

    Raises:
        ConfigError: nothing was kept.
    """
    steps = kept_steps(run)
    if not steps:
        raise ConfigError(f"{quoted(str(run))}: expected weights of a run, found none")
    model = AutoModelForCausalLM.from_pretrained(kept_folder(run, steps[0])).eval()
    model.to("cuda" if torch.cuda.is_available() else "cpu")
    for place, step in enumerate(steps):
        used = [one for one in steps[max(0, place - window + 1) : place + 1] if one or not step]
        weights = averaged([kept_folder(run, one) for one in used])
        model.load_state_dict(weights, strict=False)  # tied weights are saved once
        yield step, model


def averaged(folders: Sequence[Path]) -> dict[str, torch.Tensor]:
    """The mean of the weights in ``folders``, tensor by tensor."""
    weights = [load_file(folder / _WEIGHTS) for folder in folders]
    return {name: torch.stack([one[name] for one in weights]).mean(0) for name in weights[0]}


def _told(given: Sequence[Answer]) -> dict[str, float]:
    """True quality, 0..1, its spread over answers, and what they look like."""
    qualities = [one.quality for one in given]
    return {
        "quality": statistics.fmean(qualities),
        "deviation": statistics.pstdev(qualities),
        "ended": statistics.fmean(one.finished for one in given),
        "words": statistics.fmean(len(one.response.split()) for one in given),
    }


if __name__ == "__main__":
    typer.run(main)
