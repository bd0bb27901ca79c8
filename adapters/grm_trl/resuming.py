"""Where a run of training goes on after a stop, and whether it is the same run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from grm_plugin.errors import ConfigError, quoted
from grm_plugin.report.terminal import say
from grm_plugin.running.whole_file import writing

RUN = "run.json"
"""The file beside the checkpoints that says what they were trained on and how."""
_STATE = "trainer_state.json"  # what transformers writes last
_TAIL = 1 << 20
_DECIDING = (
    "seed",
    "learning_rate",
    "lr_scheduler_type",
    "warmup_steps",
    "weight_decay",
    "optim",
    "max_grad_norm",
    "loss_type",
    "max_length",
    "train_sampling_strategy",
    "num_generations",
    "max_completion_length",
    "temperature",
    "top_p",
    "top_k",
    "beta",
    "scale_rewards",
    "num_iterations",
)


def last_checkpoint(folder: Path) -> str | None:
    """The newest whole checkpoint in ``folder``; those that a kill cut are told and skipped."""
    for path in sorted(folder.glob("checkpoint-*"), key=_step, reverse=True):
        if _step(path) < 0:
            continue
        if _is_whole(path):
            return str(path)
        say(f"warning: {path} was not saved to its end ({_STATE} is missing or cut); skipped")
    return None


def _step(path: Path) -> int:
    step = path.name.removeprefix("checkpoint-")
    return int(step) if step.isdecimal() else -1


def _is_whole(path: Path) -> bool:
    try:
        json.loads((path / _STATE).read_bytes())
    except (OSError, ValueError):
        return False
    return True


def going_on(
    training: Any, base: str, rows: Iterable[Mapping[str, Any]], **more: object
) -> str | None:
    """The checkpoint that a run in ``training.output_dir`` goes on from; None: it begins.

    What decides the run is kept beside its checkpoints. More steps, other places for logs and other
    intervals are no other run.

    Args:
        training: of TRL's config classes.
        base: name or folder of the model that is trained.
        rows: what is learned from.
        more: settings that decide as well, which JSON can hold.

    Raises:
        ConfigError: the checkpoints there are of another run; says what differs.
    """
    folder = Path(training.output_dir)
    now = _identity(training, base, rows) | more
    last = last_checkpoint(folder)
    if last:
        _check_same(folder, now)
    if training.process_index == 0:
        with writing(folder / RUN) as file:
            file.write(json.dumps(now, indent=1) + "\n")
    return last


def lora_of(model: Any) -> dict[str, object]:
    """What decides a run of TRL's ``ModelConfig`` besides the base."""
    names = ("model_revision", "use_peft", "lora_r", "lora_alpha", "lora_target_modules")
    return {name: getattr(model, name) for name in names}


def _identity(training: Any, base: str, rows: Iterable[Mapping[str, Any]]) -> dict[str, object]:
    settings = {name: getattr(training, name, None) for name in _DECIDING}
    return {
        "model_name_or_path": base,
        "weights": _weights(Path(base)),
        "data": _digest(json.dumps(row, sort_keys=True).encode() for row in rows),
        "batch": training.train_batch_size
        * training.gradient_accumulation_steps
        * training.world_size,
        **json.loads(json.dumps(settings, default=str)),
    }


def _check_same(folder: Path, now: Mapping[str, object]) -> None:
    path = folder / RUN
    try:
        before = json.loads(path.read_bytes())
    except FileNotFoundError:
        say(f"warning: {path} is missing, so whether {folder} holds the same run is not known")
        return
    except ValueError:
        before = None
    if not isinstance(before, dict):
        raise ConfigError(f"{path} is no JSON object; choose another output_dir")
    differing = [
        f"{name} was {quoted(before[name])}, is {quoted(now.get(name))}"
        for name in before
        if before[name] != now.get(name)
    ]
    if differing:
        raise ConfigError(
            f"output_dir: {folder} holds checkpoints of another run ({'; '.join(differing)}); "
            "choose another output_dir, or delete that one"
        )


def _weights(folder: Path) -> str | None:
    """A digest of the weights in a folder, of the end of each file; None for a name of the hub."""
    if not folder.is_dir():
        return None
    files = sorted([*folder.glob("*.safetensors"), *folder.glob("*.bin")])
    return _digest(map(_end, files))


def _end(path: Path) -> bytes:
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - _TAIL))
        return f"{path.name}:{size}:".encode() + file.read()


def _digest(parts: Iterable[bytes]) -> str:
    found = hashlib.blake2b(digest_size=16)
    for part in parts:
        found.update(len(part).to_bytes(8, "big") + part)
    return found.hexdigest()
