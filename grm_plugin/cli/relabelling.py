"""Corrects what is known of groups in a record: labels and subsets are the data's, not its own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from grm_plugin.cli.earlier import Key, key
from grm_plugin.cli.merging import rewrite
from grm_plugin.cli.source import Source
from grm_plugin.records import from_line, read_lines, to_line
from grm_plugin.report.terminal import say
from grm_plugin.types import Group, Verdict


def relabel(path: Path, rows: Source) -> None:
    """Take what the data says of its groups by now, and say so where a record said otherwise.

    Args:
        path: of the record, which the caller has locked.
        rows: the data.

    Raises:
        RecordError: the record can not be read or written.
    """
    if rows.total is None:  # a stream, which is read once
        return
    if changed := Labels(rows.groups()).corrected(path):
        say(
            f"{path}: labels or other metadata of {len(changed):,} groups, such as {changed[0]}, "
            f"are not what {rows.name} says by now; they are corrected, and no judgment is drawn "
            "again"
        )


class Labels:
    """What the data says of its groups besides what a judge is shown.

    A verdict is found by id and content of its group, which stay the same when a label is
    corrected; so a record may hold what was known when it was judged.

    Args:
        groups: of the data.
    """

    def __init__(self, groups: Iterable[Group]) -> None:
        self._known: defaultdict[Key, list[Mapping[str, Any]]] = defaultdict(list)
        for group in groups:
            self._known[key(group)].append(group.metadata)

    def corrected(self, path: Path) -> list[str]:
        """Write the record at ``path`` anew where it says other things; ids of groups it did for.

        The caller has locked it. It is as it was after an error, and after a kill.

        Raises:
            RecordError: it can not be read or written.
        """
        path = path.resolve()
        changed = [one.id for one in self._lines(path) if one.id is not None]
        if changed:
            rewrite(path, (one.line for one in self._lines(path)), why=" with its labels")
        return changed

    def _lines(self, path: Path) -> Iterator[_Line]:
        left = {found: list(known) for found, known in self._known.items()}
        for line in read_lines(path):
            verdict = from_line(line)
            again = _with(verdict, left.get(key(verdict.group), []))
            yield _Line(line) if again is None else _Line(again, verdict.group.label)


@dataclass(frozen=True)
class _Line:
    """A line of the record to be; ``id`` is of a group whose metadata changed, else None."""

    line: bytes
    id: str | None = None


def _with(verdict: Verdict, known: list[Mapping[str, Any]]) -> bytes | None:
    """``verdict`` with what is known of it, which is used up; None where it says the same."""
    if not known:
        return None
    if verdict.group.metadata in known:
        known.remove(verdict.group.metadata)
        return None
    group = replace(verdict.group, metadata=known.pop(0))
    line = to_line(replace(verdict, group=group))
    same = from_line(line).group.metadata == verdict.group.metadata  # as JSON has it
    return None if same else line
