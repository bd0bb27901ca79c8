"""Groups that are too easy to learn from: a judge was right about them every time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from grm_plugin.errors import InputError, quoted
from grm_plugin.hosts.rows import parsed
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
        try:
            lines = path.read_bytes().splitlines()
        except OSError as error:
            raise InputError(f"{path} can not be read: {error.strerror}") from error
        return cls(frozenset(_named(path, n, line) for n, line in enumerate(lines, 1) if line))

    def others(self, data: Iterable[Datum]) -> list[Datum]:
        """Those of ``data`` that are not too easy."""
        return [one for one in data if one.group.fingerprint not in self.fingerprints]


def _named(path: Path, number: int, line: bytes) -> str:
    row = parsed(line)
    name = row.get("fingerprint") if isinstance(row, dict) else None
    if not isinstance(name, str):
        raise InputError(
            f'{path}, line {number}: expected {{"fingerprint": ...}} as `grm train reject` writes '
            f"it, got {quoted(row)}"
        )
    return name
