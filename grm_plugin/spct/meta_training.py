"""Trains a meta RM with transformers' Trainer. Imports torch: import it late."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch.nn import functional

from grm_plugin.errors import InputError
from grm_plugin.local.loading import context_of
from grm_plugin.spct.classifier_trainer import Tell, padded
from grm_plugin.spct.classifier_training import Task, last_loss, train_classifier
from grm_plugin.spct.meta_balance import row_weights
from grm_plugin.spct.meta_data import MetaRow
from grm_plugin.spct.meta_settings import MetaTraining, Trained, check_rows, digest_of


def train_meta_rm(rows: Sequence[MetaRow], settings: MetaTraining, tell: Tell) -> Trained:
    """Train on the rows of the split `train`; go on from the last checkpoint where there is one.

    A training that came to its end is not done again.

    Args:
        rows: of `grm train meta-data`; both splits.
        settings: as above.
        tell: told how far it is.

    Raises:
        InputError: too few groups, one label only, or nothing fits the context.
        ConfigError: the folder holds a training with other settings.
        TrainingError: the base can not be loaded, the loss is no number, or memory is out.
    """
    training = [row for row in rows if row.split == "train"]
    check_rows(training)

    def task(model: Any, tokenizer: Any) -> Task[Trained]:
        examples, counts = _examples(training, settings, tokenizer, context_of(model))

        def trained(state: Any, seconds: float) -> Trained:
            loss = last_loss(state.log_history)
            return Trained(state.global_step, seconds, loss, rows=len(examples), **counts)

        return Task(examples, _collate, _loss, trained)

    return train_classifier(settings, digest_of(training), Trained, task, tell)


def _examples(
    rows: Sequence[MetaRow], settings: MetaTraining, tokenizer: Any, context: int | None
) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """What the trainer gets, tokenized as the classifier does; nothing is cut."""
    weights = row_weights(rows, settings.balance)
    found, too_long = [], 0
    for row, weight in zip(rows, weights, strict=True):
        ids = list(tokenizer(row.text).input_ids) if weight else []
        if context and len(ids) > context:
            too_long += 1
        elif weight:
            found.append(
                {"input_ids": ids, "length": len(ids), "label": row.label, "weight": weight}
            )
    if not found:
        raise InputError(
            f"expected judgments to train on, got none of {len(rows)}: {too_long} are over the "
            f"base's context of {context} tokens, the others have no weight with balance "
            f"{settings.balance!r}"
        )
    return found, {"too_long": too_long, "without_weight": weights.count(0.0)}


def _collate(examples: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """A batch of judgments, with their labels and weights."""
    return {
        **padded([one["input_ids"] for one in examples]),
        "labels": torch.tensor([float(one["label"]) for one in examples]),
        "weights": torch.tensor([one["weight"] for one in examples]),
    }


def _loss(logits: torch.Tensor, batch: Mapping[str, Any]) -> torch.Tensor:
    """Weighted binary cross-entropy."""
    return functional.binary_cross_entropy_with_logits(logits, batch["labels"], batch["weights"])
