"""Loads weights and tokenizer from a folder or the hub. Imports torch: import it late."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError
from transformers import AutoConfig, AutoTokenizer
from transformers.utils.logging import (
    disable_progress_bar,
    enable_progress_bar,
    is_progress_bar_enabled,
)

from grm_plugin.errors import EngineError, quoted
from grm_plugin.local.options import LocalModelOptions

T = TypeVar("T")
R = TypeVar("R")

# while transformers loads, torch of the whole process makes tensors without memory
_ONE_AT_A_TIME = threading.Lock()
_LOAD_ERRORS = (OSError, ValueError, KeyError, RuntimeError, ImportError, SafetensorError)


def load(auto_class: Any, options: LocalModelOptions, owner: str, **more: Any) -> tuple[Any, Any]:
    """The model, on its device and ready to run, and its tokenizer.

    Args:
        auto_class: a transformers ``AutoModelFor...``.
        options: what to load.
        owner: how messages call the part, say ``engine 'transformers'``.
        more: further arguments of ``from_pretrained``.

    Raises:
        EngineError: no such model, no safetensors, or weights that can not be read.
    """
    name = _checked_path(options.model, owner)
    dtype = options.dtype if options.dtype == "auto" else _dtype(options.dtype, owner)
    try:
        if attention := options.attn_implementation or capped(name, **options.loading):
            more["attn_implementation"] = attention
        tokenizer = AutoTokenizer.from_pretrained(name, **options.loading)
        with _ONE_AT_A_TIME, bars_in_terminals_only():
            model, report = auto_class.from_pretrained(
                name,
                dtype=dtype,
                use_safetensors=True,
                output_loading_info=True,
                **options.loading,
                **more,
            )
        _check_complete(report["missing_keys"], options.model, owner)
        return model.to(_device(options.device)).eval(), tokenizer
    except _LOAD_ERRORS as error:
        raise EngineError(
            f"{owner}: model {options.model!r} can not be loaded: {quoted(error, 300)}"
        ) from error


@contextmanager
def bars_in_terminals_only() -> Iterator[None]:
    """Progress bars of transformers are kept out of logs and pipes; the caller's choice returns."""
    if (sys.stderr and sys.stderr.isatty()) or not is_progress_bar_enabled():
        yield
        return
    disable_progress_bar()
    try:
        yield
    finally:
        enable_progress_bar()


def capped(name: str, **loading: Any) -> str | None:
    """The attention for a model that caps its logits (Gemma-2), which ``sdpa`` does not; else None.

    Args:
        name: folder or hub id.
        loading: further arguments of ``from_pretrained``.
    """
    config = AutoConfig.from_pretrained(name, **loading).get_text_config()
    return "eager" if getattr(config, "attn_logit_softcapping", None) else None


def _checked_path(model: str, owner: str) -> str:
    path = Path(model).expanduser()
    if model.startswith((".", "/", "~")) and not path.is_dir():
        raise EngineError(f"{owner}: no model folder at {model!r}; check the option 'model'")
    return str(path) if path.is_dir() else model


def _check_complete(missing: Collection[str], model: str, owner: str) -> None:
    """Refuse weights with holes: transformers would fill them with random numbers."""
    if missing:
        raise EngineError(
            f"{owner}: model {model!r} has no weights for {quoted(', '.join(sorted(missing)))}; "
            "it was made for another purpose"
        )


def _dtype(name: str, owner: str) -> torch.dtype:
    dtype = getattr(torch, name, None)
    if not isinstance(dtype, torch.dtype):
        raise EngineError(f"{owner}: dtype: expected 'auto' or a torch dtype, got {name!r}")
    return dtype


def _device(name: str) -> str:
    if name != "auto":
        return name
    return "cuda" if torch.cuda.is_available() else "cpu"


def context_of(model: Any) -> int | None:
    """Tokens the model can hold, or None when its configuration does not say."""
    found = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    return found if isinstance(found, int) else None


def within_memory(
    run: Callable[[Sequence[T]], Sequence[R]], rows: Sequence[T], owner: str
) -> list[R]:
    """``run(rows)``; when the device is out of memory, once more in two halves.

    Raises:
        EngineError: half a batch is still too much.
    """
    try:
        return list(run(rows))
    except torch.OutOfMemoryError:
        pass  # retried outside of the handler, where the failed batch is no longer held
    torch.cuda.empty_cache()
    half = (len(rows) + 1) // 2
    try:
        return [result for part in (rows[:half], rows[half:]) if part for result in run(part)]
    except torch.OutOfMemoryError as error:
        raise EngineError(
            f"{owner}: out of memory with {half} rows in a batch; lower batch_tokens"
        ) from error
