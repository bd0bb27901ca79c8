"""What training a judge with TRL needs beside its reward. Imports transformers: import late."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from transformers import TrainerCallback
from trl import TrlParser

from grm_plugin.errors import ConfigError, GRMError

_WATCHED = ("loss", "grad_norm", "train_loss")


def run_command(main: Callable[..., None], *kinds: type) -> None:
    """Run a recipe with what its command line and YAML say; its errors are one line each.

    Args:
        main: the recipe; takes one object of each of ``kinds``.
        kinds: dataclasses whose fields are the keys.
    """
    try:
        main(*TrlParser(kinds).parse_args_and_config())
    except GRMError as error:
        sys.exit(f"error: {error}")


class NaNError(GRMError):
    """The loss is no number any more; the run stops before it saves such weights."""


class StopAtNaN(TrainerCallback):  # type: ignore[misc]
    """Ends a run whose loss or gradient is NaN or infinite, before such weights are saved.

    A step that is saved is logged first, whatever ``logging_steps`` says. Needs
    ``logging_nan_inf_filter: false``, without which transformers hides such a loss.
    """

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Refuse settings under which nothing could be seen."""
        if args.logging_nan_inf_filter:
            raise ConfigError(
                "logging_nan_inf_filter: expected false, since true hides a loss that is NaN"
            )

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Have a step logged that is about to be saved, or is the last one."""
        control.should_log |= control.should_save or control.should_training_stop

    on_epoch_end = on_step_end

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        """Look at what the trainer logs."""
        for name in _WATCHED:
            value = (logs or {}).get(name)
            if value is not None and not math.isfinite(value):
                raise NaNError(
                    f"{name} is {value} at step {state.global_step}, and training stops here; go "
                    "on from the last checkpoint with a lower learning_rate or max_grad_norm, or "
                    "in another dtype"
                )


class MetricsFile(TrainerCallback):  # type: ignore[misc]
    """Writes what the trainer logs as lines of JSON, a step a line; a resumed run goes on in it.

    Args:
        path: the file; what a run that goes on has not reached yet is dropped.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Begin with what the checkpoint knows."""
        if state.is_world_process_zero:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.write_text("".join(map(_line, state.log_history)), encoding="utf-8")

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        """Add a line."""
        if state.is_world_process_zero and logs:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(_line({**logs, "step": state.global_step}))


def check_chat_template(tokenizer: Any, model: str) -> None:
    """Refuse a model that has no chat template: its prompts could not be rendered.

    Raises:
        ConfigError: says what to do.
    """
    if not getattr(tokenizer, "chat_template", None):
        raise ConfigError(
            f"model {model!r} has no chat template, so prompts of messages can not be rendered; "
            "put a chat_template.jinja into its folder, the one that it shall be asked with later"
        )


def _line(logs: Mapping[str, Any]) -> str:
    known = {name: _as_json(value) for name, value in logs.items()}
    return json.dumps(known, ensure_ascii=False) + "\n"


def _as_json(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
