"""What decides a training of the reference judge, and what came of it. Needs torch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from grm_plugin.reference.making.batches import POOL, Stage

CURRICULUM = (
    Stage(300, ("copy",)),
    Stage(800, ("list",)),
    Stage(1500, ("check",)),
    Stage(2400, ("check", "judge", "judge"), (1, 1, 2, 3, 4)),
    Stage(8400, ("judge",), (1, 2, 2, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 6, 8), emphasis=5.0),
)
"""From looking things up, over reading queries and responses, to judging groups of up to four.

Larger groups are so few that what the judge says of them is not claimed.
"""


@dataclass(frozen=True)
class TrainingConfig:
    """Everything that, together with the code, decides the weights.

    Attributes:
        folder: where model, tokenizer, log and checkpoint go.
        seed: of the initial weights and of all data.
        steps: optimizer steps, a multiple of 4.
        tokens: tokens a step, about.
        learning_rate: of AdamW, for embeddings and norms.
        matrix_rate: of Muon, for the weight matrices of the layers.
        warmup: steps of linear warm-up.
        decay: the last fraction of the steps, over which both rates fall linearly to 0.
        weight_decay: of both optimizers.
        init_std: standard deviation of the initial weights; the usual 0.02 stays at chance.
        layers: transformer layers.
        width: of the hidden states, a multiple of 32, which is the width of a head.
        feed_forward: width of the feed-forward layers.
        stages: the curriculum.
        report_every: steps between two looks at generated judgments, each with a checkpoint.
        probes: groups of each size in such a look.
        device: of torch, that computes the weights.
        workers: processes that draw the data; how many does not change it.
    """

    folder: Path
    seed: int = 20
    steps: int = 8400
    tokens: int = 6000
    learning_rate: float = 3e-3
    matrix_rate: float = 0.02
    warmup: int = 100
    decay: float = 0.6
    weight_decay: float = 0.01
    init_std: float = 0.06
    layers: int = 4
    width: int = 128
    feed_forward: int = 384
    stages: tuple[Stage, ...] = CURRICULUM
    report_every: int = 400
    probes: int = 60
    device: str = "cpu"
    workers: int = 1


def of_size(
    folder: Path, *, steps: int | None = None, width: int | None = None, **given: Any
) -> TrainingConfig:
    """A training of another size, with what follows from it: everything else is as we ship it.

    Args:
        folder: as of :class:`TrainingConfig`.
        steps: the stages of the curriculum keep their shares of them.
        width: feed-forward layers keep their ratio to it, and the initial weights shrink with its
            square root.
        given: further attributes of :class:`TrainingConfig`.
    """
    config = TrainingConfig(folder, **given)
    if steps is not None:
        part = steps / config.steps / POOL
        ends = [POOL * max(1, round(stage.until * part)) for stage in config.stages]
        stages = tuple(
            replace(one, until=end) for one, end in zip(config.stages, ends, strict=True)
        )
        config = replace(config, steps=steps, stages=stages)
    if width is not None:
        wider = width / config.width
        config = replace(
            config,
            width=width,
            feed_forward=round(config.feed_forward * wider),
            init_std=config.init_std / wider**0.5,
        )
    return config


@dataclass(frozen=True, slots=True)
class TrainingReport:
    """How a training ended.

    Attributes:
        steps: optimizer steps done.
        groups: groups of responses seen, exercises included.
        seconds: wall-clock seconds, without those before a resume that were lost.
        loss: mean loss of the last 200 steps, nats a judgment token.
        parameters: of the model.
    """

    steps: int
    groups: int
    seconds: float
    loss: float
    parameters: int
