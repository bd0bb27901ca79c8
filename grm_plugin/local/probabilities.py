"""What a local model thought of every token of a finished text. Imports torch: import it late."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import torch


def likeliest(
    model: Any, prompt: Sequence[int], output: Sequence[int], n: int
) -> list[dict[int, float]]:
    """Log probabilities at every place of ``output``, by one forward pass over the whole text.

    They are those of the model itself, at temperature 1 and without top_p, whatever was sampled
    with.

    Args:
        model: a causal language model of transformers.
        prompt: token ids before the output; at least one.
        output: token ids that the model wrote; at least one.
        n: how many of the likeliest ids to tell at each place.

    Returns:
        For every id of ``output`` the ``n`` likeliest ids at its place, and itself.
    """
    ids = torch.tensor([[*prompt, *output]], device=model.device)
    can_skip = "logits_to_keep" in inspect.signature(model.forward).parameters
    # logits at one place tell the next token; those of the prompt need not even be computed
    skip = {"logits_to_keep": len(output) + 1} if can_skip else {}
    with torch.inference_mode():
        logits = model(ids, use_cache=False, **skip).logits[0]
    logprobs = logits[-len(output) - 1 : -1].float().log_softmax(-1)
    top = logprobs.topk(min(n, logprobs.shape[1]))
    own = logprobs.gather(1, torch.tensor(output, device=model.device).unsqueeze(1))
    rows = zip(top.indices.tolist(), top.values.tolist(), strict=True)
    places = [dict(zip(*row, strict=True)) for row in rows]
    for place, token, logprob in zip(places, output, own[:, 0].tolist(), strict=True):
        place[token] = logprob
    return places
