"""Which columns of an input say what about a group, where they have names of their own."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from grm_plugin.errors import ConfigError, InputError, quoted, unknown

PARTS = (
    "prompt",
    "responses",
    "completions",
    "completion",
    "chosen",
    "rejected",
    "messages",
    "image",
    "images",
    "id",
    "reference",
    "principles",
    "evidence",
    "metadata",
)
"""The keys of a row."""

_LISTS = ("responses", "completions", "principles", "evidence")
_EASILY_MISSED = ("reference", "principles", "evidence", "metadata")
_NO_SLIPS = ("preference", "preferences")  # one letter from reference, and of many datasets
_NEAR = 0.85
_OTHER_NAMES = {
    "prompt": ("question", "query", "instruction", "input", "problem", "prompts"),
    "responses": (
        "response",
        "answers",
        "answer",
        "outputs",
        "output",
        "candidates",
        "generations",
    ),
}


@dataclass(frozen=True)
class Columns:
    """The columns that rows take their keys from.

    A key that is not named comes from the column of its own name. All other columns are the input's
    own: they stay with the group as metadata.

    Args:
        sources: the columns of each key: one; several, each of which is one of its texts; or none,
            so that the key is left out and a column of that name is the input's own.
    """

    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def parse(cls, texts: Iterable[str]) -> Columns:
        """Columns as written on a command line.

        Raises:
            ConfigError: one is not written as KEY=COLUMN, or there is no such key.

        >>> Columns.parse(["prompt=question,responses=a+b", "id="]).sources
        {'prompt': ('question',), 'responses': ('a', 'b'), 'id': ()}
        """
        found: dict[str, tuple[str, ...]] = {}
        for written in (one for text in texts for one in text.split(",")):
            key, equals, columns = written.strip().partition("=")
            if not equals:
                raise ConfigError(f"columns: expected KEY=COLUMN, got {quoted(written)}")
            if key not in PARTS:
                raise ConfigError(f"columns: {unknown('key', key, PARTS)}")
            if key in found:
                raise ConfigError(f"columns: expected {key} once, got it twice")
            found[key] = tuple(filter(None, columns.split("+")))
            if len(found[key]) > 1 and key not in _LISTS:
                raise ConfigError(
                    f"columns: {key}: expected one column, got {quoted(columns)}; several are for "
                    f"{', '.join(_LISTS)}"
                )
        return cls(found)

    def split(self, row: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """The keys of a row and their values, and the columns that are the input's own.

        Raises:
            InputError: a named column is not there, or one looks like a key that was misspelt.
        """
        taken = {column for columns in self.sources.values() for column in columns}
        keys = {
            name: value
            for name, value in row.items()
            if name in PARTS and name not in self.sources and name not in taken
        }
        own = {name: value for name, value in row.items() if name not in keys.keys() | taken}
        for key, columns in self.sources.items():
            if columns:
                values = [self._value(row, key, column) for column in columns]
                keys[key] = values[0] if len(values) == 1 else values
        self._refuse_slips(own, keys)
        return keys, own

    def _value(self, row: Mapping[str, Any], key: str, column: str) -> Any:
        if column in row:
            return row[column]
        raise InputError(f"columns: {key}: {unknown('column', column, map(str, row))}")

    def _refuse_slips(self, own: Iterable[str], keys: Mapping[str, Any]) -> None:
        """What was meant for the judge must not become metadata because of a slip of the pen."""
        missed = [key for key in _EASILY_MISSED if key not in keys and key not in self.sources]
        for name in own:
            near = difflib.get_close_matches(name[:40], missed, n=1, cutoff=_NEAR)
            if near and name not in _NO_SLIPS:
                raise InputError(
                    f"unknown key {quoted(name)}; did you mean {near[0]!r}? if not, put it under "
                    f"metadata, or in a file say `--columns {near[0]}=`"
                )


def told_missing(key: str, keys: Iterable[str]) -> str:
    """What an error about a missing key says of those there are."""
    names = list(map(str, keys))
    there = ", ".join(map(quoted, names[:16])) or "an empty object"
    likely = (*_OTHER_NAMES.get(key, ()), key)
    near = [name for name in likely if name in names]
    near += difflib.get_close_matches(key, [name[:40] for name in names], n=1, cutoff=0.75)
    hint = f"; did you mean {key}={near[0]} (`grm score --columns`)?" if near else ""
    return f"got {there}{hint}"
