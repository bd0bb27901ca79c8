"""Trains a scalar RM with transformers' Trainer. Imports torch: import it late."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from transformers import EarlyStoppingCallback

from grm_plugin.errors import InputError
from grm_plugin.prompts import Template
from grm_plugin.spct.classifier_settings import check_folder
from grm_plugin.spct.classifier_trainer import ClassifierTrainer, Tell, Telling
from grm_plugin.spct.classifier_training import arguments, end, last_loss, load, run, save
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
    check_folder(settings, digest_of(rows))
    if (done := settings.folder / "trained.json").exists():
        return ScalarTrained(**json.loads(done.read_text(encoding="utf-8")))
    told = arguments(settings, **_looking(settings, rows))  # first: see train_meta_rm
    model, tokenizer = load(settings)
    encoder = ScalarEncoder(tokenizer, f"base {settings.base!r}", template)
    examples = Examples(encoder, model)
    learned, too_long = _fitting(examples, training, "to train on"), examples.too_long
    looking = told.load_best_model_at_end
    held_out = [row for row in rows if row.split == "validation"] if looking else []
    trainer = ClassifierTrainer(
        loss,
        model=model,
        args=told,
        train_dataset=learned,
        eval_dataset=_fitting(examples, held_out, "that say when to end") if looking else None,
        data_collator=collate,
        processing_class=tokenizer,
        callbacks=_callbacks(settings, tell, looking=looking),
    )
    result = run(trainer, settings)
    trained = _trained(trainer.state, result.metrics["train_runtime"], learned, too_long)
    save(trainer.save_model, model, tokenizer, settings.folder)
    end(trainer, settings, json.dumps(asdict(trained)))
    return trained


def _fitting(examples: Examples, rows: Sequence[ScalarRow], what: str) -> list[Example]:
    """The examples of ``rows``; InputError where the context holds none of them."""
    if found := examples.of([row.compared for row in rows]):
        return found
    raise InputError(
        f"expected pairs {what}, got none of {len(rows)} groups: one of their responses is always "
        "over the base's context; choose a base with a longer one, or leave long responses out"
    )


def _looking(settings: ScalarTraining, rows: Sequence[ScalarRow]) -> dict[str, Any]:
    """Arguments by which the trainer looks at held-out groups and keeps the best model."""
    if not (settings.patience and any(row.split == "validation" for row in rows)):
        return {}
    return {
        "eval_strategy": "steps",
        "eval_steps": settings.save_every,
        "load_best_model_at_end": True,
        "metric_for_best_model": "eval_loss",
        "greater_is_better": False,
        "restore_callback_states_from_checkpoint": True,
    }


def _callbacks(settings: ScalarTraining, tell: Tell, *, looking: bool) -> list[Any]:
    telling = Telling(tell, settings.folder / "log.jsonl")
    return [telling, EarlyStoppingCallback(settings.patience)] if looking else [telling]


def _trained(
    state: Any, seconds: float, learned: Sequence[Example], too_long: int
) -> ScalarTrained:
    return ScalarTrained(
        steps=state.global_step,
        seconds=round(seconds, 1),
        loss=last_loss(state.log_history),
        held_out_loss=state.best_metric,
        ended="flat" if state.global_step < state.max_steps else "epochs",
        groups=len(learned),
        pairs=sum(len(one["pairs"]) for one in learned),
        too_long=too_long,
    )
