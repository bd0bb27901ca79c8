"""Trains the reference judge from scratch on one CPU core. Needs torch, transformers and rich."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from transformers import GenerationConfig

from grm_plugin.reference.making.recipe import TrainingConfig, TrainingReport
from grm_plugin.reference.making.run import Run, build_model
from grm_plugin.reference.tokenizer import MAX_NEW_TOKENS, TOKEN_IDS, save_tokenizer

__all__ = ["TrainingConfig", "TrainingReport", "build_model", "save_model", "train"]


def train(config: TrainingConfig) -> TrainingReport:
    """Train until `config.steps`, going on from the checkpoint in `config.folder` if there is one.

    The folder then holds the model as safetensors, tokenizer, generation config, `training.json`
    (config and report) and `log.jsonl` (loss and held-out figures).
    """
    torch.set_num_threads(1)
    config.folder.mkdir(parents=True, exist_ok=True)
    run = Run(config)
    run.load()
    with _progress(config, run.step) as advance:
        for batch in run.batches():
            run.advance(batch)
            advance(run.losses[-1])
            if run.step % config.report_every == 0:
                run.report()
                run.save()
    report = run.summary()
    save_model(run.model, config.folder)
    known = {**asdict(config), "folder": str(config.folder)}
    write_json(config.folder / "training.json", {"config": known, "report": asdict(report)})
    return report


def save_model(model: Any, folder: Path) -> None:
    """Write weights, config, tokenizer and generation config into `folder`."""
    model.save_pretrained(folder)
    save_tokenizer(folder)
    # top_k 0 keeps the whole distribution; the default of transformers would cut it to 50 tokens.
    GenerationConfig(
        do_sample=True, temperature=1.0, top_k=0, max_new_tokens=MAX_NEW_TOKENS, **TOKEN_IDS
    ).save_pretrained(folder)


@contextmanager
def _progress(config: TrainingConfig, start: int) -> Iterator[Any]:
    columns = (MofNCompleteColumn(), TextColumn("loss {task.fields[loss]:.3f}"))
    with Progress(*Progress.get_default_columns(), *columns, TimeRemainingColumn()) as bar:
        task = bar.add_task("training", total=config.steps, completed=start, loss=float("nan"))
        yield lambda loss: bar.update(task, advance=1, loss=loss)


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write ``value`` as an indented JSON file."""
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
