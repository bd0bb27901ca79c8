"""``grm train refresh``: keeps a scalar RM at what the judge says while a policy trains."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from grm_plugin.cli.terminated import terminable
from grm_plugin.cli.training_options import Dtype, GradientCheckpointing, LearningRate, WeightDecay
from grm_plugin.errors import not_installed
from grm_plugin.pipeline.scalar_reading import load_scalar_template, scalar_template_file
from grm_plugin.report.terminal import say
from grm_plugin.spct.one_judge import OneJudge
from grm_plugin.spct.refresh_settings import Refreshing
from grm_plugin.spct.refreshing import Version, pool_of
from grm_plugin.spct.refreshing import refresh as refresh_from
from grm_plugin.spct.scalar_data import ScalarTable
from grm_plugin.spct.versions import CURRENT


def refresh(
    record: Annotated[
        Path,
        Argument(
            metavar="RECORD",
            help="What a run records: a file, a folder or the start of names; it need not be there "
            "yet.",
        ),
    ],
    base: Annotated[str, Option(help="Folder of the scalar RM to begin with.")],
    folder: Annotated[Path, Option("--out", help="Folder of versions; OUT/current is the newest.")],
    every: Annotated[int, Option(min=1, help="New groups of a version, at least.")] = 64,
    replay: Annotated[
        float, Option(min=0.0, max=0.95, help="Share of older groups beside the new ones.")
    ] = 0.5,
    epochs: Annotated[float, Option(min=0.0, help="Passes over the groups of a version.")] = 1.0,
    validation: Annotated[
        float, Option(min=0.0, max=0.9, help="Share of prompts that is never trained on.")
    ] = 0.1,
    template: Annotated[
        Path | None, Option(help="File of what it reads; default: as BASE was trained.")
    ] = None,
    any_judge: Annotated[
        bool, Option("--any-judge", help="Take verdicts of several judges as if they were one's.")
    ] = False,
    keep: Annotated[int, Option(min=1, help="Versions that are kept.")] = 3,
    idle_s: Annotated[
        float, Option(min=1, help="Seconds without a verdict after which the run is over.")
    ] = 3600.0,
    poll_s: Annotated[float, Option(min=0.01, help="Seconds between looks at RECORD.")] = 2.0,
    learning_rate: LearningRate = 1e-5,
    batch: Annotated[int, Option(min=1, help="Groups a step.")] = 16,
    device_batch: Annotated[int, Option(min=1, help="Groups the device takes at a time.")] = 8,
    weight_decay: WeightDecay = 0.01,
    seed: Annotated[int, Option(help="Of order, replay and what is held out.")] = 0,
    dtype: Dtype = "float32",
    gradient_checkpointing: GradientCheckpointing = False,
) -> None:
    """Refresh a scalar RM from the verdicts that a training writes, while it writes them.

    A policy drifts away from what a scalar RM was trained on, and finds what it is wrong about.
    Every EVERY groups that the judge compared make a version, trained on them and on older ones.
    OUT/version-0000 is BASE; each version is there whole before OUT/current points to it, and
    `scalar: {classifier: {name: transformers, model: OUT/current, reload: true}, ...}` picks it up.
    OUT/versions.jsonl says of each how many held-out pairs it has in their order.

    Run the same command again after a kill, and it goes on at its last version. It ends when RECORD
    does not grow for IDLE_S, or by Ctrl-C.
    """
    path = scalar_template_file(base, template)
    settings = Refreshing(
        base, folder, learning_rate, batch, device_batch, epochs,
        weight_decay=weight_decay, seed=seed, dtype=dtype,
        gradient_checkpointing=gradient_checkpointing, every=every, replay=replay,
        validation=validation, keep=keep, idle_s=idle_s, poll_s=poll_s,
        reads=load_scalar_template(str(path)).digest if path else "",
    )  # fmt: skip
    table = ScalarTable(judge=OneJudge(any_judge=any_judge))
    try:
        from grm_plugin.spct.refresh_model import RefreshModel
    except ImportError as error:
        raise not_installed("grm train refresh", "transformers", error) from error
    with terminable():
        pool = pool_of(settings, record, table)
        refresh_from(settings, pool, lambda at: RefreshModel(settings, at, template), _tell)
    say(f"{record} has not grown for {idle_s:g} s; the newest version is {folder / CURRENT}")


def _tell(version: Version) -> None:
    if not version.number:
        say("version 0 is the base")
        return
    loss = "" if version.loss is None else f", loss {version.loss:.4f}"
    known = "" if version.accuracy is None else f" ({version.accuracy:.1%} in their order)"
    say(
        f"version {version.number}: {version.new} new groups and {version.replayed} old ones{loss};"
        f" {version.pairs} held-out pairs{known}; {version.seconds:.0f} s"
    )
