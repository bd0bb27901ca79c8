"""Labelled groups, and when a judgment of one is right. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grm_plugin.errors import InputError
from grm_plugin.types import Group


@dataclass(frozen=True, slots=True)
class Datum:
    """A group and what is known of it.

    Args:
        group: what a judge is asked.
        label: of N >= 2 responses the index of the single best one; of one response 1 where it is
            right and 0 where it is not.
    """

    group: Group
    label: int


def correct(scores_N: Sequence[float], label: int) -> bool:
    """Whether a judgment is right (eq. 10 of arXiv:2504.02495).

    Of N >= 2 responses the labelled best one must score above every other; the order of the others
    does not count. Of one response the score must be its label, 0 or 1.

    >>> correct((8, 5, 7), 0), correct((8, 8, 7), 0), correct((1,), 1)
    (True, False, True)
    """
    if len(scores_N) == 1:
        return scores_N[0] == label
    return all(scores_N[label] > score for n, score in enumerate(scores_N) if n != label)


def datum_of(group: Group) -> Datum:
    """The labelled group that the metadata of ``group`` describes.

    Raises:
        InputError: there is no label.
    """
    name = "correct" if len(group.responses) == 1 else "best"
    label = group.metadata.get(name)
    if not isinstance(label, int):
        raise InputError(f"group {group.label}: expected {name!r}, got none")
    return Datum(group, int(label))
