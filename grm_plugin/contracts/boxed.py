"""The built-in contract: scores in ``\\boxed{...}``, one for each response shown.

Strict: no salvage chain, no guess. All boxes say the same, hold nothing but plain numbers (or
values of the menu), exactly N, and no frame of a prompt is in the text. A box that only repeats
the instruction, such as ``\\boxed{x, y}``, is passed over before the answer; prose after it is
allowed, unless it names another score. A box in quotation marks is somebody else's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from grm_plugin.contracts.contract import Answer
from grm_plugin.contracts.menu import Menu, MenuOptions
from grm_plugin.contracts.placed import Placed
from grm_plugin.contracts.places import Place
from grm_plugin.engine import Limits
from grm_plugin.errors import ParseError, quoted
from grm_plugin.options import read_options
from grm_plugin.types import Reason

FORM = r"\\boxed\s*\{[^{}]{0,200}\}|\\boxed"
_BOX = re.compile(r"\\boxed(?P<brace>\s*\{(?P<content>[^{}]*)(?P<end>\})?)?")


def _score_after(blank: str) -> str:
    """A pattern for "Scores: 3"; ``blank`` is what may stand around the mark."""
    label = rf"(?:score|rating)s?(?:{blank}|[*_]){{0,4}}(?:[:=：]|is\b)(?:{blank}|[*_$`(\[]){{0,8}}"
    return rf"{label}(?P<score>-?[0-9]{{1,4}}(?:\.[0-9]{{1,6}})?)"


_NAMED = re.compile(r"(?<!\w)" + _score_after(r"\s"), re.IGNORECASE)
# a judge of one response: in the middle of a line or of a list stand scores of its criteria
_NAMED_FIRST = re.compile(
    r"^[ \t]{0,8}(?:#{1,6} {0,4})?[*_]{0,3}(?:(?:final|overall|total) )?"
    + _score_after(r"[^\S\n]"),
    re.IGNORECASE | re.MULTILINE,
)
_QUOTES = (('"', '"'), ("“", "”"), ("„", "“"), ("«", "»"))
_PLACEHOLDER = r"\s*(?:[A-Za-z](?:_\w)?|\.\.\.|…|\\l?dots)\s*"
_ECHO = re.compile(rf"{_PLACEHOLDER}(?:,{_PLACEHOLDER})*")
_SHOWN = 60
_LINE = 2000  # characters of a line that are looked at


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
    return Placed(
        options.shows,
        menu,
        (lambda text: boxes(text, menu),),
        (FORM,),
        check=lambda answer, box: _refuse_another_score(answer, box, menu),
    )


def boxes(text: str, menu: Menu) -> list[Place]:
    """Where the boxes of ``text`` are, at least one.

    Raises:
        ParseError: there is none, or one that is broken, or the instruction's after an answer, or
            all of them are quotations.
    """
    found = find_boxes(text, menu, 0, len(text))
    if not found:
        raise ParseError(
            Reason.UNREADABLE,
            f"expected a \\boxed{{...}} with scores, got none; text ends {quoted(text[-_SHOWN:])}",
        )
    if all(_is_quoted(text, box) for box in found):
        raise ParseError(
            Reason.UNREADABLE,
            f"expected an answer, got {quoted(found[-1].of(text))} in a box that is quoted",
        )
    return found


def _is_quoted(text: str, box: Place) -> bool:
    """Whether a box stands on a line that begins with ``>``, or between quotation marks on it."""
    before = text[max(0, box.start - _LINE) : box.start].rpartition("\n")[2]
    after = text[box.end : box.end + _LINE].partition("\n")[0]
    return before.lstrip(" \t").startswith(">") or any(
        _is_open(before, opens, closes) and closes in after for opens, closes in _QUOTES
    )


def _is_open(before: str, opens: str, closes: str) -> bool:
    if opens == closes:
        return before.count(opens) % 2 == 1
    return before.rfind(opens) > before.rfind(closes)


def _refuse_another_score(answer: Answer, box: Place, menu: Menu) -> None:
    """Let a box pass that no other score is named beside: what was boxed may be a quotation.

    Before the box of several responses stand scores of each of them, and of criteria.

    Raises:
        ParseError: the text goes on, say with "Scores: 3", and there is no 3 in the box; or a line
            before the box of one response begins with another score.
    """
    if menu.values:
        return
    text, boxed = answer.text, menu.key(menu.items(box.of(answer.text)))
    first = _NAMED_FIRST.finditer(text, 0, box.start) if answer.n == 1 else ()
    for where, found in (("before", first), ("after", _NAMED.finditer(text, box.end))):
        for named in found:
            if float(named["score"]) not in boxed:
                raise ParseError(
                    Reason.UNREADABLE,
                    f"expected one answer, got {quoted(box.of(text))} in the box and "
                    f"{quoted(named[0].strip())} {where} it",
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
