"""What decides a scalar RM, and whether rows are fit for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from grm_plugin.errors import InputError
from grm_plugin.spct.classifier_settings import ClassifierTraining
from grm_plugin.spct.scalar_data import ScalarRow

_FEWEST_GROUPS = 10
Ended = Literal["flat", "epochs"]


@dataclass(frozen=True)
class ScalarTraining(ClassifierTraining):
    """Everything that, together with the rows, decides a scalar RM; its examples are groups.

    Args:
        patience: the training ends when the loss of held-out pairs was not lower than before that
            many times in a row, each time after ``save_every`` steps; the best of these models is
            kept. 0: it goes on to the last epoch.
        reads: hex digest of the template that says what it reads; empty: its chat template.
    """

    batch: int = 64
    epochs: float = 5.0
    save_every: int = 50
    patience: int = 3
    reads: str = ""


@dataclass(frozen=True, slots=True)
class ScalarTrained:
    """How a training ended.

    Args:
        steps: optimizer steps.
        seconds: wall seconds, without those that a stopped run lost.
        loss: mean training loss of the last steps, in nats a pair.
        held_out_loss: the lowest loss of held-out pairs, in nats; None where nobody looked.
        ended: `flat` where it was no lower any more, else `epochs`.
        groups, pairs: trained on.
        too_long: pairs left out because the model's context does not hold one of their responses.
    """

    steps: int
    seconds: float
    loss: float
    held_out_loss: float | None
    ended: Ended
    groups: int
    pairs: int
    too_long: int


def check_rows(rows: Sequence[ScalarRow]) -> None:
    """Refuse rows from which nothing can be learned.

    Args:
        rows: of the split `train`.

    Raises:
        InputError: says how many groups and pairs there are.
    """
    pairs = [pair for row in rows for pair in row.compared.pairs]
    decided = sum(pair.target != 0.5 for pair in pairs)
    if len(rows) < _FEWEST_GROUPS or not decided:
        raise InputError(
            f"expected {_FEWEST_GROUPS} groups or more to train on, with pairs of which one is "
            f"better, got {len(rows)} groups with {decided} such pairs of {len(pairs)}"
        )
