"""What health asks of the truth: a number for each response, and which one alone is best."""

from __future__ import annotations

from collections.abc import Sequence

from grm_plugin.errors import InputError
from grm_plugin.evaluation.truth import Best, Correct, Truth, truth_of
from grm_plugin.types import Group


def known_truth(group: Group) -> Truth | None:
    """The truth of a group; None where its metadata has none that can be read."""
    try:
        return truth_of(group)
    except InputError:
        return None


def truth_values(group: Group) -> Sequence[float] | None:
    """How good each of N responses is known to be: 1 or 0, or its rating; None if nothing is."""
    truth = known_truth(group)
    if isinstance(truth, Best):
        return [float(n in truth.indices) for n in range(len(group.responses))]
    if isinstance(truth, Correct):
        return [float(label) for label in truth.labels_N]
    return truth.values_N if truth else None


def single_best(values_N: Sequence[float] | None) -> int | None:
    """The place of the one maximum; None where there is none.

    >>> single_best([0.0, 1.0]), single_best([1.0, 1.0]), single_best(None)
    (1, None, None)
    """
    if values_N is None or len(values_N) < 2:
        return None
    top = max(values_N)
    return values_N.index(top) if list(values_N).count(top) == 1 else None
