"""The groups of a record that grows: new ones, old ones, and those that are held out."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Mapping
from typing import Any

from grm_plugin.spct.following import Following, Read
from grm_plugin.spct.refresh_settings import Refreshing
from grm_plugin.spct.scalar_data import ScalarTable, judged_group
from grm_plugin.spct.scalar_pairs import Compared
from grm_plugin.spct.splitting import Splitting
from grm_plugin.types.groups import chance

_HELD_OUT = 512  # of the newest groups, which say what the logits of a version mean
_PRESENT = 2  # versions: held-out groups since then are the policy's present answers


class RefreshPool:
    """Takes in what a record gets.

    Args:
        following: the record.
        settings: which groups are held out, and how many are remembered.
        table: counts what is left out, and knows the judge.
    """

    def __init__(self, following: Following, settings: Refreshing, table: ScalarTable) -> None:
        self._following, self._settings, self.table = following, settings, table
        self.new: list[Compared] = []
        self.old: deque[Compared] = deque(maxlen=settings.remember)
        self.held_out: deque[Compared] = deque(maxlen=_HELD_OUT)
        self._came = deque([0], maxlen=_PRESENT + 1)

    def grow(self) -> bool:
        """Take in what is new in the record; whether anything was.

        Raises:
            InputError: another judge wrote it.
            RecordError: a line is no verdict.
        """
        return self._take(None)

    def remember(self, read: Mapping[str, Read]) -> None:
        """Take in as old ones what versions before were trained on.

        Args:
            read: how far they had read each file.
        """
        self._take(read)
        self._age()
        self._came.clear()  # how they came is not known
        self._came.append(0)

    @property
    def present(self) -> int:
        """How many of the newest held-out groups came for the last two versions, or later."""
        return min(sum(self._came), len(self.held_out))

    def taken(self, version: int) -> tuple[list[Compared], list[Compared]]:
        """The new groups for a version, and old ones beside them; the new ones are old then."""
        share = self._settings.replay
        new, wanted = self.new, round(len(self.new) * share / (1 - share))
        rng = random.Random(f"{self._settings.seed}/{version}")
        replayed = rng.sample(list(self.old), min(wanted, len(self.old)))
        self._age()
        return new, replayed

    @property
    def state(self) -> dict[str, Any]:
        """How far each file was read, and whose verdicts they are, as JSON values."""
        return {
            "read": {name: list(read) for name, read in self._following.read.items()},
            "left_out": dict(self.table.left_out),
            "judge": dict(self.table.judge.origin),
        }

    def _take(self, until: Mapping[str, Read] | None) -> bool:
        grew = False
        for place, verdict in self._following.new(until):
            grew = True
            if one := judged_group(verdict, self.table, place):
                self._add(one)
        return grew

    def _add(self, one: Compared) -> None:
        if self._is_held_out(one):
            self.held_out.append(one)
            self._came[-1] += 1
        else:
            self.new.append(one)

    def _is_held_out(self, one: Compared) -> bool:
        """By its conversation alone, so that it is held out whenever it comes."""
        (conversation,) = Splitting().values(one.group)
        return chance(f"{self._settings.seed}/{conversation}") < self._settings.validation

    def _age(self) -> None:
        self.old.extend(self.new)
        self.new = []
        self._came.append(0)
