"""``grm train scalar``: trains a scalar RM, and says what it knows of held-out pairs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from grm_plugin.classifiers import SCALAR, TEMPLATE
from grm_plugin.cli.picture import save_calibration
from grm_plugin.cli.progress import Meter
from grm_plugin.cli.train_classifier import check_not_done, trained, write_json, write_report
from grm_plugin.cli.training_options import (
    Dtype,
    GradientCheckpointing,
    LearningRate,
    Out,
    Warmup,
    WeightDecay,
)
from grm_plugin.errors import not_installed
from grm_plugin.hosts.columns import Columns
from grm_plugin.pipeline.scalar_reading import load_scalar_template, scalar_template_file
from grm_plugin.prompts import Template
from grm_plugin.report.terminal import out, say
from grm_plugin.spct.classifier_settings import is_first_process
from grm_plugin.spct.one_judge import OneJudge
from grm_plugin.spct.scalar_data import ScalarRow, ScalarTable, digest_of, scalar_rows
from grm_plugin.spct.scalar_report import Calibrated, ScalarReport, scalar_report
from grm_plugin.spct.scalar_settings import ScalarTrained, ScalarTraining
from grm_plugin.spct.splitting import Splitting


def scalar(
    data: Annotated[
        list[str],
        Argument(
            metavar="DATA...",
            help="RM data, as `grm train data` checks it, or records of a judge's verdicts.",
        ),
    ],
    base: Annotated[
        str, Option(help="Folder or hub id of a language model, or of a scalar RM that goes on.")
    ],
    folder: Out,
    template: Annotated[
        Path | None,
        Option(help="File of what it reads; default: as BASE was trained, else its chat template."),
    ] = None,
    by: Annotated[
        str | None,
        Option(
            help="Name in the metadata of what training must not show of validation; default: the "
            "prompt."
        ),
    ] = None,
    validation: Annotated[
        float, Option(min=0.0, max=0.9, help="Share of these values that is held out.")
    ] = 0.1,
    any_judge: Annotated[
        bool, Option("--any-judge", help="Take verdicts of several judges as if they were one's.")
    ] = False,
    split: Annotated[str | None, Option(help="Split of a data set that has several.")] = None,
    columns: Annotated[
        list[str] | None, Option(help="Names in RM data, such as prompt=question; repeatable.")
    ] = None,
    learning_rate: LearningRate = 1e-5,
    batch: Annotated[int, Option(min=1, help="Groups a step, over all devices.")] = 64,
    device_batch: Annotated[int, Option(min=1, help="Groups a device takes at a time.")] = 8,
    epochs: Annotated[float, Option(min=0.0, help="Passes over the data, at most.")] = 5.0,
    patience: Annotated[
        int,
        Option(
            min=0,
            help="Looks at held-out pairs without a lower loss that end the training; 0: none do.",
        ),
    ] = 3,
    warmup: Warmup = 0.05,
    weight_decay: WeightDecay = 0.01,
    save_every: Annotated[
        int, Option(min=1, help="Steps between checkpoints, and looks at held-out pairs.")
    ] = 50,
    seed: Annotated[int, Option(help="Of head, order and split.")] = 0,
    dtype: Dtype = "float32",
    gradient_checkpointing: GradientCheckpointing = False,
) -> None:
    """Train a scalar RM: the trunk of BASE with one logit that says how good a response is.

    Of labelled groups (best of N, pairs, ratings) a better response is to have the higher logit, by
    Bradley and Terry's model. Of records, such as `grm score -k 8` and trainers write, each pair of
    responses has the share of the judge's votes as its target; only judgments count, never rewards.
    Groups that were not judged, as where a cascade is sure, are left out and counted.

    The training ends when the loss of held-out pairs is lower no more, and the best model is kept.
    `scalar.json` beside the weights holds the scale on which a difference of two logits is the log
    odds of their order. `grm train refresh` does this during a run.

    Run the same command again after a crash, and it goes on from its last checkpoint. A small base
    wants more than the defaults: for the embedded reference `--learning-rate 5e-4`.
    """
    check_not_done(folder, "scalar RM")
    template = scalar_template_file(base, template)
    table = ScalarTable(judge=OneJudge(any_judge=any_judge))
    parsed = Columns.parse(columns or ())
    rows = scalar_rows(data, Splitting(by, validation, seed), table, split=split, columns=parsed)
    _tell_left_out(table.left_out)
    read = load_scalar_template(str(template)) if template else None
    settings = ScalarTraining(
        base=base, folder=folder, learning_rate=learning_rate, batch=batch,
        device_batch=device_batch, epochs=epochs, patience=patience, warmup=warmup,
        weight_decay=weight_decay, save_every=save_every, seed=seed, dtype=dtype,
        gradient_checkpointing=gradient_checkpointing, reads=read.digest if read else "",
    )  # fmt: skip
    found = _train(rows, settings, read)
    if not is_first_process():
        return
    if template:
        (folder / TEMPLATE).write_text(template.read_text(encoding="utf-8"), encoding="utf-8")
    report = _examined([row for row in rows if row.split == "validation"], folder, template)
    scaling = asdict(report.calibrated if report else Calibrated())
    trained_on = {"base": base, "data": digest_of(rows), "judge": dict(table.judge.origin)}
    write_json(folder / SCALAR, {**scaling, **trained_on})
    figures = asdict(report) if report else None
    write_report(settings, found, figures, left_out=dict(table.left_out))
    _tell(report, folder)


def _train(
    rows: Sequence[ScalarRow], settings: ScalarTraining, template: Template | None
) -> ScalarTrained:
    try:
        from grm_plugin.spct.scalar_training import train_scalar_rm
    except ImportError as error:
        raise not_installed("grm train scalar", "transformers", error) from error
    found = trained(partial(train_scalar_rm, rows, settings, template))
    if found.ended == "flat":
        say(f"the loss of held-out pairs is flat: {found.held_out_loss:.4f} at its lowest")
    if found.too_long:
        say(f"{found.too_long} pairs were left out: the base's context does not hold them")
    return found


def _examined(
    rows: Sequence[ScalarRow], folder: Path, template: Path | None
) -> ScalarReport | None:
    """What the trained model knows of held-out rows, scored as in use; None without any."""
    from grm_plugin.spct.scalar_scoring import scalar_scores

    if not rows:
        return None
    groups = [row.compared.group for row in rows]
    with Meter(len(groups), "groups", state="scoring held-out groups") as meter:
        logits = scalar_scores(
            folder, groups, template, lambda done: meter.show(done, "held-out, scored")
        )
    if report := scalar_report(rows, logits):
        save_calibration(folder / "calibration.png", report.calibration, "pairs")
    return report


def _tell_left_out(left_out: Counter[str]) -> None:
    if told := ", ".join(f"{number:,} {why}" for why, number in left_out.items()):
        say(f"groups left out: {told}")


def _tell(report: ScalarReport | None, folder: Path) -> None:
    if report is None:
        say("no held-out pairs: nothing is known of it, and its logits are not scaled")
    else:
        found, ece = report.accuracy, report.calibration.ece
        out.print(
            f"{found.value:.1%} of held-out pairs in their order (95 % interval {found.low:.1%} to "
            f"{found.high:.1%}; {report.pairs:,} pairs of {report.groups:,} groups); calibration "
            f"error {ece:.3f} at center {report.calibrated.center:.3g} and spread "
            f"{report.calibrated.spread:.3g}"
        )
    say(
        "next: grm score ... --set scalar.use=vote --set scalar.classifier.name=transformers "
        f"--set scalar.classifier.model={folder}"
    )
