"""One reward call of TRL as rows: what each completion answers, and what is known about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from grm_plugin.errors import InputError, quoted
from grm_plugin.hosts.messages import Reader
from grm_plugin.hosts.turns import Said, said
from grm_plugin.hosts.values import as_json, is_missing, optional_text, texts
from grm_plugin.types import Message
from grm_trl.host import OWN
from grm_trl.options import Columns


@dataclass(frozen=True, slots=True)
class Row:
    """One completion; rows with equal ``key`` are responses to one prompt."""

    conversation: tuple[Message, ...]
    response: str
    reference: str | None = None
    principles: tuple[str, ...] = ()
    evidence: str | None = None
    id: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    rating: float | None = None  # what is known of the response beside the judge

    @property
    def key(self) -> tuple[object, ...]:
        """What the responses of a group have in common."""
        return self.conversation, self.reference, self.principles, self.id


def read_rows(
    prompts: Sequence[Any],
    completions: Sequence[Any],
    call: Mapping[str, Any],
    *,
    columns: Columns,
    reader: Reader,
    opening: str = "",
) -> list[Row]:
    """The rows of one reward call.

    Args:
        prompts: strings or message lists, one per completion.
        completions: strings or message lists.
        call: the other keywords of the call, dataset columns among them.
        columns: which of those say more about a row.
        reader: turns messages into what the judge reads.
        opening: what the policy's chat template puts before a completion.

    Raises:
        InputError: a mapped column is missing, has another length, or holds something else; a
            prompt or completion is missing, is no text and no chat, or holds what the judge can
            not see.
    """
    count = len(completions)
    asked = _asked(prompts, count)
    known = [_known(columns, call, count, i) for i in range(count)]
    return [
        Row(
            conversation=reader.conversation(
                asked[i], images=_pictures(call, i), at=("prompts", i)
            ),
            response=reader.response(completion, _before(asked[i], opening), at=("completions", i)),
            **known[i],
        )
        for i, completion in enumerate(completions)
    ]


def _asked(prompts: Sequence[Any], count: int) -> list[Said]:
    if len(prompts) != count:
        raise InputError(f"prompts: expected {count}, one per completion, got {len(prompts)}")
    return [said(prompt, ("prompts", i)) for i, prompt in enumerate(prompts)]


def _known(columns: Columns, call: Mapping[str, Any], count: int, row: int) -> dict[str, Any]:
    """What the columns say about one row."""

    def value(part: str, column: str | None) -> Any:
        return None if column is None else _column(part, column, call, count)[row]

    def text(part: str) -> str | None:
        column = getattr(columns, part)
        return optional_text(value(part, column), _at(column, row))

    principles = value("principles", columns.principles)
    return {
        "reference": text("reference"),
        "principles": texts(principles, _at(columns.principles, row)),
        "evidence": text("evidence"),
        "id": text("id") or "",
        "metadata": {
            column: _as_json(value("metadata", column), column, row) for column in columns.metadata
        },
    }


def _before(asked: Said, opening: str) -> Said:
    """What a completion goes on from: the prompt, a turn it finishes, or what the template adds."""
    going_on = isinstance(asked, str) or asked[-1].role == "assistant"
    return asked if going_on else opening


def _pictures(call: Mapping[str, Any], place: int) -> list[Any]:
    found: list[Any] = []
    for name in ("image", "images"):
        values = call.get(name)
        value = values[place] if isinstance(values, list | tuple) and len(values) > place else None
        found += value if isinstance(value, list | tuple) else [value]
    return [picture for picture in found if picture is not None]


def _column(part: str, name: str, call: Mapping[str, Any], count: int) -> Sequence[Any]:
    if name not in call:
        there = ", ".join(sorted(call.keys() - set(OWN))) or "none"
        raise InputError(f"columns: {part}: the dataset has no column {name!r}; it has: {there}")
    values = call[name]
    if not isinstance(values, list | tuple) or len(values) != count:
        raise InputError(
            f"column {name!r}: expected {count} values, one per completion, got {quoted(values)}"
        )
    return values


def _as_json(value: Any, column: str, row: int) -> Any:
    return None if is_missing(value) else as_json(value, (column, row))


def _at(column: str | None, row: int) -> str:
    return f"column {column!r}, row {row}"
