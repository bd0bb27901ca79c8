"""Samples from the whole distribution of a small model, a batch at a time. Imports torch.

``generate`` of transformers computes every row until the longest is done, and copies the cache at
every token. With a small model on a CPU these two are most of the time. Here rows that ended leave.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import torch

from grm_plugin.local.cache import growing_cache

_LEAVE = 0.8
"""Rows that ended leave when no more than this share of the batch is still written."""


def sample_whole(
    model: Any,
    prompts: Sequence[Sequence[int]],
    *,
    ends: Collection[int],
    max_tokens: int,
    temperature: float = 1.0,
) -> list[list[int]]:
    """One completion of every prompt, drawn with torch's own generator.

    Args:
        model: a causal language model of transformers with a plain cache.
        prompts: token ids of each.
        ends: tokens that end a completion; they stay at its end.
        max_tokens: where a completion is cut.
        temperature: above 0; the distribution is neither cut nor bent.

    Returns:
        the tokens of every completion, in the order of the prompts.
    """
    written: list[list[int]] = [[] for _ in prompts]
    stops = torch.tensor(sorted(ends), device=model.device)
    with torch.no_grad():
        batch = _Batch(model, prompts)
        for left in reversed(range(max_tokens)):
            tokens = torch.multinomial((batch.logits / temperature).softmax(-1), 1).squeeze(-1)
            for row, token in batch.still_written(tokens):
                written[row].append(token)
            batch.open &= ~torch.isin(tokens, stops)
            if not (left and batch.open.any()):
                break
            batch.advance(tokens)
    return written


class _Batch:
    """The rows that are being written.

    Args:
        rows: which prompt each row belongs to.
        open: whether it is still written.
        logits: for its next token.
    """

    def __init__(self, model: Any, prompts: Sequence[Sequence[int]]) -> None:
        self._model, device = model, model.device
        width = max(map(len, prompts))
        ids = torch.tensor([[0] * (width - len(one)) + list(one) for one in prompts], device=device)
        self._mask = torch.tensor(
            [[0] * (width - len(one)) + [1] * len(one) for one in prompts], device=device
        )
        self._cache = growing_cache(model)
        self.rows = torch.arange(len(prompts), device=device)
        self.open = torch.ones(len(prompts), dtype=torch.bool, device=device)
        self.logits = self._next(ids, (self._mask.cumsum(-1) - 1).clamp(min=0))

    def still_written(self, tokens: torch.Tensor) -> Iterator[tuple[int, int]]:
        """The prompt and the token of every row that has not ended."""
        known = zip(self.rows.tolist(), tokens.tolist(), self.open.tolist(), strict=True)
        return ((row, token) for row, token, is_open in known if is_open)

    def advance(self, tokens: torch.Tensor) -> None:
        """Take the tokens that were drawn, and let rows that ended leave when they are many."""
        if self.open.sum() <= _LEAVE * len(self.open):
            kept = self.open.nonzero().squeeze(-1)
            tokens, self.rows, self.open = tokens[kept], self.rows[kept], self.open[kept]
            self._mask = self._mask[kept]
            self._cache.batch_select_indices(kept)
        self._mask = torch.cat([self._mask, self._mask.new_ones(len(tokens), 1)], dim=1)
        self.logits = self._next(tokens.unsqueeze(-1), self._mask.sum(-1, keepdim=True) - 1)

    def _next(self, ids: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        output = self._model(
            input_ids=ids,
            attention_mask=self._mask,
            position_ids=positions,
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=1,
        )
        last: torch.Tensor = output.logits[:, -1].float()
        return last
