"""What decides a sequence classifier of one logit, and whether a folder is fit for it."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

from grm_plugin.errors import ConfigError, quoted
from grm_plugin.running.whole_file import writing


@dataclass(frozen=True)
class ClassifierTraining:
    """Everything that, together with the examples, decides a classifier.

    Args:
        base: folder or hub id of a model, whose trunk is taken. The head of a language model is
            new; that of a classifier goes on.
        folder: where model, log, report and checkpoints go.
        learning_rate: of AdamW.
        batch: examples a step, over all devices.
        device_batch: examples of them that one device takes at a time.
        epochs: passes over the training examples.
        warmup: share of the steps over which the rate rises.
        weight_decay: of AdamW.
        save_every: steps between checkpoints.
        seed: of the head and of the order of the examples.
        dtype: of the weights in training; a GPU that can computes in bfloat16 whatever it is.
        gradient_checkpointing: trade time for memory.
    """

    PASSING: ClassVar[frozenset[str]] = frozenset(
        ("folder", "save_every", "device_batch", "gradient_checkpointing")
    )
    """Settings that do not decide what comes out."""

    base: str
    folder: Path
    learning_rate: float = 1e-5
    batch: int = 512
    device_batch: int = 8
    epochs: float = 1.0
    warmup: float = 0.05
    weight_decay: float = 0.01
    save_every: int = 100
    seed: int = 0
    dtype: str = "float32"
    gradient_checkpointing: bool = False


class Trained(Protocol):
    """How a training ended, as a dataclass: steps, wall seconds, and mean loss in nats."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def steps(self) -> int: ...

    @property
    def seconds(self) -> float: ...

    @property
    def loss(self) -> float: ...


def is_first_process() -> bool:
    """Whether this one of several processes (`RANK`) writes and tells for all."""
    return os.environ.get("RANK", "0") == "0"


def check_folder(settings: ClassifierTraining, examples: str) -> None:
    """Refuse a folder that holds another training; write down what this one is.

    Of several processes (`RANK`) the first one writes, and none reads half a file.

    Args:
        settings: of the training that is asked for.
        examples: hex digest of what it is trained on.

    Raises:
        ConfigError: the folder holds another training, or what it holds can not be read or written.
    """
    names = {
        name: value for name, value in asdict(settings).items() if name not in settings.PASSING
    }
    asked = {**names, "rows": examples}
    path = settings.folder / "settings.json"
    made = _made(path) or asked
    for name in asked:
        if made.get(name) != asked[name]:
            raise ConfigError(
                f"{settings.folder} holds a training with {name} = {quoted(made.get(name))}, and "
                f"{quoted(asked[name])} is asked for; choose another folder, or the same settings"
            )
    if is_first_process():
        with writing(path) as file:
            file.write(json.dumps(asked, indent=2) + "\n")


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
