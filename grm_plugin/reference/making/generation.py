"""Samples judgments from a reference model, in batches, on the CPU. Needs torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from grm_plugin.local.cache import CACHE_ARGUMENT, growing_cache
from grm_plugin.reference.tokenizer import BOS, EOS, MAX_NEW_TOKENS, PAD, SPECIAL

_PAD, _BOS, _EOS = (SPECIAL.index(token) for token in (PAD, BOS, EOS))


@dataclass(frozen=True, slots=True)
class Completion:
    """One generated text and whether the model ended it by itself."""

    text: str
    finished: bool


def complete(
    model: Any,
    tokenizer: Any,
    prompts: Sequence[str],
    *,
    temperature: float,
    seed: int,
    batch: int = 96,
) -> list[Completion]:
    """One completion for every prompt, in order.

    Args:
        model: a causal language model of transformers.
        tokenizer: a `tokenizers.Tokenizer`.
        prompts: the prompts; repeat one to sample it several times.
        temperature: 0 is greedy.
        seed: seeds the sampling; the same seed and batch give the same texts.
        batch: prompts per forward pass.
    """
    torch.manual_seed(seed)
    encoded = [one.ids for one in tokenizer.encode_batch(list(prompts))]
    # Prompts of like length share a batch, which saves most of the padding.
    order = sorted(range(len(encoded)), key=lambda place: len(encoded[place]))
    found: dict[int, Completion] = {}
    for start in range(0, len(order), batch):
        places = order[start : start + batch]
        rows = _generate(model, [encoded[place] for place in places], temperature)
        found |= zip(places, (_read(tokenizer, row) for row in rows), strict=True)
    return [found[place] for place in range(len(encoded))]


def _generate(model: Any, prompts: list[list[int]], temperature: float) -> list[list[int]]:
    width = max(map(len, prompts))
    ids = torch.tensor([[_PAD] * (width - len(ids)) + ids for ids in prompts])
    sampling = (
        {"do_sample": True, "temperature": temperature, "top_k": 0}
        if temperature
        else {"do_sample": False}
    )
    out = model.generate(
        input_ids=ids,
        attention_mask=(ids != _PAD).long(),
        **{CACHE_ARGUMENT: growing_cache(model)},
        max_new_tokens=MAX_NEW_TOKENS,
        pad_token_id=_PAD,
        eos_token_id=_EOS,
        **sampling,
    )
    return [row[width:].tolist() for row in out]


def _read(tokenizer: Any, ids: list[int]) -> Completion:
    if _EOS not in ids:
        return Completion(tokenizer.decode(ids), finished=False)
    return Completion(tokenizer.decode(ids[: ids.index(_EOS)]), finished=True)
