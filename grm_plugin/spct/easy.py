"""Groups that are too easy to learn from: a judge was right about them every time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from grm_plugin.errors import InputError, quoted
from grm_plugin.hosts.inputs.lines import read_json_lines
from grm_plugin.spct.examples import Datum


@dataclass(frozen=True)
class Easy:
    """What names the too-easy groups.

    Args:
        fingerprints: of the groups.
    """

    fingerprints: frozenset[str]

    @classmethod
    def read(cls, path: Path) -> Easy:
        """A file of ``{"fingerprint": ...}``, one group a line; further keys are for people.

        Raises:
            InputError: it can not be read, or a line names no group.
        """
        rows = read_json_lines(path)
        return cls(frozenset(_named(row, f"{path}, {place}") for place, row in rows))

    def others(self, data: Iterable[Datum]) -> list[Datum]:
        """Those of ``data`` that are not too easy."""
        return [one for one in data if one.group.fingerprint not in self.fingerprints]


def _named(row: object, where: str) -> str:
    name = row.get("fingerprint") if isinstance(row, dict) else None
    if not isinstance(name, str):
        raise InputError(
            f'{where}: expected {{"fingerprint": ...}} as `grm train reject` writes '
            f"it, got {quoted(row)}"
        )
    return name
