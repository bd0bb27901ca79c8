"""Log lines of the server: each begins with its time, and nothing else begins a line."""

from __future__ import annotations

import logging

from grm_plugin.errors import on_one_line

_INDENT = "\n    "
# What somebody sent may be long; who wants to fill a disk needs more calls for it.
_LONGEST = 4000


class Lines(logging.Formatter):
    """One line for a message, whatever it quotes; a traceback follows indented.

    What callers, judges and plug-ins say can not forge a line, nor move the cursor.
    """

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """The record as text, without a break before it is over."""
        lines = super().format(record).splitlines()
        return _INDENT.join(on_one_line(line[:_LONGEST]) for line in lines)


def log_to_stderr() -> None:
    """Show warnings of all libraries so, unless the program has set up its logging."""
    if logging.root.handlers:
        return
    handler = logging.StreamHandler()
    handler.setFormatter(Lines())
    logging.root.addHandler(handler)
