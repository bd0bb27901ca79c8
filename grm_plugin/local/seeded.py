"""Sampling that depends on a row's own seed and on nothing else in its batch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from transformers import LogitsProcessor

from grm_plugin.engine import Sampling
from grm_plugin.local.nucleus import nucleus


class SeededSampler(LogitsProcessor):  # type: ignore[misc]
    """Draws the next token of each row and leaves it as the only possible one.

    Row ``r`` at step ``t`` takes the ``t``-th number of its own generator and reads the token off
    the cumulative distribution, so neither the batch nor its order plays a part; what remains is
    that a matrix product may round differently in batches of another shape. To be used with
    greedy generation, which then has nothing left to choose.

    Args:
        rows: temperature, top_p and token limit of each row; temperature 0 is greedy.
        seeds: one per row.
        device: where the logits are.
    """

    def __init__(
        self, rows: Sequence[Sampling], seeds: Sequence[int], device: torch.device
    ) -> None:
        # Apple's GPUs know no float64; elsewhere the small tail of a big vocabulary is worth it.
        self._wide = torch.float32 if device.type == "mps" else torch.float64
        temperature = torch.tensor([row.temperature for row in rows], device=device)
        self._greedy = temperature == 0
        self._all_greedy = bool(self._greedy.all())
        self._temperature = torch.where(self._greedy, 1.0, temperature).unsqueeze(1)
        narrow = [row.top_p if row.temperature else 1.0 for row in rows]
        self._top_p = torch.tensor(narrow, dtype=self._wide, device=device).unsqueeze(1)
        self._nucleus = min(narrow) < 1
        steps = max(row.max_tokens for row in rows)
        self._uniforms = _uniforms(seeds, steps, self._wide).to(device)
        self._step = 0

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        tokens = self.choose(scores)
        only = torch.full_like(scores, -torch.inf)
        return only.scatter_(1, tokens.unsqueeze(1), 0.0)

    def choose(self, scores: torch.Tensor) -> torch.Tensor:
        """The next token of each row, from its logits (rows, vocabulary)."""
        tokens = scores.argmax(-1) if self._all_greedy else self._draw(scores)
        self._step += 1
        return tokens

    def keep(self, rows: torch.Tensor) -> None:
        """Go on with these rows alone, counted among those that are left."""
        self._greedy, self._temperature = self._greedy[rows], self._temperature[rows]
        self._top_p, self._uniforms = self._top_p[rows], self._uniforms[rows]

    def _draw(self, scores: torch.Tensor) -> torch.Tensor:
        weights = (scores / self._temperature).softmax(-1)
        if self._nucleus:
            weights = nucleus(weights, self._top_p)
        ladder = weights.cumsum(-1, dtype=self._wide)
        # a uniform below 1 times the top rung stays below it, so the rung found has weight
        heights = self._uniforms[:, self._step, None] * ladder[:, -1:]
        drawn = torch.searchsorted(ladder, heights, right=True).squeeze(1)
        # NaN logits find no rung; they must not become an index out of range
        drawn = drawn.clamp_(max=scores.shape[1] - 1)
        return torch.where(self._greedy, scores.argmax(-1), drawn)


def _uniforms(seeds: Sequence[int], steps: int, dtype: torch.dtype) -> torch.Tensor:
    width = np.float32 if dtype == torch.float32 else np.float64
    rows = [np.random.Generator(np.random.PCG64(seed)).random(steps, width) for seed in seeds]
    return torch.from_numpy(np.stack(rows))
