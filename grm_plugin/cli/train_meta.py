"""``grm train meta``: trains a meta RM, and says what it knows on held-out groups."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from typer import Argument, Option

from grm_plugin.classifiers import TEMPLATE
from grm_plugin.cli.picture import save_calibration
from grm_plugin.cli.train_classifier import check_not_done, trained, write_report
from grm_plugin.cli.training_options import (
    Dtype,
    GradientCheckpointing,
    LearningRate,
    Out,
    Warmup,
    WeightDecay,
)
from grm_plugin.errors import not_installed
from grm_plugin.evaluation.auc import AUC
from grm_plugin.report.terminal import out, plain_table, say
from grm_plugin.running.whole_file import as_json
from grm_plugin.spct.classifier_settings import is_first_process
from grm_plugin.spct.meta_balance import Balance
from grm_plugin.spct.meta_data import HELD_OUT_BY, STATISTICS, MetaRow, read_rows
from grm_plugin.spct.meta_report import MetaReport, meta_report
from grm_plugin.spct.meta_settings import MetaTraining, Trained

_FIGURES = (
    ("label", "all judgments: label AUC"),
    ("margin", "all judgments: the margin alone"),
    ("gain", "all judgments: gain over the margin"),
    ("same_margin", "judgments of the same N and margin"),
    ("in_group", "judgments of one group"),
    ("in_group_same_margin", "judgments of one group and margin"),
)


def meta(
    data: Annotated[Path, Argument(metavar="META", help="What `grm train meta-data` wrote.")],
    base: Annotated[
        str, Option(help="Folder or hub id of a language model; the judge's own is a good one.")
    ],
    folder: Out,
    learning_rate: LearningRate = 1e-5,
    batch: Annotated[int, Option(min=1, help="Judgments a step, over all devices.")] = 512,
    device_batch: Annotated[int, Option(min=1, help="Judgments a device takes at a time.")] = 8,
    epochs: Annotated[float, Option(min=0.0, help="Passes over the data.")] = 1.0,
    balance: Annotated[
        Balance,
        Option(
            help="Weigh right and wrong alike: not at all, in all, or within each margin; then "
            "ties teach nothing, and it may weigh votes (weights) but not choose them (k_meta)."
        ),
    ] = "none",
    warmup: Warmup = 0.05,
    weight_decay: WeightDecay = 0.01,
    save_every: Annotated[int, Option(min=1, help="Steps between checkpoints.")] = 100,
    seed: Annotated[int, Option(help="Of the new head and the order of the data.")] = 0,
    dtype: Dtype = "float32",
    gradient_checkpointing: GradientCheckpointing = False,
) -> None:
    """Train a meta RM: the trunk of BASE with one logit that says whether a judgment is right.

    Defaults are the paper's, for large models. A small one wants more: for the embedded reference
    `--learning-rate 5e-4 --batch 32 --epochs 3` and 20,000 judgments or more.

    Run the same command again after a crash, and it goes on from its last checkpoint. The result
    loads as a classifier: `select: {name: meta_rm, classifier: {name: transformers, model: OUT}}`,
    or in `vllm serve OUT --runner pooling --convert classify`.

    On several GPUs: `accelerate launch --config_file FILE $(command -v grm) train meta ...`, with
    the same options; ZeRO-3 splits a base that one GPU does not hold.

    A high label AUC proves nothing: ties at the top are always wrong, so the margin of a judgment's
    own scores has one, too. Look at the AUC among judgments of the same margin.
    """
    check_not_done(folder, "meta RM")
    rows = read_rows(data)
    settings = MetaTraining(
        base=base, folder=folder, learning_rate=learning_rate, batch=batch,
        device_batch=device_batch, epochs=epochs, balance=balance, warmup=warmup,
        weight_decay=weight_decay, save_every=save_every, seed=seed, dtype=dtype,
        gradient_checkpointing=gradient_checkpointing,
    )  # fmt: skip
    found = _train(rows, settings)
    if not is_first_process():
        return
    noted = _noted(data)
    _note_template(noted.get("template"), data, folder)
    held_out = [row for row in rows if row.split == "validation"]
    report = _examined(held_out, folder) if held_out else None
    by = noted.get(HELD_OUT_BY, "cluster")
    figures = {**_figures_of(report), HELD_OUT_BY: by} if report else None
    write_report(settings, found, figures)
    if report:
        save_calibration(folder / "calibration.png", report.calibration, "judgments")
        _tell(report, by)
    say(
        "next: grm score ... --set select.name=meta_rm --set select.classifier.name=transformers "
        f"--set select.classifier.model={folder}"
    )


def _noted(data: Path) -> dict[str, Any]:
    """What `grm train meta-data` wrote beside ``data``; nothing where it is not there."""
    try:
        found = json.loads(data.with_suffix(STATISTICS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _note_template(text: str | None, data: Path, folder: Path) -> None:
    """Keep beside the weights what they were trained to read, so that use is like training."""
    if text is None:
        say(f"no template is noted beside {data}: name the one it was made with where you use this")
    else:
        (folder / TEMPLATE).write_text(text, encoding="utf-8")


def _train(rows: Sequence[MetaRow], settings: MetaTraining) -> Trained:
    try:
        from grm_plugin.spct.meta_training import train_meta_rm
    except ImportError as error:
        raise not_installed("grm train meta", "transformers", error) from error
    found = trained(partial(train_meta_rm, rows, settings))
    for number, why in (
        (found.too_long, "are longer than the base's context"),
        (found.without_weight, f"have no weight with balance {settings.balance!r}"),
    ):
        if number:
            say(f"{number} judgments were left out: they {why}")
    return found


def _examined(rows: Sequence[MetaRow], folder: Path) -> MetaReport:
    """What the trained model knows of held-out rows, rated as in use."""
    from grm_plugin.classifiers.transformers import TransformersClassifier
    from grm_plugin.engine import Limits
    from grm_plugin.spct.meta_rating import rated

    say(f"rating {len(rows)} held-out judgments")
    logits = rated(TransformersClassifier({"model": str(folder)}, Limits()), [r.text for r in rows])
    with (folder / "validation.jsonl").open("w", encoding="utf-8") as file:
        for row, logit in zip(rows, logits, strict=True):
            known = {name: value for name, value in asdict(row).items() if name != "text"}
            file.write(as_json({**known, "logit": logit}) + "\n")
    return meta_report(rows, logits)


def _figures_of(report: MetaReport) -> dict[str, Any]:
    figures = asdict(report)
    for name, _ in _FIGURES:
        figures[name].pop("pulls")
    return figures


def _tell(report: MetaReport, by: str) -> None:
    table = plain_table("AUC among", ">value", "95 % interval", ">pairs")
    for name, title in _FIGURES:
        found: AUC = getattr(report, name)
        known = f"{found.low:.3f} to {found.high:.3f}"
        interval = "not known" if math.isnan(found.low) else known
        table.add_row(title, f"{found.value:.3f}", interval, f"{found.pairs:,}")
    out.print(table)
    out.print(
        f"{report.judgments:,} judgments of {report.groups:,} held-out groups, clustered by {by} "
        f"({report.clusters:,}), "
        f"{report.right:.1%} right; calibration error {report.calibration.ece:.3f}"
    )
