"""YAML as people write settings in it; what would be read as something else is refused by name.

YAML takes the last of two equal keys, has no bound on depth, and lets a few lines stand for
billions of values. And Python itself gives up on integers of thousands of digits.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Any

import yaml

MAX_BYTES = 256 << 10
MAX_DEPTH = 40
MAX_VALUES = 20_000
MAX_BITS = 64
_SHOWN = 80
_MERGE = "tag:yaml.org,2002:merge"
_OCTAL = re.compile(r"[-+]?0[0-7_]+")
_DATE = "tag:yaml.org,2002:timestamp"
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")


def parse(text: str) -> Any:
    """The value of the one document in ``text``.

    Raises:
        ValueError: it is none, or one that nobody means: too deep, too large, a key twice, a number
            that is none. One line, with line and column where they are known.
    """
    if len(text) > MAX_BYTES:
        raise ValueError(f"expected at most {MAX_BYTES >> 10} KB, got more")
    try:
        return _Loader(text).get_single_data()
    except yaml.MarkedYAMLError as error:
        raise ValueError(_told(error)) from None
    except yaml.YAMLError as error:  # characters that are no text
        raise ValueError(" ".join(str(error).split())) from None


def _told(error: yaml.MarkedYAMLError) -> str:
    what = " ".join(filter(None, [error.context, error.problem]))
    mark = error.problem_mark or error.context_mark
    return f"{what} (line {mark.line + 1}, column {mark.column + 1})" if mark else what


class _Loader(yaml.SafeLoader):
    """The safe loader, with bounds."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._depth = 0
        self._values: dict[yaml.Node, int] = {}

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
        is_alias = self.check_event(yaml.AliasEvent)
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise yaml.MarkedYAMLError(None, None, f"nested deeper than {MAX_DEPTH}", mark)
        node = super().compose_node(parent, index)
        self._depth -= 1
        if is_alias and node not in self._values:
            raise yaml.MarkedYAMLError(None, None, "an alias within what it stands for", mark)
        if self._size(node) > MAX_VALUES:
            raise yaml.MarkedYAMLError(None, None, f"more than {MAX_VALUES} values", mark)
        return node

    def _size(self, node: yaml.Node | None) -> int:
        """How many values a node stands for, with those of its aliases each time."""
        if node is None:
            return 0
        if node not in self._values:
            inner = node.value if isinstance(node, yaml.CollectionNode) else []
            parts = [part for one in inner for part in (one if isinstance(one, tuple) else [one])]
            self._values[node] = 1 + sum(self._values[part] for part in parts)
        return self._values[node]

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        if isinstance(node, yaml.ScalarNode) and (other := _reading(node)):
            raise _at(node, f"{node.value[:_SHOWN]!r} is read as {other}; quote it if it is a text")
        try:
            value = super().construct_object(node, deep=deep)
        except ValueError as error:  # an integer of too many digits
            raise _at(node, f"a value that can not be read: {error}") from None
        if isinstance(value, int) and value.bit_length() > MAX_BITS:
            raise _at(node, f"expected numbers of at most {MAX_BITS} bits")
        return value

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[object] = set()
        for key_node, _ in node.value:  # before other mappings are merged into it
            if isinstance(key_node, yaml.ScalarNode) and key_node.tag != _MERGE:
                key = self.construct_object(key_node)
                if key in seen:
                    raise _at(key_node, f"the key {key!r} is there twice")
                seen.add(key)
        return super().construct_mapping(node, deep=deep)


def _reading(node: yaml.ScalarNode) -> str:
    """What YAML makes of a scalar in which people see something else; empty where it does not."""
    if node.tag == _DATE:
        return "a date"
    if node.tag in _NUMBERS and ":" in node.value:
        return "a number to base 60"
    return "an octal number" if node.tag in _NUMBERS and _OCTAL.fullmatch(node.value) else ""


def _at(node: yaml.Node, problem: str) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(None, None, problem, node.start_mark)
