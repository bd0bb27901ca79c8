"""Trains a meta RM with transformers' Trainer. Imports torch: import it late."""

from __future__ import annotations

import json
import logging
import math
import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    PrinterCallback,
    ProgressCallback,
    Trainer,
    TrainingArguments,
    set_seed,
)

from grm_plugin.errors import ConfigError, InputError, TrainingError, quoted
from grm_plugin.local.loading import capped, context_of
from grm_plugin.spct.meta_balance import row_weights
from grm_plugin.spct.meta_data import MetaRow
from grm_plugin.spct.meta_settings import MetaTraining, Trained, check_folder, check_rows
from grm_plugin.spct.meta_trainer import MetaTrainer, Tell, Telling, collate

logger = logging.getLogger(__name__)

_LOAD_ERRORS = (OSError, ValueError, KeyError, RuntimeError, ImportError)


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
    check_folder(settings, training)
    if (done := settings.folder / "trained.json").exists():
        return Trained(**json.loads(done.read_text(encoding="utf-8")))
    arguments = _arguments(settings)  # first: under ZeRO-3 a model is loaded in parts
    model, tokenizer = _load(settings)
    examples, counts = _examples(training, settings, tokenizer, context_of(model))
    trainer = MetaTrainer(
        model=model,
        args=arguments,
        train_dataset=examples,
        data_collator=collate,
        processing_class=tokenizer,
        callbacks=[Telling(tell, settings.folder / "log.jsonl")],
    )
    trainer.remove_callback(PrinterCallback)
    trainer.remove_callback(ProgressCallback)
    result = _run(trainer, settings)
    trained = Trained(
        steps=trainer.state.global_step,
        seconds=round(result.metrics["train_runtime"], 1),
        loss=_last_loss(trainer.state.log_history),
        rows=len(examples),
        **counts,
    )
    _save(trainer, model, tokenizer, settings, trained)
    return trained


def _last_loss(history: Sequence[dict[str, float]]) -> float:
    return next((one["loss"] for one in reversed(history) if "loss" in one), math.nan)


def _load(settings: MetaTraining) -> tuple[Any, Any]:
    set_seed(settings.seed)
    dtype = getattr(torch, settings.dtype, None)
    if not isinstance(dtype, torch.dtype):
        raise ConfigError(f"dtype: expected a torch dtype, got {quoted(settings.dtype)}")
    try:
        tokenizer = AutoTokenizer.from_pretrained(settings.base)
        model = AutoModelForSequenceClassification.from_pretrained(
            settings.base,
            num_labels=1,
            dtype=dtype,
            use_safetensors=True,
            attn_implementation=capped(settings.base),
        )
    except _LOAD_ERRORS as error:
        raise TrainingError(
            f"base {settings.base!r} can not be loaded: {quoted(error, 300)}"
        ) from error
    model.config.use_cache = False
    return model, tokenizer


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
            found.append({"input_ids": ids, "label": row.label, "weight": weight})
    if not found:
        raise InputError(
            f"expected judgments to train on, got none of {len(rows)}: {too_long} are over the "
            f"base's context of {context} tokens, the others have no weight with balance "
            f"{settings.balance!r}"
        )
    return found, {"too_long": too_long, "without_weight": weights.count(0.0)}


def _arguments(settings: MetaTraining) -> TrainingArguments:
    on_gpu = torch.cuda.is_available()
    arguments = TrainingArguments(
        output_dir=str(settings.folder / "checkpoints"),
        learning_rate=settings.learning_rate,
        per_device_train_batch_size=min(settings.device_batch, settings.batch),
        num_train_epochs=settings.epochs,
        warmup_steps=settings.warmup,
        weight_decay=settings.weight_decay,
        lr_scheduler_type="linear",
        save_strategy="steps",
        save_steps=settings.save_every,
        save_total_limit=1,
        logging_steps=10,
        logging_first_step=True,
        logging_nan_inf_filter=False,
        seed=settings.seed,
        data_seed=settings.seed,
        bf16=on_gpu and torch.cuda.is_bf16_supported(),
        use_cpu=not on_gpu,
        gradient_checkpointing=settings.gradient_checkpointing,
        remove_unused_columns=False,
        disable_tqdm=True,
        report_to=[],
    )
    together = arguments.per_device_train_batch_size * arguments.world_size
    if settings.batch % together:
        raise ConfigError(
            f"batch: expected a multiple of {together} (device_batch times devices), got "
            f"{settings.batch}"
        )
    arguments.gradient_accumulation_steps = settings.batch // together
    return arguments


def _run(trainer: Trainer, settings: MetaTraining) -> Any:
    last = _last_checkpoint(settings.folder / "checkpoints")
    if last:
        logger.warning("going on from %s", last.name)
    try:
        return trainer.train(resume_from_checkpoint=str(last) if last else None)
    except torch.OutOfMemoryError as error:
        raise TrainingError(
            f"out of memory with {settings.device_batch} judgments on a device; lower "
            "--device-batch or set --gradient-checkpointing, and the same command goes on from its "
            "last checkpoint"
        ) from error


def _last_checkpoint(folder: Path) -> Path | None:
    """The newest checkpoint that was written whole: its state is written last."""
    states = folder.glob("checkpoint-*/trainer_state.json")
    found = {int(path.parent.name.rpartition("-")[2]): path.parent for path in states}
    return found[max(found)] if found else None


def _save(
    trainer: Trainer, model: Any, tokenizer: Any, settings: MetaTraining, trained: Trained
) -> None:
    """Write the model so that whoever loads it pools the last token, as the training did."""
    config = model.config.get_text_config()
    config.pad_token_id = tokenizer.pad_token_id
    if config.pad_token_id is None:
        config.pad_token_id = tokenizer.eos_token_id
    model.config.use_cache = True
    trainer.save_model(str(settings.folder))
    if trainer.is_world_process_zero():
        done = json.dumps(asdict(trained))
        (settings.folder / "trained.json").write_text(done, encoding="utf-8")
        shutil.rmtree(settings.folder / "checkpoints", ignore_errors=True)
