"""What decides a meta RM, and whether rows and folder are fit for it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from grm_plugin.errors import ConfigError, InputError, quoted
from grm_plugin.spct.meta_balance import Balance
from grm_plugin.spct.meta_data import MetaRow

_FEWEST_GROUPS = 10


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


def check_folder(settings: MetaTraining, rows: Sequence[MetaRow]) -> None:
    """Refuse a folder that holds another training; write down what this one is.

    Of several processes (`RANK`) the first one writes, and none reads half a file.

    Raises:
        ConfigError: the folder holds another training, or what it holds can not be read or written.
    """
    names = {name: value for name, value in asdict(settings).items() if name not in _PASSING}
    asked = {**names, "rows": _digest(rows)}
    path = settings.folder / "settings.json"
    made = _made(path) or asked
    for name in asked:
        if made.get(name) != asked[name]:
            raise ConfigError(
                f"{settings.folder} holds a training with {name} = {quoted(made.get(name))}, and "
                f"{quoted(asked[name])} is asked for; choose another folder, or the same settings"
            )
    if os.environ.get("RANK", "0") == "0":
        _write(path, json.dumps(asked, indent=2) + "\n")


def _made(path: Path) -> dict[str, Any]:
    """The settings in ``path``; empty where it is not there."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{path} can not be read, so nobody knows what training the folder holds: {error}; "
            "remove the file if it is this one, or choose another folder"
        ) from error
    if not isinstance(found, dict):
        raise ConfigError(
            f"{path}: expected the settings of a training, got {quoted(found)}; choose another "
            "folder"
        )
    return found


def _write(path: Path, text: str) -> None:
    beside = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        raise ConfigError(f"{path} can not be written: {error.strerror or error}") from error


_PASSING = {"folder", "save_every", "device_batch", "gradient_checkpointing"}


def _digest(rows: Sequence[MetaRow]) -> str:
    found = hashlib.blake2b(digest_size=16)
    for row in rows:
        found.update(f"{row.label}\0{row.text}\0".encode())
    return found.hexdigest()
