"""``grm train``: a GRM of one's own, step by step; and the embedded models again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from typer import BadParameter, Option, Typer

from grm_plugin.cli import train_data
from grm_plugin.cli.program import program
from grm_plugin.cli.train_meta import meta
from grm_plugin.cli.train_meta_data import meta_data
from grm_plugin.cli.train_refresh import refresh
from grm_plugin.cli.train_reject import reject
from grm_plugin.cli.train_rl_data import rl_data
from grm_plugin.cli.train_sample import sample
from grm_plugin.cli.train_scalar import scalar
from grm_plugin.cli.train_stopper import stopper
from grm_plugin.cli.train_tasks import tasks
from grm_plugin.cli.train_weights import weights
from grm_plugin.errors import not_installed
from grm_plugin.report.terminal import say

train = Typer(help="Train a GRM of your own; or the embedded models again.", no_args_is_help=True)
train.add_typer(train_data.data, name="data")
train.command("tasks")(tasks)
train.command("sample")(sample)
train.command("reject")(reject)
train.command("rl-data")(rl_data)
train.command("meta-data")(meta_data)
train.command("meta")(meta)
train.command("scalar")(scalar)
train.command("refresh")(refresh)
train.command("weights")(weights)
train.command("stopper")(stopper)


@train.command()
def reference(
    folder: Annotated[Path, Option("--out", help="Folder for model, log and checkpoint.")] = Path(
        "out/reference"
    ),
    seed: Annotated[int | None, Option(help="Decides weights and data; default: ours.")] = None,
    steps: Annotated[int | None, Option(min=4, help="Optimizer steps, a multiple of 4.")] = None,
    layers: Annotated[int | None, Option(min=1, help="Of the network.")] = None,
    width: Annotated[int | None, Option(min=32, help="Of the network, a multiple of 32.")] = None,
    tokens: Annotated[int | None, Option(min=1, help="Tokens a step, about.")] = None,
    device: Annotated[str | None, Option(help="A torch device such as cuda; default: cpu.")] = None,
    workers: Annotated[int | None, Option(min=1, help="Processes that draw the data.")] = None,
) -> None:
    """Train the reference GRM from scratch; ours takes an hour on one CPU core.

    Another size takes another rate of learning at times; stages of the curriculum keep their shares
    of the steps.

    Run the same command again after a crash, and it goes on from its last checkpoint. The result
    is a judge like any other: `--engine transformers --model FOLDER --template reference`.
    """
    if steps and steps % 4:
        raise BadParameter(f"--steps: expected a multiple of 4, got {steps}")
    try:
        from grm_plugin.reference.making.recipe import of_size
        from grm_plugin.reference.making.training import train
    except ImportError as error:
        raise not_installed("grm train", "demo", error) from error
    if width and width % 32:
        raise BadParameter(f"--width: expected a multiple of 32, got {width}")
    chosen: dict[str, Any] = {
        "seed": seed, "steps": steps, "layers": layers, "width": width, "tokens": tokens,
        "device": device, "workers": workers,
    }  # fmt: skip
    given = {name: value for name, value in chosen.items() if value is not None}
    report = train(of_size(folder, **given))
    say(f"{report.steps} steps in {report.seconds:.0f} s, loss {report.loss:.4f}")
    say(f"next: {program()} doctor --engine transformers --model {folder} --template reference")
