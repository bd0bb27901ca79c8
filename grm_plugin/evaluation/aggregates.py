"""How published benchmarks make one number of their parts. Pure functions over percents."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence

from grm_plugin.errors import InputError

REWARD_BENCH = ("Chat", "Chat Hard", "Safety", "Reasoning")
"""The parts of RewardBench; the prior sets are not among them."""
PPE_CORRECTNESS = ("MMLU-Pro", "MATH", "GPQA", "MBPP-Plus", "IFEval")
RMB = ("Helpfulness BoN", "Helpfulness Pairwise", "Harmlessness BoN", "Harmlessness Pairwise")
OVERALL = ("RewardBench", "PPE Preference", "PPE Correctness", "RMB")
"""What arXiv:2504.02495 calls Overall; ReaLMistake is not among them."""


def mean_of(parts: Sequence[str], figures: Mapping[str, float]) -> float:
    """The plain mean of ``parts``, however many items each has.

    Args:
        parts: such as :data:`REWARD_BENCH`; further figures do not count.
        figures: accuracy by part, in one unit.

    Raises:
        InputError: a part is missing.

    >>> round(mean_of(OVERALL, dict(zip(OVERALL, (86.0, 64.7, 59.8, 69.0)))), 1)
    69.9
    """
    if missing := [part for part in parts if part not in figures]:
        raise InputError(f"expected figures of {', '.join(parts)}; missing: {', '.join(missing)}")
    return statistics.fmean(figures[part] for part in parts)
