"""What people see: two consoles, and untrusted text that can not control the terminal."""

from __future__ import annotations

import re

from rich.console import Console
from rich.table import Table

from grm_plugin.errors import on_one_line

out = Console(markup=False, highlight=False, emoji=False)
err = Console(stderr=True, markup=False, highlight=False, emoji=False)

_ESCAPES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor, clear screen
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"  # OSC, DCS
    r"|\x1b[ -/]*[0-~]?"
)
_CONTROLS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # direction: text that reads otherwise
    "\ud800-\udfff]"
)


def printable(text: str) -> str:
    """``text`` without terminal escapes; other control characters and halves of pairs show as �.

    >>> printable("\\x1b[2Jhidden\\x07\\x1b]0;title\\x07 and seen")
    'hidden� and seen'
    """
    text = _ESCAPES.sub("", text.replace("\r\n", "\n"))
    return _CONTROLS.sub("\ufffd", text)


def one_line(text: str) -> str:
    """``text``, printable, without anything that begins a line: names that stand among our words.

    >>> one_line("a name\\nUNSCORED: a forged line")
    'a name\\\\nUNSCORED: a forged line'
    """
    return on_one_line(printable(text))


def say(text: str) -> None:
    """One line for people, on standard error, never wrapped."""
    err.print(printable(text), soft_wrap=True)


def plain_table(*columns: str, title: str | None = None, head: bool = True) -> Table:
    """A table without lines; a column named ``>like this`` holds numbers."""
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=None,
        pad_edge=False,
        show_header=head,
        header_style="dim",
    )
    for column in columns:
        number = column.startswith(">")
        table.add_column(column.lstrip(">"), justify="right" if number else "left", overflow="fold")
    return table
