"""Every source of rewards against its own start: what is usual, and whether it has drifted."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from grm_plugin.watching.compared import Compared
from grm_plugin.watching.drift import Drift
from grm_plugin.watching.gap import Measured, gap_of
from grm_plugin.watching.sources import JUDGE, Source
from grm_plugin.watching.start import Start, Starting

MOST = 4
"""Sources that are kept: the judge, and the newest versions of a scalar RM."""

Parts = Mapping[Source, Sequence[Compared]]
"""What each source gave the groups that the control judge judged as well."""


def joined(*parts: Parts) -> dict[Source, list[Compared]]:
    """Those of several rounds together."""
    found: dict[Source, list[Compared]] = {}
    for one in parts:
        for source, groups in one.items():
            found.setdefault(source, []).extend(groups)
    return found


@dataclass
class _Followed:
    starting: Starting
    drift: Drift | None = None

    def add(self, groups: Sequence[Compared]) -> None:
        if self.drift:
            self.drift.add(groups)
            return
        self.starting.add(groups)
        self.drift = Drift(start) if (start := self.starting.start) else None


class Drifts:
    """The tests of all sources; feed it round by round.

    A version of a scalar RM that comes later has a start of its own: what it took over from the one
    before is usual for it.

    Args:
        rounds: of a start.
        most: sources that are kept.
    """

    def __init__(self, rounds: int, most: int = MOST) -> None:
        self._rounds, self._most = rounds, most
        self._followed: dict[Source, _Followed] = {}

    def add(self, parts: Parts) -> None:
        """Count one round."""
        for source, groups in parts.items():
            if source not in self._followed:
                self._make_room(source)
                self._followed[source] = _Followed(Starting(self._rounds))
            self._followed[source].add(groups)

    def start(self, source: Source) -> Start | None:
        """What is usual for a source; None before it is known."""
        followed = self._followed.get(source)
        return followed.drift.start if followed and followed.drift else None

    @property
    def present(self) -> list[Drift]:
        """Of the judge and of the newest version of a scalar RM, those whose start is known."""
        return [one.drift for _, one in self._present() if one.drift]

    @property
    def lacks(self) -> Mapping[Source, str]:
        """The others, and why nothing can alarm there yet."""
        return {source: one.starting.lacks for source, one in self._present() if not one.drift}

    @property
    def usual(self) -> Start | None:
        """Of the source of most groups; None before one is known."""
        starts = (one.start for one in self.present)
        return max(starts, key=lambda start: start.groups, default=None)

    def zs(self, parts: Parts) -> Iterator[tuple[float, str]]:
        """The gap of each group in z, and its fingerprint; of sources whose start is known."""
        for source, groups in parts.items():
            if start := self.start(source):
                for group in groups:
                    reward, control = start.z(group)
                    yield reward - control, group.fingerprint

    def gap(self, parts: Parts) -> Measured:
        """Mean gap of groups in z of their source's start; NaN where no start is known."""
        found = [
            (len(groups), gap_of(groups, start))
            for source, groups in parts.items()
            if groups and (start := self.start(source))
        ]
        if not (total := sum(count for count, _ in found)):
            return Measured(math.nan, math.nan)
        return Measured(
            math.fsum(count * gap.value for count, gap in found) / total,
            math.hypot(*(count * gap.error for count, gap in found)) / total,
        )

    def _present(self) -> Iterator[tuple[Source, _Followed]]:
        newest = [source for source in self._followed if source != JUDGE][-1:]
        for source in (JUDGE, *newest):
            if source in self._followed:
                yield source, self._followed[source]

    def _make_room(self, source: Source) -> None:
        scalars = [one for one in self._followed if one != JUDGE]
        if source != JUDGE and len(scalars) >= self._most - 1:
            del self._followed[scalars[0]]
