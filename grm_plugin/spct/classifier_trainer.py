"""Transformers' Trainer for a classifier of one logit: order, loss, log. Imports torch."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import Sampler
from transformers import Trainer, TrainerCallback

from grm_plugin.errors import TrainingError
from grm_plugin.local.sequence import Padded

Tell = Callable[[int, int, float], None]
"""Called with the step, the number of steps, and the mean loss since the last call (nats)."""
Loss = Callable[[torch.Tensor, Mapping[str, Any]], torch.Tensor]
"""The loss of a batch, in nats: of its logits, and of what its examples say besides their ids."""

_POOL = 50  # batches among which examples are sorted by length
_READ = ("input_ids", "attention_mask")


def padded(rows: Sequence[Sequence[int]]) -> dict[str, Any]:
    """What the model reads of ``rows`` of token ids; ``pad`` occurs in none of them."""
    found = Padded.of(rows)
    return {"input_ids": found.ids, "attention_mask": found.mask, "pad": found.pad}


class _ByLength(Sampler[int]):  # type: ignore[misc]
    """Examples in an order that only seed and epoch decide, so that a resumed training sees it too.

    Examples of like length share what a device takes at a time, and the times are shuffled.
    """

    def __init__(self, lengths: Sequence[int], together: int, seed: int) -> None:
        self._lengths, self._together, self._seed = lengths, together, seed
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._lengths)

    def __iter__(self) -> Iterator[int]:
        rng = random.Random(f"{self._seed}/{self._epoch}")
        places = list(range(len(self._lengths)))
        rng.shuffle(places)
        pools = _parts(places, self._together * _POOL)
        times = [
            time
            for pool in pools
            for time in _parts(sorted(pool, key=self._lengths.__getitem__), self._together)
        ]
        rng.shuffle(times)
        times.sort(key=len, reverse=True)  # one that is not full stands last
        return itertools.chain.from_iterable(times)


def _parts(places: list[int], size: int) -> list[list[int]]:
    return [places[start : start + size] for start in range(0, len(places), size)]


class ClassifierTrainer(Trainer):  # type: ignore[misc]
    """Trains the one logit of a sequence classifier.

    Args:
        loss: of a batch.
        settings: of transformers' Trainer; examples have a ``length`` in tokens.
    """

    def __init__(self, loss: Loss, **settings: Any) -> None:
        super().__init__(**settings)
        self._loss = loss
        self.model_accepts_loss_kwargs = False  # a mean over the rows of each micro-batch

    def _get_train_sampler(self, train_dataset: Any = None) -> Any:
        examples = train_dataset or self.train_dataset
        lengths = [one["length"] for one in examples]
        return _ByLength(lengths, self.args.train_batch_size, self.args.seed)

    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        config = self.accelerator.unwrap_model(model).config.get_text_config()
        config.pad_token_id = inputs["pad"]
        outputs = model(**{name: inputs[name] for name in _READ})
        loss = self._loss(outputs.logits[:, 0].float(), inputs)
        if not torch.isfinite(loss):
            raise TrainingError(
                f"the loss is {loss.item()} at step {self.state.global_step + 1}; lower the "
                "learning rate (--learning-rate) or train in --dtype float32, and choose another "
                "folder"
            )
        return (loss, outputs) if return_outputs else loss


class Telling(TrainerCallback):  # type: ignore[misc]
    """Tells how far a training is, and keeps a log of it."""

    def __init__(self, tell: Tell, log: Path) -> None:
        self._tell, self._log = tell, log

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **more: Any) -> None:
        if not state.is_world_process_zero or not {"loss", "eval_loss"} & set(logs or {}):
            return
        if "loss" in logs:
            self._tell(state.global_step, state.max_steps, logs["loss"])
        with self._log.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"step": state.global_step, **logs}) + "\n")
