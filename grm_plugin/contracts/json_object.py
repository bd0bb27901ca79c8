"""A JSON object, fenced or bare: ``{"score_1": 4, "score_2": 2}``.

The object begins a line. All objects of the text that have the keys say the same, no key is given
twice, and the keys stand nowhere else in the text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import Field, model_validator

from grm_plugin.contracts.contract import Answer, Reading, Shows
from grm_plugin.contracts.menu import Menu, MenuOptions
from grm_plugin.contracts.places import loose, refuse_frames
from grm_plugin.contracts.tag import Texts
from grm_plugin.engine import Limits
from grm_plugin.errors import ParseError, quoted
from grm_plugin.options import read_options
from grm_plugin.types import Reason

_START = re.compile(r"^[ \t]*(?:```\w{0,10}[ \t]*)?(?=\{)", re.MULTILINE)


class JsonOptions(MenuOptions):
    """Which keys hold the answer.

    ``keys``: one for each response, or one for all: its value is then a number, a value of the
    menu, or a list of them. ``ids``: the value of the one key is an object instead, whose keys are
    exactly the names of the responses shown, with ``{index}`` for 1, 2, ... . A truth is written
    ``"true"`` and ``"false"`` in ``values``.
    """

    keys: Texts = Field(min_length=1)
    ids: str = ""

    @model_validator(mode="after")
    def _fit(self) -> JsonOptions:
        if self.ids and (len(self.keys) > 1 or "{index}" not in self.ids):
            raise ValueError(f"expected one key, and {{index}} in ids, got {self.ids!r}")
        if len(self.keys) > 1 and self.shows == "pair" and self.values:
            raise ValueError("expected one key for a verdict on a pair, or shows: list")
        return self


class _Number(str):
    """A number as it was written."""

    __slots__ = ()


@dataclass
class JsonObject:
    """The contract ``json``."""

    shows: Shows
    menu: Menu
    keys: tuple[str, ...]
    ids: str
    forms: tuple[str, ...]
    stop: tuple[str, ...] = ()
    logprobs: int = 0

    def read(self, answer: Answer) -> Reading:
        """The scores under the keys."""
        refuse_frames(answer.text)
        found = [self._items(one, answer.n) for one in self._objects(answer.text)]
        if not found:
            keys = ", ".join(map(repr, self.keys))
            raise _unreadable(f"a JSON object with {keys}", f"none; it ends {answer.text[-40:]}")
        for items in found:
            if self.menu.key(items) != self.menu.key(found[-1]):
                raise _unreadable("one answer", f"{', '.join(items)} and {', '.join(found[-1])}")
        return Reading(self.menu.scores(found[-1], answer))

    def _objects(self, text: str) -> Iterator[dict[str, Any]]:
        """The objects that have the keys; these must not stand outside of an object."""
        end = 0
        while start := _START.search(text, end):
            self._refuse_keys(text[end : start.end()])
            found, end = _decoded(text, start.end())
            if present := [key for key in self.keys if key in found]:
                if len(present) < len(self.keys):
                    raise _unreadable(f"the keys {', '.join(self.keys)}", ", ".join(present))
                yield found
        self._refuse_keys(text[end:])

    def _refuse_keys(self, prose: str) -> None:
        if stray := next(filter(None, (re.search(form, prose) for form in self.forms)), None):
            raise _unreadable("the keys in an object that begins a line", stray[0])

    def _items(self, found: Mapping[str, Any], n: int) -> list[str]:
        values = [found[key] for key in self.keys]
        if self.ids:
            values = self._of_ids(values[0], n)
        elif len(values) == 1 and isinstance(values[0], list):
            values = values[0]
        return [self._text(value) for value in values]

    def _of_ids(self, scores: Any, n: int) -> list[Any]:
        ids = [self.ids.replace("{index}", str(index)) for index in range(1, n + 1)]
        if not isinstance(scores, dict) or set(scores) != set(ids):
            raise _unreadable(f"scores of {', '.join(ids[:3])} to {ids[-1]}, and no others", scores)
        return [scores[one] for one in ids]

    def _text(self, value: Any) -> str:
        if isinstance(value, bool):
            value = "true" if value else "false"
        if not isinstance(value, str if self.menu.values else _Number):
            raise _unreadable("a value of the menu" if self.menu.values else "a number", value)
        return value.strip()


def json_object(options: Mapping[str, Any], limits: Limits) -> JsonObject:
    """The contract ``json``; its options are :class:`JsonOptions`."""
    read = read_options(JsonOptions, "contract 'json'", options)
    forms = tuple(rf'"\s*{loose(key)}\s*"\s*:' for key in read.keys)
    return JsonObject(read.shows, Menu(read), read.keys, read.ids, forms)


def _unreadable(expected: str, got: object) -> ParseError:
    return ParseError(Reason.UNREADABLE, f"expected {expected}, got {quoted(got)}")


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is no number")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in found if keys.count(key) > 1)
        raise ValueError(f"key {quoted(twice)} is given twice")
    return found


_DECODER = json.JSONDecoder(
    object_pairs_hook=_once, parse_constant=_constant, parse_int=_Number, parse_float=_Number
)


def _decoded(text: str, start: int) -> tuple[dict[str, Any], int]:
    try:
        return _DECODER.raw_decode(text, start)
    except (ValueError, RecursionError) as error:
        raise ParseError(
            Reason.UNREADABLE,
            f"expected a JSON object, got {quoted(text[start : start + 60])}: {error}",
        ) from None
