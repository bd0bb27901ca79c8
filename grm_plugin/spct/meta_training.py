"""Trains a meta RM with transformers' Trainer. Imports torch: import it late."""

from __future__ import annotations

import hashlib
import json
import logging
import math
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    PrinterCallback,
    ProgressCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
    set_seed,
)

from grm_plugin.errors import ConfigError, InputError, TrainingError, quoted
from grm_plugin.local.loading import context_of
from grm_plugin.local.sequence import Padded
from grm_plugin.spct.meta_balance import Balance, row_weights
from grm_plugin.spct.meta_data import MetaRow

logger = logging.getLogger(__name__)

Tell = Callable[[int, int, float], None]
"""Called with the step, the number of steps, and the mean loss since the last call (nats)."""

_FEWEST_GROUPS = 10
_LOAD_ERRORS = (OSError, ValueError, KeyError, RuntimeError, ImportError)


@dataclass(frozen=True)
class MetaTraining:
    """Everything that, together with the rows, decides a meta RM.

    Args:
        base: folder or hub id of a causal language model, whose trunk is taken; the GRM that wrote
            the judgments is a good one. The head is new.
        folder: where model, log, report and checkpoints go.
        learning_rate: of AdamW; 1e-5 is the paper's for 27B.
        batch: judgments a step, over all devices.
        device_batch: judgments of them that one device takes at a time.
        epochs: passes over the training rows.
        balance: as :func:`grm_plugin.spct.meta_balance.row_weights`.
        warmup: share of the steps over which the rate rises.
        weight_decay: of AdamW.
        save_every: steps between checkpoints.
        seed: of the head and of the order of the rows.
        dtype: of the weights in training; a GPU that can computes in bfloat16 whatever it is.
        gradient_checkpointing: trade time for memory.
    """

    base: str
    folder: Path
    learning_rate: float = 1e-5
    batch: int = 512
    device_batch: int = 8
    epochs: float = 1.0
    balance: Balance = "none"
    warmup: float = 0.05
    weight_decay: float = 0.01
    save_every: int = 100
    seed: int = 0
    dtype: str = "float32"
    gradient_checkpointing: bool = False


@dataclass(frozen=True, slots=True)
class Trained:
    """How a training ended.

    Args:
        steps: optimizer steps.
        seconds: wall seconds, without those that a stopped run lost.
        loss: mean training loss of the last step logged, in nats.
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


def train_meta_rm(rows: Sequence[MetaRow], settings: MetaTraining, tell: Tell) -> Trained:
    """Train on the rows of the split `train`; go on from the last checkpoint where there is one.

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
    _check_folder(settings, training)
    arguments = _arguments(settings)  # first: under ZeRO-3 a model is loaded in parts
    model, tokenizer = _load(settings)
    examples, counts = _examples(training, settings, tokenizer, context_of(model))
    trainer = _MetaTrainer(
        model=model,
        args=arguments,
        train_dataset=examples,
        data_collator=_collate,
        processing_class=tokenizer,
        callbacks=[_Telling(tell, settings.folder / "log.jsonl")],
    )
    trainer.remove_callback(PrinterCallback)
    trainer.remove_callback(ProgressCallback)
    result = _run(trainer, settings)
    _save(trainer, model, tokenizer, settings)
    return Trained(
        steps=trainer.state.global_step,
        seconds=round(result.metrics["train_runtime"], 1),
        loss=_last_loss(trainer.state.log_history),
        rows=len(examples),
        **counts,
    )


def _last_loss(history: Sequence[dict[str, float]]) -> float:
    return next((one["loss"] for one in reversed(history) if "loss" in one), math.nan)


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


def _load(settings: MetaTraining) -> tuple[Any, Any]:
    set_seed(settings.seed)
    dtype = getattr(torch, settings.dtype, None)
    if not isinstance(dtype, torch.dtype):
        raise ConfigError(f"dtype: expected a torch dtype, got {quoted(settings.dtype)}")
    try:
        tokenizer = AutoTokenizer.from_pretrained(settings.base)
        model = AutoModelForSequenceClassification.from_pretrained(
            settings.base, num_labels=1, dtype=dtype, use_safetensors=True
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


def _collate(examples: Sequence[dict[str, Any]]) -> dict[str, Any]:
    padded = Padded.of([one["input_ids"] for one in examples])
    return {
        "input_ids": padded.ids,
        "attention_mask": padded.mask,
        "labels": torch.tensor([float(one["label"]) for one in examples]),
        "weights": torch.tensor([one["weight"] for one in examples]),
        "pad": padded.pad,
    }


class _MetaTrainer(Trainer):
    """Weighted binary cross-entropy on the one logit of a sequence classifier."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.model_accepts_loss_kwargs = False  # a mean over the rows of each micro-batch

    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        labels, weights = inputs.pop("labels"), inputs.pop("weights")
        self.accelerator.unwrap_model(model).config.get_text_config().pad_token_id = inputs.pop(
            "pad"
        )
        outputs = model(**inputs)
        loss = functional.binary_cross_entropy_with_logits(
            outputs.logits[:, 0].float(), labels, weights
        )
        if not torch.isfinite(loss):
            raise TrainingError(
                f"the loss is {loss.item()} at step {self.state.global_step + 1}; lower the "
                "learning rate (--learning-rate) or train in --dtype float32, and choose another "
                "folder"
            )
        return (loss, outputs) if return_outputs else loss


class _Telling(TrainerCallback):
    """Tells how far a training is, and keeps a log of it."""

    def __init__(self, tell: Tell, log: Path) -> None:
        self._tell, self._log = tell, log

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **more: Any) -> None:
        if not state.is_world_process_zero or "loss" not in (logs or {}):
            return
        self._tell(state.global_step, state.max_steps, logs["loss"])
        with self._log.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": state.global_step, **logs}) + "\n")


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
        train_sampling_strategy="group_by_length",
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


def _save(trainer: Trainer, model: Any, tokenizer: Any, settings: MetaTraining) -> None:
    """Write the model so that whoever loads it pools the last token, as the training did."""
    config = model.config.get_text_config()
    config.pad_token_id = tokenizer.pad_token_id
    if config.pad_token_id is None:
        config.pad_token_id = tokenizer.eos_token_id
    model.config.use_cache = True
    trainer.save_model(str(settings.folder))
    if trainer.is_world_process_zero():
        shutil.rmtree(settings.folder / "checkpoints", ignore_errors=True)


def _check_folder(settings: MetaTraining, rows: Sequence[MetaRow]) -> None:
    """Refuse a folder that holds another training; write down what this one is."""
    names = {name: value for name, value in asdict(settings).items() if name not in _PASSING}
    asked = {**names, "rows": _digest(rows)}
    path = settings.folder / "settings.json"
    settings.folder.mkdir(parents=True, exist_ok=True)
    made = json.loads(path.read_text(encoding="utf-8")) if path.exists() else asked
    for name in asked:
        if made.get(name) != asked[name]:
            raise ConfigError(
                f"{settings.folder} holds a training with {name} = {quoted(made.get(name))}, and "
                f"{quoted(asked[name])} is asked for; choose another folder, or the same settings"
            )
    path.write_text(json.dumps(asked, indent=2) + "\n", encoding="utf-8")


_PASSING = {"folder", "save_every", "device_batch", "gradient_checkpointing"}


def _digest(rows: Sequence[MetaRow]) -> str:
    found = hashlib.blake2b(digest_size=16)
    for row in rows:
        found.update(f"{row.label}\0{row.text}\0".encode())
    return found.hexdigest()
