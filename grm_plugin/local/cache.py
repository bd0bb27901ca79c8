"""A key-value cache that grows in steps instead of being copied at every token. Imports torch.

The cache of transformers concatenates at every token, which for small models on a CPU takes a third
of the whole time. This one has room to spare, and hands out the filled part of it.
"""

from __future__ import annotations

from typing import Any

import torch
import transformers
from packaging.version import Version
from transformers.cache_utils import DynamicCache, DynamicLayer

SPARE = 128
"""Tokens of room that a layer takes at once."""

CACHE_ARGUMENT = (
    "cache" if Version(transformers.__version__) >= Version("5.24") else "past_key_values"
)
"""What ``generate`` calls the cache that it is given; the older name goes away in 6.0."""


def growing_cache(model: Any) -> DynamicCache:
    """An empty cache for one plain generation with ``model``: no beams, no assistant.

    Layers with a window or a state of their own stay what transformers made them.
    """
    cache = DynamicCache(config=model.config)
    cache.layers = [
        GrowingLayer() if type(layer) is DynamicLayer else layer for layer in cache.layers
    ]
    return cache


class GrowingLayer(DynamicLayer):  # type: ignore[misc]
    """Keys and values of one layer, each (batch, heads, tokens, width of a head)."""

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Append the states of the new tokens; returns those of all tokens so far."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
            self._key_room, self._value_room = key_states[..., :0, :], value_states[..., :0, :]
        start = self.get_seq_length()
        end = start + key_states.shape[-2]
        if end > self._key_room.shape[-2]:
            self._key_room = _larger(self._key_room, start, end + SPARE)
            self._value_room = _larger(self._value_room, start, end + SPARE)
        self._key_room[..., start:end, :] = key_states
        self._value_room[..., start:end, :] = value_states
        self.keys, self.values = self._key_room[..., :end, :], self._value_room[..., :end, :]
        return self.keys, self.values

    def batch_select_indices(self, indices: torch.Tensor) -> None:
        """Keep only these rows of the batch."""
        super().batch_select_indices(indices)
        self._key_room, self._value_room = self.keys, self.values


def _larger(room: torch.Tensor, filled: int, tokens: int) -> torch.Tensor:
    larger = room.new_empty((*room.shape[:-2], tokens, room.shape[-1]))
    larger[..., :filled, :] = room[..., :filled, :]
    return larger
