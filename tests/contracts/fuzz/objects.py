"""The oracle for JSON answers: a parser of its own, one character after another."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from tests.contracts.fuzz.placed import Rules, Scores, same, scored
from tests.contracts.fuzz.scanning import Refused, has_frame, is_word

BLANKS = " \t\n\r"
ESCAPES = {
    '"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t",
}  # fmt: skip


class Number(str):
    """A number as it was written."""

    __slots__ = ()


@dataclass
class Machine:
    """Reads one JSON value at a place of a text."""

    text: str
    at: int

    def blanks(self) -> None:
        while self.at < len(self.text) and self.text[self.at] in BLANKS:
            self.at += 1

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def take(self, expected: str) -> None:
        if not self.text.startswith(expected, self.at):
            raise Refused("unreadable")
        self.at += len(expected)

    def value(self) -> Any:
        match self.peek():
            case "{":
                return self.table()
            case "[":
                return self.row()
            case '"':
                return self.string()
            case "t":
                return self.word("true", True)
            case "f":
                return self.word("false", False)
            case "n":
                return self.word("null", None)
        return self.number()

    def word(self, name: str, value: Any) -> Any:
        self.take(name)
        return value

    def table(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        self.take("{")
        self.blanks()
        while self.peek() != "}":
            if found:
                self.take(",")
                self.blanks()
            key = self.string()
            if key in found:
                raise Refused("unreadable")
            self.blanks()
            self.take(":")
            self.blanks()
            found[key] = self.value()
            self.blanks()
        self.at += 1
        return found

    def row(self) -> list[Any]:
        found: list[Any] = []
        self.take("[")
        self.blanks()
        while self.peek() != "]":
            if found:
                self.take(",")
                self.blanks()
            found.append(self.value())
            self.blanks()
        self.at += 1
        return found

    def string(self) -> str:
        self.take('"')
        found = ""
        while (one := self.peek()) != '"':
            if not one or ord(one) < 32:
                raise Refused("unreadable")
            self.at += 1
            found += self.escape() if one == "\\" else one
        self.at += 1
        return found

    def escape(self) -> str:
        one = self.peek()
        self.at += 1
        if one == "u":
            digits = self.text[self.at : self.at + 4]
            if len(digits) < 4 or any(digit not in "0123456789abcdefABCDEF" for digit in digits):
                raise Refused("unreadable")
            self.at += 4
            return chr(int(digits, 16))
        if one not in ESCAPES or not one:
            raise Refused("unreadable")
        return ESCAPES[one]

    def number(self) -> Number:
        start = self.at
        if self.peek() == "-":
            self.at += 1
        first = self.peek()
        if self.digits() == 0:
            raise Refused("unreadable")
        if first == "0":  # no digit may follow a leading zero
            self.at = start + (2 if self.text[start] == "-" else 1)
        self.tail(".", "")
        self.tail("eE", "+-")
        return Number(self.text[start : self.at])

    def tail(self, marks: str, signs: str) -> None:
        """A fraction or an exponent, when there is a whole one."""
        before = self.at
        if self.peek() and self.peek() in marks:
            self.at += 1
            if self.peek() and self.peek() in signs:
                self.at += 1
            if self.digits() == 0:
                self.at = before

    def digits(self) -> int:
        start = self.at
        while self.peek() and self.peek() in "0123456789":
            self.at += 1
        return self.at - start


def objects(keys: list[str], ids: str, rules: Rules) -> Callable[[str, int], Scores]:
    """The oracle for a text with objects."""

    def read(text: str, n: int) -> Scores:
        if has_frame(text):
            raise Refused("unreadable")
        answers = [_parts(one, keys, ids, n, rules) for one in _with_keys(text, keys)]
        if not answers or not all(same(one, answers[-1], rules) for one in answers):
            raise Refused("unreadable")
        return scored(answers[-1], n, rules)

    return read


def _with_keys(text: str, keys: list[str]) -> Iterator[dict[str, Any]]:
    end = 0
    while (start := _start(text, end)) >= 0:
        _no_keys(text[end:start], keys)
        machine = Machine(text, start)
        found = machine.table()
        end = machine.at
        if any(key in found for key in keys):
            if not all(key in found for key in keys):
                raise Refused("unreadable")
            yield found
    _no_keys(text[end:], keys)


def _start(text: str, end: int) -> int:
    """The next brace that begins a line, perhaps behind a fence."""
    line = end if end == 0 or text[end - 1] == "\n" else text.find("\n", end) + 1
    while line or end == 0:
        at = _blanks(text, line)
        if text.startswith("```", at):
            at += 3
            word = at
            while word < len(text) and word - at < 10 and is_word(text[word]):
                word += 1
            at = _blanks(text, word)
        if text.startswith("{", at):
            return at
        line = text.find("\n", line) + 1
        if not line:
            break
    return -1


def _blanks(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t":
        at += 1
    return at


def _no_keys(prose: str, keys: list[str]) -> None:
    pieces = prose.split('"')
    for inner, after in pairwise(pieces[1:]):
        if inner.strip() in keys and after.lstrip().startswith(":"):
            raise Refused("unreadable")


def _parts(found: dict[str, Any], keys: list[str], ids: str, n: int, rules: Rules) -> list[str]:
    values = [found[key] for key in keys]
    if ids:
        names = [ids.replace("{index}", str(number + 1)) for number in range(n)]
        table = values[0]
        if not isinstance(table, dict) or sorted(table) != sorted(names):
            raise Refused("unreadable")
        values = [table[name] for name in names]
    elif len(values) == 1 and isinstance(values[0], list):
        values = values[0]
    return [_part(value, rules) for value in values]


def _part(value: Any, rules: Rules) -> str:
    text = {True: "true", False: "false"}[value] if isinstance(value, bool) else value
    if rules.values:
        if not isinstance(text, str):
            raise Refused("unreadable")
        return text.strip()
    if not isinstance(text, Number):
        raise Refused("unreadable")
    return str(text)
