"""Trains the starting policy from scratch. Needs torch and transformers."""

from __future__ import annotations

import argparse
import json
import logging
import time
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import torch

from grm_plugin.reference.making.batches import Batch, collate
from grm_plugin.reference.making.network import judgment_loss
from grm_plugin.reference.making.training import TrainingConfig, build_model, save_model
from grm_plugin.reference.policy import POLICY_CHAT_TEMPLATE, POLICY_MODEL
from grm_plugin.reference.policy.examples import PolicyTraining, draw_rows
from grm_plugin.reference.tokenizer import build_tokenizer

logger = logging.getLogger(__name__)


def train_policy(config: PolicyTraining, folder: Path = POLICY_MODEL, device: str = "cpu") -> float:
    """Train, write the model to `folder`, and return the mean loss of the last 50 steps in nats."""
    tokenizer, model = build_tokenizer(), _new_model(config, folder).to(device)
    optimizers = _optimizers(config, model)
    losses, started = [], time.monotonic()
    for step in range(config.steps):
        for group in (group for one in optimizers for group in one.param_groups):
            group["lr"] = group["initial_lr"] * _rate(config, step)
        losses.append(_update(model, optimizers, collate(draw_rows(config, tokenizer, step))))
        if step % 100 == 99:
            seconds = time.monotonic() - started
            logger.info("step %d: loss %.3f, %.0f s", step + 1, _tail(losses), seconds)
    save_policy(config, model, folder)
    return _tail(losses)


def save_policy(config: PolicyTraining, model: Any, folder: Path) -> None:
    """Write weights, tokenizer, chat template and settings."""
    folder.mkdir(parents=True, exist_ok=True)
    save_model(model, folder)
    _put_chat_template(folder)
    settings = json.dumps(asdict(config), indent=2)
    (folder / "training.json").write_text(settings + "\n", encoding="utf-8")


def _put_chat_template(folder: Path) -> None:
    (folder / "chat_template.jinja").write_text(POLICY_CHAT_TEMPLATE, encoding="utf-8")
    path = folder / "tokenizer_config.json"
    settings = json.loads(path.read_text(encoding="utf-8")) | {
        "chat_template": POLICY_CHAT_TEMPLATE
    }
    path.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")


def _new_model(config: PolicyTraining, folder: Path) -> Any:
    shape = TrainingConfig(
        folder,
        seed=config.seed,
        init_std=config.init_std,
        layers=config.layers,
        width=config.width,
        feed_forward=config.feed_forward,
    )
    return build_model(shape)


def _optimizers(config: PolicyTraining, model: Any) -> list[torch.optim.Optimizer]:
    matrices = [
        one for name, one in model.named_parameters() if ".layers." in name and one.ndim == 2
    ]
    others = [
        one for name, one in model.named_parameters() if ".layers." not in name or one.ndim < 2
    ]
    return [
        torch.optim.AdamW(
            [{"params": others, "initial_lr": config.learning_rate}], betas=(0.9, 0.98)
        ),
        torch.optim.Muon(
            [{"params": matrices, "initial_lr": config.matrix_rate}], adjust_lr_fn="original"
        ),
    ]


def _update(model: Any, optimizers: Sequence[torch.optim.Optimizer], batch: Batch) -> float:
    loss = judgment_loss(model, *(part.to(model.device) for part in batch))
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    for optimizer in optimizers:
        optimizer.step()
        optimizer.zero_grad()
    return float(loss.item())


def _rate(config: PolicyTraining, step: int) -> float:
    return min((step + 1) / config.warmup, 1.0, max(0.02, 2 * (config.steps - step) / config.steps))


def _tail(losses: Sequence[float]) -> float:
    return sum(losses[-50:]) / len(losses[-50:])


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line: every number of the settings, and the folder."""
    parser = argparse.ArgumentParser(prog="python -m grm_plugin.reference.policy.training")
    parser.add_argument("--folder", type=Path, default=POLICY_MODEL)
    parser.add_argument("--device", default="cpu")
    for field in fields(PolicyTraining):
        if isinstance(field.default, int | float):
            parser.add_argument(f"--{field.name}", type=type(field.default), default=field.default)
    settings = vars(parser.parse_args(arguments))
    folder, device = settings.pop("folder"), settings.pop("device")
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    torch.set_num_threads(1)
    train_policy(PolicyTraining(**settings), folder, device)


if __name__ == "__main__":
    main()
