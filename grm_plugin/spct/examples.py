"""Labelled groups, and when a judgment of one is right. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from grm_plugin.evaluation.truth import BEST, CORRECT, label_of
from grm_plugin.types import Group

_BESIDE = ("subset", "source")


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


def correct(scores_N: Sequence[float | None], label: int) -> bool:
    """Whether a judgment is right (eq. 10 of arXiv:2504.02495).

    Of N >= 2 responses the labelled best one must score above every other; the order of the others
    does not count. Of one response the score must be its label, 0 or 1. A response without a score
    was not shown, being the copy of another; where no two were shown nothing is right.

    >>> correct((8, 5, 7), 0), correct((8, 8, 7), 0), correct((1,), 1)
    (True, False, True)
    """
    if len(scores_N) == 1:
        return scores_N[0] == label
    best = scores_N[label]
    others = [score for n, score in enumerate(scores_N) if n != label and score is not None]
    return best is not None and bool(others) and all(best > score for score in others)


def datum_of(group: Group) -> Datum:
    """``group`` with what its metadata says of it, as :func:`label_of` reads it.

    Raises:
        InputError: there is no label, or none that is sure.

    >>> datum_of(Group.of("2 + 2?", ["4", "5"], metadata={"ratings": [0.9, 0.1]})).label
    0
    """
    return Datum(group, label_of(group))


def subset_of(group: Group) -> str:
    """What the data calls the part that a group belongs to, else ``n`` and its size.

    >>> subset_of(Group.of("2 + 2?", ["4", "5"]))
    'n2'
    """
    named = group.metadata.get("subset")
    return str(named) if named not in (None, "") else f"n{len(group.responses)}"


def row_of(datum: Datum) -> dict[str, Any]:
    """``datum`` as a row of RM data; the inverse of reading it.

    >>> row_of(Datum(Group.of("2 + 2?", ["4", "5"], id="sum"), 0))
    {'id': 'sum', 'prompt': '2 + 2?', 'responses': ['4', '5'], 'best': 0}
    """
    group, turns = datum.group, datum.group.conversation
    plain = len(turns) == 1 and turns[0].role == "user"
    row: dict[str, Any] = {
        "id": group.id or None,
        "prompt": turns[0].content
        if plain
        else [{"role": turn.role, "content": turn.content} for turn in turns],
        "responses": list(group.responses),
        (CORRECT if len(group.responses) == 1 else BEST): datum.label,
        "reference": group.reference,
        "principles": list(group.principles) or None,
        "evidence": list(group.evidence) or None,
    }
    row |= {name: group.metadata.get(name) for name in _BESIDE}
    more = {k: v for k, v in group.metadata.items() if k not in (BEST, CORRECT, *_BESIDE)}
    if more:
        row["metadata"] = more
    return {name: value for name, value in row.items() if value is not None}
