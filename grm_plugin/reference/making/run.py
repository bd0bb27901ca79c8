"""One training of the reference judge under way: steps, looks at held-out data, checkpoints."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch.optim import AdamW, Muon, Optimizer
from torch.utils.data import DataLoader
from transformers import LlamaConfig, LlamaForCausalLM

from grm_plugin.reference.making.batches import POOL, Batch, Pools
from grm_plugin.reference.making.measurement import measure
from grm_plugin.reference.making.network import judgment_loss
from grm_plugin.reference.making.recipe import TrainingConfig, TrainingReport
from grm_plugin.reference.tokenizer import MAX_LENGTH, TOKEN_IDS, build_tokenizer
from grm_plugin.running.whole_file import replacing

logger = logging.getLogger(__name__)


def build_model(config: TrainingConfig) -> Any:
    """The untrained network: a `LlamaForCausalLM` with tied embeddings, seeded by the config."""
    shape = LlamaConfig(
        vocab_size=build_tokenizer().get_vocab_size(),
        hidden_size=config.width,
        intermediate_size=config.feed_forward,
        num_hidden_layers=config.layers,
        num_attention_heads=config.width // 32,
        num_key_value_heads=config.width // 32,
        max_position_embeddings=MAX_LENGTH,
        initializer_range=config.init_std,
        tie_word_embeddings=True,
        **TOKEN_IDS,
    )
    torch.manual_seed(config.seed)
    return LlamaForCausalLM(shape)


class Run:
    """One training under way: model, optimizers, and the checkpoint that holds both."""

    def __init__(self, config: TrainingConfig) -> None:
        self.config = config
        self.tokenizer = build_tokenizer()
        self.model = build_model(config).to(config.device)
        self.optimizers = _make_optimizers(config, self.model)
        self.rates = [group["lr"] for one in self.optimizers for group in one.param_groups]
        self.step, self.groups, self.seconds = 0, 0, 0.0
        self.losses: list[float] = []
        self._since = time.monotonic()

    def batches(self) -> Iterator[Batch]:
        config = self.config
        data = Pools(
            config.stages,
            seed=config.seed,
            tokens=config.tokens,
            start=self.step,
            steps=config.steps,
        )
        pools = DataLoader(data, batch_size=None, num_workers=config.workers, prefetch_factor=4)
        return (batch for pool in pools for batch in pool)

    def advance(self, batch: Batch) -> None:
        factor = rate(self.config, self.step)
        parts = [group for one in self.optimizers for group in one.param_groups]
        for part, full in zip(parts, self.rates, strict=True):
            part["lr"] = full * factor
        loss = judgment_loss(self.model, *(part.to(self.model.device) for part in batch))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad()
        self.losses = [*self.losses[-199:], loss.item()]
        self.groups += len(batch[0])
        self.step += 1

    def report(self) -> None:
        figures = {
            f"best of {number}": asdict(
                measure(self.model, self.tokenizer, responses=number, groups=self.config.probes)
            )
            for number in (2, 4)
        }
        logger.info("%s %s", self.summary(), figures)
        with (self.config.folder / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps({**asdict(self.summary()), **figures}) + "\n")

    def summary(self) -> TrainingReport:
        return TrainingReport(
            steps=self.step,
            groups=self.groups,
            seconds=round(self.seconds + time.monotonic() - self._since, 1),
            loss=sum(self.losses) / max(1, len(self.losses)),
            parameters=sum(one.numel() for one in self.model.parameters()),
        )

    def save(self) -> None:
        state = {
            "model": self.model.state_dict(),
            "optimizers": [one.state_dict() for one in self.optimizers],
            "settings": self._settings(),
            **asdict(self.summary()),
        }
        with replacing(self._checkpoint) as beside:  # a stop must not cost the checkpoint
            torch.save(state, beside)

    def load(self) -> None:
        if not self._checkpoint.exists():
            return
        state = torch.load(self._checkpoint, weights_only=True, map_location=self.model.device)
        self._check(state)
        self.model.load_state_dict(state["model"])
        for optimizer, saved in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(saved)
        self.step, self.groups, self.seconds = state["steps"], state["groups"], state["seconds"]

    def _check(self, state: dict[str, Any]) -> None:
        made, asked = state["settings"], self._settings()
        for name in asked:
            if made.get(name) != asked[name]:
                raise ValueError(
                    f"{self._checkpoint}: made with {name}={made.get(name)}, asked for "
                    f"{asked[name]}; use another folder or the same settings"
                )
        if state["steps"] % POOL:
            raise ValueError(
                f"{self._checkpoint}: expected a multiple of {POOL} steps, got {state['steps']}; "
                f"set report_every to a multiple of {POOL}"
            )

    def _settings(self) -> dict[str, str]:
        # What decides the weights; looks at the model on the way do not, nor what computes them.
        passing = {"folder", "report_every", "probes", "device", "workers"}
        return {k: repr(v) for k, v in asdict(self.config).items() if k not in passing}

    @property
    def _checkpoint(self) -> Path:
        return self.config.folder / "checkpoint.pt"


def _make_optimizers(config: TrainingConfig, model: Any) -> list[Optimizer]:
    # Muon learns the matrices in about two thirds of the steps that AdamW needs.
    matrices = list(model.model.layers.parameters())
    matrices = [one for one in matrices if one.ndim == 2]
    known = {id(one) for one in matrices}
    others = [one for one in model.parameters() if id(one) not in known]
    adam = AdamW(
        others, lr=config.learning_rate, betas=(0.9, 0.98), weight_decay=config.weight_decay
    )
    muon = Muon(matrices, lr=config.matrix_rate, weight_decay=config.weight_decay)
    return [adam, muon]


def rate(config: TrainingConfig, step: int) -> float:
    """The factor on both learning rates at `step`: linear warm-up, plateau, linear decay to 0."""
    falling = (config.steps - step) / (config.steps * config.decay)
    return min((step + 1) / config.warmup, 1.0, falling)
