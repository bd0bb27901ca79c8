"""One reward call of TRL as rows: what each completion answers, and what is known about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grm_plugin.errors import InputError, quoted
from grm_plugin.hosts.messages import Reader
from grm_plugin.hosts.values import optional_text
from grm_plugin.types import Message
from grm_trl.host import OWN
from grm_trl.options import TRLOptions


@dataclass(frozen=True, slots=True)
class Row:
    """One completion; rows with equal ``key`` are responses to one prompt."""

    conversation: tuple[Message, ...]
    response: str
    reference: str | None = None
    principles: tuple[str, ...] = ()
    evidence: str | None = None
    id: str = ""

    @property
    def key(self) -> tuple[object, ...]:
        """What the responses of a group have in common."""
        return self.conversation, self.reference, self.principles, self.id


def read_rows(
    prompts: Sequence[Any],
    completions: Sequence[Any],
    call: Mapping[str, Any],
    options: TRLOptions,
    reader: Reader,
) -> list[Row]:
    """The rows of one reward call.

    Args:
        prompts: strings or message lists, one per completion.
        completions: strings or message lists.
        call: the other keywords of the call, dataset columns among them.
        options: the column options.
        reader: how messages, thinking and parts become text.

    Raises:
        InputError: a mapped column is missing, has another length, or holds something else, or
            the judge can not see a part of a prompt or completion.
    """
    count, wanted = len(completions), options.columns
    references = _column("reference", wanted.reference, call, count)
    principles = _column("principles", wanted.principles, call, count)
    evidence = _column("evidence", wanted.evidence, call, count)
    ids = _column("id", wanted.id, call, count)
    return [
        Row(
            conversation=reader.conversation(prompt),
            response=reader.response(completion, prompt),
            reference=_text(references[i], wanted.reference),
            principles=_texts(principles[i], wanted.principles),
            evidence=_text(evidence[i], wanted.evidence),
            id=_text(ids[i], wanted.id) or "",
        )
        for i, (prompt, completion) in enumerate(zip(prompts, completions, strict=True))
    ]


def _column(part: str, name: str | None, call: Mapping[str, Any], count: int) -> Sequence[Any]:
    if name is None:
        return [None] * count
    if name not in call:
        there = ", ".join(sorted(call.keys() - set(OWN))) or "none"
        raise InputError(f"columns: {part}: the dataset has no column {name!r}; it has: {there}")
    values = call[name]
    if not isinstance(values, list | tuple) or len(values) != count:
        raise InputError(
            f"column {name!r}: expected {count} values, one per completion, got {quoted(values)}"
        )
    return values


def _text(value: Any, column: str | None) -> str | None:
    return optional_text(value, f"column {column!r}")


def _texts(value: Any, column: str | None) -> tuple[str, ...]:
    values = value if isinstance(value, list | tuple) else [value]
    return tuple(text for text in (_text(item, column) for item in values) if text)
