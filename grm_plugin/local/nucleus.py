"""The smallest set of tokens that holds ``top_p`` of the probability, without a sort of all.

A. Holtzman et al., The Curious Case of Neural Text Degeneration (arXiv:1904.09751). Sorting 262,144
probabilities at every step takes longer than a small judge does; the nucleus is mostly among the
few likeliest, which are found without a sort. Where it is not, more of them are looked at.
"""

from __future__ import annotations

import torch

FIRST = 256
"""Likeliest tokens that are looked at first; the next look is at ``_GROWTH`` times as many."""
_GROWTH = 16


def nucleus(weights: torch.Tensor, top_p: torch.Tensor, *, first: int = FIRST) -> torch.Tensor:
    """``weights`` with zeros outside the nucleus of each row; the likeliest token always stays.

    Of equally likely tokens at its edge those with the smallest ids are inside, as a stable sort
    has it. What is looked at first never changes what is found.

    Args:
        weights: probabilities, rows x vocabulary.
        top_p: float64 where the device has it, rows x 1; the whole row stays from 1 on.
        first: tokens to look at first, >= 1.
    """
    found = weights.clone()
    open_rows = (top_p[:, 0] < 1).nonzero()[:, 0]
    count = first
    while len(open_rows):
        count = min(count, weights.shape[1])
        inside, closed = _among(weights[open_rows], top_p[open_rows], count)
        found[open_rows[closed]] = inside[closed]
        open_rows, count = open_rows[~closed], count * _GROWTH
    return found


def _among(
    weights: torch.Tensor, top_p: torch.Tensor, count: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Weights inside the nucleus if it is among the ``count`` likeliest, and whether it is."""
    likeliest = weights.topk(count).values
    before = likeliest.cumsum(-1, dtype=top_p.dtype) - likeliest
    # the last place that is looked at tells only that the nucleus ends before it
    kept = (before < top_p).sum(-1, keepdim=True).clamp_(min=1)
    closed = (kept < count) | (count == weights.shape[1])
    least = likeliest.gather(1, kept - 1)
    inside = weights >= least
    beyond = likeliest.gather(1, kept.clamp(max=count - 1))
    if bool(((beyond == least) & (kept < count)).any()):
        inside = _first_of_equals(weights, least, kept)
    return torch.where(inside, weights, 0.0), closed[:, 0]


def _first_of_equals(
    weights: torch.Tensor, least: torch.Tensor, kept: torch.Tensor
) -> torch.Tensor:
    """The ``kept`` likeliest tokens: those above ``least``, and the first ones that equal it."""
    above, equal = weights > least, weights == least
    room = kept - above.sum(-1, keepdim=True)
    return above | (equal & (equal.cumsum(-1) <= room))
