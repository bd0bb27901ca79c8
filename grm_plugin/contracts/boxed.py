"""The built-in contract: scores in ``\\boxed{...}``, one for each response shown.

Strict: no salvage chain, no guess. All boxes say the same, hold nothing but plain numbers (or
values of the menu), exactly N, and no frame of a prompt is in the text. A box that only repeats
the instruction, such as ``\\boxed{x, y}``, is passed over before the answer; prose after it is
allowed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from grm_plugin.contracts.menu import Menu, MenuOptions
from grm_plugin.contracts.placed import Placed
from grm_plugin.contracts.places import Place
from grm_plugin.engine import Limits
from grm_plugin.errors import ParseError, quoted
from grm_plugin.options import read_options
from grm_plugin.types import Reason

FORM = r"\\boxed\s*\{[^{}]{0,200}\}|\\boxed"
_BOX = re.compile(r"\\boxed(?P<brace>\s*\{(?P<content>[^{}]*)(?P<end>\})?)?")
_NAMED = re.compile(r"(?<!\w)scores?\s{0,4}:[\s*]{0,8}([0-9]{1,4}(?:\.[0-9]{1,6})?)", re.IGNORECASE)
_PLACEHOLDER = r"\s*(?:[A-Za-z](?:_\w)?|\.\.\.|…|\\l?dots)\s*"
_ECHO = re.compile(rf"{_PLACEHOLDER}(?:,{_PLACEHOLDER})*")
_SHOWN = 60


def boxed(options: Mapping[str, Any], limits: Limits) -> Placed:
    """The contract ``boxed``; its options are :class:`MenuOptions`.

    >>> from grm_plugin.contracts.contract import Answer
    >>> from grm_plugin.types import Scale
    >>> boxed({}, Limits()).read(Answer("Scores: \\\\boxed{7, 3}", 2, Scale(1, 10))).scores
    (7.0, 3.0)
    """
    return _placed(read_options(MenuOptions, "contract 'boxed'", options))


def _placed(options: MenuOptions) -> Placed:
    menu = Menu(options)
    return Placed(options.shows, menu, (lambda text: boxes(text, menu),), (FORM,))


def boxes(text: str, menu: Menu) -> list[Place]:
    """Where the boxes of ``text`` are, at least one.

    Raises:
        ParseError: there is none, or one that is broken, or the instruction's after an answer.
    """
    found = find_boxes(text, menu, 0, len(text))
    if not found:
        raise ParseError(
            Reason.UNREADABLE,
            f"expected a \\boxed{{...}} with scores, got none; text ends {quoted(text[-_SHOWN:])}",
        )
    _refuse_another_score(text, found[-1], menu)
    return found


def _refuse_another_score(text: str, box: Place, menu: Menu) -> None:
    """Let a box pass after which no other score is named: what was boxed may be a quotation.

    Raises:
        ParseError: the text goes on, say with "Scores: 3", and there is no 3 in the box.
    """
    for named in () if menu.values else _NAMED.finditer(text, box.end):
        if float(named[1]) not in menu.key(menu.items(box.of(text))):
            raise ParseError(
                Reason.UNREADABLE,
                f"expected one answer, got {quoted(box.of(text))} in the box and "
                f"{quoted(named[0])} after it",
            )


def find_boxes(text: str, menu: Menu, start: int, end: int) -> list[Place]:
    """Where the boxes are between ``start`` and ``end``, without those of the instruction.

    Raises:
        ParseError: one is broken, or the instruction is repeated after an answer.
    """
    found: list[Place] = []
    for box in _BOX.finditer(text, start, end):
        if not found and _is_echo(box, menu):
            continue
        if not box["end"]:
            broken = quoted(text[box.start() : box.start() + _SHOWN])
            raise ParseError(
                Reason.UNREADABLE,
                f"expected a box that holds plain numbers and closes, got {broken}",
            )
        found.append(Place(box.start(), *box.span("content")))
    return found


def _is_echo(box: re.Match[str], menu: Menu) -> bool:
    """Whether a box only repeats the instruction: the bare command, or ``\\boxed{x, y}``."""
    if not box["brace"]:
        return True
    return bool(box["end"] and _ECHO.fullmatch(box["content"]) and not menu.knows(box["content"]))
