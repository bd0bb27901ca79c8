"""What the commands that train a classifier of one logit have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

from typer import Option

from grm_plugin.cli.progress import Meter
from grm_plugin.report.terminal import say

Out = Annotated[Path, Option("--out", help="Folder for model, report and checkpoints.")]
LearningRate = Annotated[float, Option(min=0.0, help="Of AdamW; the paper's for 27B.")]
Warmup = Annotated[float, Option(min=0.0, max=1.0, help="Share of steps; the rate rises.")]
WeightDecay = Annotated[float, Option(min=0.0, help="Of AdamW.")]
Dtype = Annotated[str, Option(help="Of the weights in training.")]
GradientCheckpointing = Annotated[
    bool, Option("--gradient-checkpointing", help="Take less memory and more time.")
]


@contextmanager
def step_meter() -> Iterator[Callable[[int, int, float], None]]:
    """Shows how far a training is: step, number of steps, mean loss (nats)."""
    with Meter(None, "steps", state="loading") as meter:

        def tell(step: int, steps: int, loss: float) -> None:
            meter.show(step, f"of {steps}, loss {loss:.4f}")

        yield tell


def tell_trained(steps: int, seconds: float, loss: float) -> None:
    """Say how a training ended."""
    say(f"{steps} steps in {seconds:.0f} s, loss {loss:.4f}")
