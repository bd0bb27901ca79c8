"""What RM data are like, and which of them are there twice or contradict one another."""

from __future__ import annotations

import json
import statistics
from array import array
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from grm_plugin.spct.examples import Datum, subset_of
from grm_plugin.spct.overlap import words
from grm_plugin.types import digest


def _lengths() -> array[int]:
    return array("L")


@dataclass
class Profile:
    """Counts over data; add them one by one.

    Args:
        labels: by number of responses N, how often each label is there: the index of the best one,
            or of one response 0 and 1.
        subsets: how many data of each subset.
        prompt_words, response_words: their lengths, of all turns together and of each response.
    """

    labels: dict[int, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    subsets: Counter[str] = field(default_factory=Counter)
    prompt_words: array[int] = field(default_factory=_lengths)
    response_words: array[int] = field(default_factory=_lengths)

    def add(self, datum: Datum) -> None:
        """Count one datum."""
        group = datum.group
        self.labels[len(group.responses)][datum.label] += 1
        self.subsets[subset_of(group)] += 1
        self.prompt_words.append(sum(len(words(turn.content)) for turn in group.conversation))
        self.response_words.extend(len(words(text)) for text in group.responses)

    @property
    def data(self) -> int:
        """Data counted."""
        return self.subsets.total()

    def as_json(self) -> dict[str, Any]:
        """All counts; of lengths the median and the longest."""
        return {
            "data": self.data,
            "labels": {
                str(n): {str(label): count for label, count in sorted(found.items())}
                for n, found in sorted(self.labels.items())
            },
            "subsets": dict(self.subsets.most_common()),
            "prompt_words": _told(self.prompt_words),
            "response_words": _told(self.response_words),
        }


def _told(lengths: Sequence[int]) -> dict[str, float]:
    if not lengths:
        return {}
    return {"median": statistics.median(lengths), "longest": max(lengths)}


@dataclass(frozen=True, slots=True)
class Repeated:
    """A datum whose prompt and responses, in any order, were there before.

    Args:
        earlier: where.
        conflict: whether it has another label there.
    """

    earlier: str
    conflict: bool


class Repetitions:
    """Finds data that are there twice; a few bytes are kept of each."""

    def __init__(self) -> None:
        self._seen: dict[int, tuple[str, int]] = {}

    def add(self, place: str, datum: Datum) -> Repeated | None:
        """Take in the datum at ``place``; whether it was there before."""
        label = _label(datum)
        earlier, known = self._seen.setdefault(_key(datum), (place, label))
        return None if earlier == place else Repeated(earlier, known != label)


def _key(datum: Datum) -> int:
    group = datum.group
    turns = [[turn.role, turn.content] for turn in group.conversation]
    return _number(json.dumps([turns, sorted(group.responses), group.reference]))


def _label(datum: Datum) -> int:
    """The label by what it says, wherever the best response stands."""
    responses = datum.group.responses
    return datum.label if len(responses) == 1 else _number(responses[datum.label])


def _number(text: str) -> int:
    return int(digest(text.encode(errors="replace").decode())[:16], 16)
