"""Rewards rounded to a step, so that responses of equal quality tie in the trainer."""

from __future__ import annotations


def rounded(reward: float, step: float | None) -> float:
    """``reward`` at the nearest multiple of ``step``; as it is when there is no step.

    >>> rounded(0.77, 0.1) == rounded(0.83, 0.1) == rounded(0.8, 0.1)
    True
    >>> rounded(0.77, None)
    0.77
    """
    return reward if step is None else round(reward / step) * step
