"""Trains a scalar RM with transformers' Trainer. Imports torch: import it late."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from transformers import EarlyStoppingCallback

from grm_plugin.errors import InputError
from grm_plugin.prompts import Template
from grm_plugin.spct.classifier_trainer import Tell
from grm_plugin.spct.classifier_training import Task, last_loss, train_classifier
from grm_plugin.spct.scalar_data import ScalarRow, digest_of
from grm_plugin.spct.scalar_encoding import ScalarEncoder
from grm_plugin.spct.scalar_examples import Example, Examples, collate, loss
from grm_plugin.spct.scalar_settings import ScalarTrained, ScalarTraining, check_rows


def train_scalar_rm(
    rows: Sequence[ScalarRow], settings: ScalarTraining, template: Template | None, tell: Tell
) -> ScalarTrained:
    """Train on the rows of the split `train`; go on from the last checkpoint where there is one.

    A training that came to its end is not done again.

    Args:
        rows: both splits; those of `validation` say when the loss is flat.
        settings: as above.
        template: what it reads; None: the chat template of the base.
        tell: told how far it is.

    Raises:
        InputError: too few groups, all ties, or nothing fits the context.
        ConfigError: the folder holds a training with other settings, or nothing says what it reads.
        TrainingError: the base can not be loaded, the loss is no number, or memory is out.
    """
    training = [row for row in rows if row.split == "train"]
    check_rows(training)
    held_out = [row for row in rows if row.split == "validation"] if settings.patience else []

    def task(model: Any, tokenizer: Any) -> Task[ScalarTrained]:
        encoder = ScalarEncoder(tokenizer, f"base {settings.base!r}", template)
        return _task(Examples(encoder, model), training, held_out, settings.patience)

    looking = _looking(settings) if held_out else {}
    return train_classifier(settings, digest_of(rows), ScalarTrained, task, tell, **looking)


def _task(
    examples: Examples,
    training: Sequence[ScalarRow],
    held_out: Sequence[ScalarRow],
    patience: int,
) -> Task[ScalarTrained]:
    learned = _fitting(examples, training, "to train on")
    trained = partial(_trained, learned=learned, too_long=examples.too_long)
    if not held_out:
        return Task(learned, collate, loss, trained)
    looked_at = _fitting(examples, held_out, "that say when to end")
    return Task(learned, collate, loss, trained, looked_at, [EarlyStoppingCallback(patience)])


def _fitting(examples: Examples, rows: Sequence[ScalarRow], what: str) -> list[Example]:
    """The examples of ``rows``; InputError where the context holds none of them."""
    if found := examples.of([row.compared for row in rows]):
        return found
    raise InputError(
        f"expected pairs {what}, got none of {len(rows)} groups: one of their responses is always "
        "over the base's context; choose a base with a longer one, or leave long responses out"
    )


def _looking(settings: ScalarTraining) -> dict[str, Any]:
    """Arguments by which the trainer looks at held-out groups and keeps the best model."""
    return {
        "eval_strategy": "steps",
        "eval_steps": settings.save_every,
        "load_best_model_at_end": True,
        "metric_for_best_model": "eval_loss",
        "greater_is_better": False,
        "restore_callback_states_from_checkpoint": True,
    }


def _trained(
    state: Any, seconds: float, learned: Sequence[Example], too_long: int
) -> ScalarTrained:
    return ScalarTrained(
        steps=state.global_step,
        seconds=seconds,
        loss=last_loss(state.log_history),
        held_out_loss=state.best_metric,
        ended="flat" if state.global_step < state.max_steps else "epochs",
        groups=len(learned),
        pairs=sum(len(one["pairs"]) for one in learned),
        too_long=too_long,
    )
