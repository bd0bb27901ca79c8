"""Trains a classifier of one logit with transformers, from its base to its end. Imports torch."""

from __future__ import annotations

import json
import logging
import math
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

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

from grm_plugin.errors import ConfigError, TrainingError, quoted
from grm_plugin.local.loading import bars_in_terminals_only, capped
from grm_plugin.running.whole_file import writing
from grm_plugin.spct.classifier_settings import (
    ClassifierTraining,
    Trained,
    check_folder,
    is_first_process,
)
from grm_plugin.spct.classifier_trainer import ClassifierTrainer, Loss, Tell, Telling

logger = logging.getLogger(__name__)

_TRAINED = "trained.json"
T = TypeVar("T", bound=Trained)
_LOAD_ERRORS = (OSError, ValueError, KeyError, RuntimeError, ImportError)
_ALWAYS: dict[str, Any] = {
    "lr_scheduler_type": "linear",
    "save_strategy": "steps",
    "save_total_limit": 1,
    "logging_steps": 10,
    "logging_first_step": True,
    "logging_nan_inf_filter": False,  # which would hide a loss that is NaN
    "remove_unused_columns": False,
    "disable_tqdm": True,
    "report_to": [],
}


@dataclass(frozen=True, slots=True)
class Task(Generic[T]):
    """What a classifier learns.

    Args:
        examples: each with its ``length`` in tokens.
        collate: makes a batch of some.
        loss: of a batch.
        trained: how it ended, of the trainer's state and the wall seconds, as a dataclass.
        held_out: examples that the trainer looks at, where its arguments say when.
        callbacks: more of them for the trainer.
    """

    examples: Sequence[Any]
    collate: Callable[[Sequence[Any]], dict[str, Any]]
    loss: Loss
    trained: Callable[[Any, float], T]
    held_out: Sequence[Any] | None = None
    callbacks: Sequence[Any] = ()


def train_classifier(
    settings: ClassifierTraining,
    examples: str,
    kind: Callable[..., T],
    task: Callable[[Any, Any], Task[T]],
    tell: Tell,
    **more: Any,
) -> T:
    """Train to the end, from the last checkpoint where there is one; save it; how it ended.

    A training that came to its end is not done again.

    Args:
        settings: of the training.
        examples: hex digest of what it is trained on.
        kind: the dataclass that tells how it ended.
        task: of the model and its tokenizer.
        tell: told how far it is.
        more: arguments of transformers' Trainer that go before those of the settings.

    Raises:
        ConfigError: the folder holds a training with other settings, there is no such dtype, or
            devices can not share a batch.
        TrainingError: the base can not be loaded, the loss is no number, or memory is out.
    """
    check_folder(settings, examples)
    done = settings.folder / _TRAINED
    if done.exists():
        return kind(**json.loads(done.read_text(encoding="utf-8")))
    trained = _train(settings, task, tell, **more)
    if is_first_process():
        with writing(done) as file:
            file.write(json.dumps(asdict(trained)))
        shutil.rmtree(settings.folder / "checkpoints", ignore_errors=True)
    return trained


def _train(
    settings: ClassifierTraining, task: Callable[[Any, Any], Task[T]], tell: Tell, **more: Any
) -> T:
    told = arguments(settings, **more)  # first: under ZeRO-3 a model is loaded in parts
    model, tokenizer = load(settings)
    chosen = task(model, tokenizer)
    trainer = ClassifierTrainer(
        chosen.loss,
        model=model,
        args=told,
        train_dataset=chosen.examples,
        eval_dataset=chosen.held_out,
        data_collator=chosen.collate,
        processing_class=tokenizer,
        callbacks=[Telling(tell, settings.folder / "log.jsonl"), *chosen.callbacks],
    )
    result = run(trainer, settings)
    save(trainer.save_model, model, tokenizer, settings.folder)
    return chosen.trained(trainer.state, round(result.metrics["train_runtime"], 1))


def load(settings: ClassifierTraining) -> tuple[Any, Any]:
    """The model to train, and its tokenizer.

    Raises:
        ConfigError: there is no such dtype.
        TrainingError: the base can not be loaded.
    """
    set_seed(settings.seed)
    dtype = getattr(torch, settings.dtype, None)
    if not isinstance(dtype, torch.dtype):
        raise ConfigError(f"dtype: expected a torch dtype, got {quoted(settings.dtype)}")
    try:
        tokenizer = AutoTokenizer.from_pretrained(settings.base)
        with bars_in_terminals_only():
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


def arguments(settings: ClassifierTraining, **more: Any) -> TrainingArguments:
    """What transformers' Trainer is told.

    Args:
        settings: of the training.
        more: further arguments, which go first.

    Raises:
        ConfigError: devices can not share a batch.
    """
    on_gpu = torch.cuda.is_available()
    chosen: dict[str, Any] = {
        "output_dir": str(settings.folder / "checkpoints"),
        "learning_rate": settings.learning_rate,
        "per_device_train_batch_size": min(settings.device_batch, settings.batch),
        "per_device_eval_batch_size": settings.device_batch,
        "num_train_epochs": settings.epochs,
        "warmup_steps": settings.warmup,
        "weight_decay": settings.weight_decay,
        "save_steps": settings.save_every,
        "seed": settings.seed,
        "data_seed": settings.seed,
        "bf16": on_gpu and torch.cuda.is_bf16_supported(),
        "use_cpu": not on_gpu,
        "gradient_checkpointing": settings.gradient_checkpointing,
    }
    made = TrainingArguments(**{**_ALWAYS, **chosen, **more})
    together = made.per_device_train_batch_size * made.world_size
    if settings.batch % together:
        raise ConfigError(
            f"batch: expected a multiple of {together} (device_batch times devices), got "
            f"{settings.batch}"
        )
    made.gradient_accumulation_steps = settings.batch // together
    return made


def run(trainer: Trainer, settings: ClassifierTraining) -> Any:
    """Train, from the last checkpoint where there is one; what transformers says of it.

    Raises:
        TrainingError: memory is out.
    """
    trainer.remove_callback(PrinterCallback)
    trainer.remove_callback(ProgressCallback)
    last = last_checkpoint(settings.folder / "checkpoints")
    if last:
        logger.warning("going on from %s", last.name)
    try:
        return trainer.train(resume_from_checkpoint=str(last) if last else None)
    except torch.OutOfMemoryError as error:
        raise TrainingError(
            f"out of memory with {settings.device_batch} examples on a device; lower "
            "--device-batch or set --gradient-checkpointing, and the same command goes on from its "
            "last checkpoint"
        ) from error


def last_checkpoint(folder: Path) -> Path | None:
    """The newest checkpoint that was written whole: its state is written last."""
    states = folder.glob("checkpoint-*/trainer_state.json")
    found = {int(path.parent.name.rpartition("-")[2]): path.parent for path in states}
    return found[max(found)] if found else None


def last_loss(history: Sequence[dict[str, float]], name: str = "loss") -> float:
    """The last loss in a log, in nats; NaN where there is none."""
    return next((one[name] for one in reversed(history) if name in one), math.nan)


def save(write: Callable[[str], object], model: Any, tokenizer: Any, folder: Path) -> None:
    """Write the model so that whoever loads it pools the last token, as the training did.

    Args:
        write: writes it into a folder.
        model: whose settings are made ready for use.
        tokenizer: that says which token pads.
        folder: for all of it.
    """
    config = model.config.get_text_config()
    config.pad_token_id = tokenizer.pad_token_id
    if config.pad_token_id is None:
        config.pad_token_id = tokenizer.eos_token_id
    model.config.use_cache = True
    write(str(folder))
