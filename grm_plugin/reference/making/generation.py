"""Samples judgments from a reference model, in batches. Needs torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from grm_plugin.engine import Sampling
from grm_plugin.local.seeded import SeededSampler
from grm_plugin.reference.decoding import Decoder
from grm_plugin.reference.tokenizer import EOS, MAX_NEW_TOKENS, SPECIAL

_EOS = SPECIAL.index(EOS)
_LARGEST_RUN = 10_000_000


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
    batch: int = 128,
) -> list[Completion]:
    """One completion for every prompt, in order.

    Args:
        model: a causal language model of transformers that :func:`suits` the decoder.
        tokenizer: a `tokenizers.Tokenizer`.
        prompts: the prompts; repeat one to sample it several times.
        temperature: 0 is greedy.
        seed: seeds the sampling; a text depends on it and on the place of its prompt.
        batch: prompts per forward pass.
    """
    encoded = [one.ids for one in tokenizer.encode_batch(list(prompts))]
    # Prompts of like length share a batch, which saves most of the padding.
    order = sorted(range(len(encoded)), key=lambda place: len(encoded[place]))
    decoder = Decoder(model)
    found: dict[int, Completion] = {}
    for start in range(0, len(order), batch):
        places = order[start : start + batch]
        sampling = [Sampling(temperature, max_tokens=MAX_NEW_TOKENS)] * len(places)
        seeds = [_LARGEST_RUN * seed + place for place in places]
        rows = decoder.generate(
            [encoded[place] for place in places],
            steps=MAX_NEW_TOKENS,
            sampler=SeededSampler(sampling, seeds, model.device),
            ended=lambda written: (written == _EOS).any(1),
        )
        found |= zip(places, (_read(tokenizer, row) for row in rows.tolist()), strict=True)
    return [found[place] for place in range(len(encoded))]


def _read(tokenizer: Any, ids: list[int]) -> Completion:
    if _EOS not in ids:
        return Completion(tokenizer.decode(ids), finished=False)
    return Completion(tokenizer.decode(ids[: ids.index(_EOS)]), finished=True)
