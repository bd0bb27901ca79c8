"""Every verdict as one JSON line: written at once, read back whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grm_plugin.moved import refuse_old_name
from grm_plugin.records.files import (
    MAX_LINE_BYTES,
    is_record,
    is_torn,
    read_lines,
    read_stream,
    read_verdicts,
)
from grm_plugin.records.line import (
    VERSION,
    Added,
    Line,
    from_line,
    from_record,
    to_line,
    to_record,
)

__all__ = [
    "MAX_LINE_BYTES",
    "VERSION",
    "Added",
    "Line",
    "from_line",
    "from_record",
    "is_record",
    "is_torn",
    "read_lines",
    "read_stream",
    "read_verdicts",
    "to_line",
    "to_record",
]

if not TYPE_CHECKING:  # checkers know the names that are there

    def __getattr__(name: str) -> Any:
        raise refuse_old_name(name, __name__, "grm_plugin.running.recorder", ("Recorder",))
