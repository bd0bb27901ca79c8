"""Arguments and options that commands of ``grm train`` share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from typer import Argument, Option

LabelledRecords = Annotated[
    list[Path],
    Argument(
        metavar="RECORDS...",
        help="Verdicts of labelled groups: files, folders or the start of names.",
    ),
]
Out = Annotated[Path, Option("--out", help="Folder for model, report and checkpoints.")]
LearningRate = Annotated[float, Option(min=0.0, help="Of AdamW; the paper's for 27B.")]
Warmup = Annotated[float, Option(min=0.0, max=1.0, help="Share of steps; the rate rises.")]
WeightDecay = Annotated[float, Option(min=0.0, help="Of AdamW.")]
Dtype = Annotated[str, Option(help="Of the weights in training.")]
GradientCheckpointing = Annotated[
    bool, Option("--gradient-checkpointing", help="Take less memory and more time.")
]
