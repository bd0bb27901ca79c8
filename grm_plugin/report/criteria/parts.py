"""Parts of a record that are told beside each other: values of a column, or stretches of steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from grm_plugin.errors import on_one_line
from grm_plugin.types.training import STEP

MOST = 16
OTHERS = "others"
_LONGEST = 60


class Values:
    """Parts by the value of a column of the metadata, in the order in which they come.

    A list with one value for each response parts the responses of a group, not the groups.

    Args:
        column: its name.
    """

    def __init__(self, column: str) -> None:
        self.column = column
        self._numbers: dict[str, int] = {}

    def of(self, metadata: Mapping[str, Any], responses: int) -> Iterator[tuple[int, list[int]]]:
        """The parts that a group belongs to, by number, with its responses in each."""
        value = metadata.get(self.column)
        if value is None:
            return
        if not isinstance(value, list | tuple) or len(value) != responses:
            yield self._number(value), list(range(responses))
            return
        found: dict[int, list[int]] = {}
        for n, one in enumerate(value):
            found.setdefault(self._number(one), []).append(n)
        yield from found.items()

    @property
    def names(self) -> list[str]:
        """Of the parts, by number; what comes after so many is one part, ``others``."""
        return list(self._numbers)

    def _number(self, value: object) -> int:
        name = on_one_line(str(value)[:_LONGEST])
        if name not in self._numbers and len(self._numbers) >= MOST - 1:
            name = OTHERS
        return self._numbers.setdefault(name, len(self._numbers))


class Steps:
    """Parts by the step of a training run, as many steps in each; wider ones as steps go on.

    ``folds`` counts how often the parts were made twice as wide: each time part 2 i and part
    2 i + 1 become part i.
    """

    column = STEP

    def __init__(self) -> None:
        self.folds = 0
        self._seen = -1

    def of(self, metadata: Mapping[str, Any], responses: int) -> Iterator[tuple[int, list[int]]]:
        """The part that a group belongs to, by number, with all of its responses."""
        step = metadata.get(STEP)
        if not isinstance(step, int) or isinstance(step, bool) or step < 0:
            return
        while step >> self.folds >= MOST:
            self.folds += 1
            self._seen >>= 1
        self._seen = max(self._seen, step >> self.folds)
        yield step >> self.folds, list(range(responses))

    @property
    def names(self) -> list[str]:
        """Of the parts, by number: their first and last step."""
        width = 1 << self.folds
        ends = ((place * width, (place + 1) * width - 1) for place in range(self._seen + 1))
        return [f"{first}" if first == last else f"{first}-{last}" for first, last in ends]


Parts = Values | Steps
