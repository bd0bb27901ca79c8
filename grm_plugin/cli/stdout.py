"""Verdict lines on standard output."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from grm_plugin.cli.earlier import Earlier
from grm_plugin.errors import RecordError
from grm_plugin.records import to_line
from grm_plugin.types import Group, Verdict


class StandardOutput:
    """Verdict lines, and nothing else, on standard output; nothing is there before.

    Whatever a library prints to standard output goes to standard error from now on.
    """

    advice = places = why_missing = ""
    missing = 0

    def __init__(self) -> None:
        self.earlier = Earlier(_none, _none)
        self.origin: Mapping[str, Any] = {}
        sys.stdout.flush()
        self._file = os.fdopen(os.dup(sys.stdout.fileno()), "wb", buffering=0)
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def standing(self) -> Iterator[Verdict]:
        """None."""
        return iter(())

    unasked = standing

    def drops(self, groups: Iterable[Group]) -> list[str]:
        """None."""
        return []

    def write(self, verdict: Verdict) -> None:
        """Write one line.

        Raises:
            RecordError: nobody reads any more, or the disk is full.
        """
        line = memoryview(to_line(verdict))
        try:
            while line:
                line = line[self._file.write(line) :]
        except OSError as error:
            raise RecordError(
                f"verdict of group {verdict.group.label} can not be written to standard output: "
                f"{error.strerror}"
            ) from error

    def finish(self) -> bool:
        """Everything is out."""
        return True

    def close(self) -> None:
        """Let go of it."""
        self._file.close()


def _none(verdict: Verdict) -> bool:
    return False
