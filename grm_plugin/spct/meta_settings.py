"""What decides a meta RM, and whether rows are fit for it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from grm_plugin.errors import InputError
from grm_plugin.spct.classifier_settings import ClassifierTraining
from grm_plugin.spct.meta_balance import Balance
from grm_plugin.spct.meta_data import MetaRow

_FEWEST_GROUPS = 10


@dataclass(frozen=True)
class MetaTraining(ClassifierTraining):
    """Everything that, together with the rows, decides a meta RM; its examples are judgments.

    The GRM that wrote the judgments is a good base; 1e-5 is the paper's rate for 27B.

    Args:
        balance: as :func:`grm_plugin.spct.meta_balance.row_weights`.
    """

    balance: Balance = "none"


@dataclass(frozen=True, slots=True)
class Trained:
    """How a training ended.

    Args:
        steps: optimizer steps.
        seconds: wall seconds, without those that a stopped run lost.
        loss: mean training loss, in nats.
        rows: judgments trained on.
        too_long: judgments left out because the model's context does not hold them.
        without_weight: judgments left out because ``balance`` gives them none.
    """

    steps: int
    seconds: float
    loss: float
    rows: int
    too_long: int
    without_weight: int


def check_rows(rows: Sequence[MetaRow]) -> None:
    """Refuse rows from which nothing can be learned.

    Raises:
        InputError: says how many groups and labels there are.
    """
    groups, right = len({row.group for row in rows}), sum(row.label for row in rows)
    if groups < _FEWEST_GROUPS or right in (0, len(rows)):
        raise InputError(
            f"expected right and wrong judgments of {_FEWEST_GROUPS} groups or more to train on, "
            f"got {groups} groups with {right} right ones of {len(rows)}; sample more of them with "
            "`grm train sample` or `grm score`"
        )


def digest_of(rows: Sequence[MetaRow]) -> str:
    """Hex digest of all that is learned from ``rows``."""
    found = hashlib.blake2b(digest_size=16)
    for row in rows:
        found.update(f"{row.label}\0{row.text}\0".encode())
    return found.hexdigest()
