"""One reward call of TRL as rows: what each completion answers, and what is known about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grm_plugin.errors import InputError, quoted
from grm_plugin.hosts.messages import Reader
from grm_plugin.hosts.parts import Unseen, part_of
from grm_plugin.hosts.values import optional_text
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
            prompt or completion is no text and no chat, or holds what the judge can not see.
    """
    count = len(completions)
    references = _column("reference", columns.reference, call, count)
    principles = _column("principles", columns.principles, call, count)
    evidence = _column("evidence", columns.evidence, call, count)
    ids = _column("id", columns.id, call, count)
    shown = [with_pictures(prompt, _pictures(call, i)) for i, prompt in enumerate(prompts)]
    return [
        Row(
            conversation=reader.conversation(shown[i]),
            response=reader.response(completion, _before(prompts[i], opening)),
            reference=_text(references[i], columns.reference),
            principles=_texts(principles[i], columns.principles),
            evidence=_text(evidence[i], columns.evidence),
            id=_text(ids[i], columns.id) or "",
        )
        for i, completion in enumerate(completions)
    ]


def _before(prompt: Any, opening: str) -> Any:
    """What a completion goes on from: the prompt, a turn it finishes, or what the template adds."""
    going_on = isinstance(prompt, str) or (prompt and prompt[-1].get("role") == "assistant")
    return prompt if going_on else opening


def with_pictures(prompt: Any, pictures: Sequence[Any]) -> Any:
    """``prompt`` as it is when its pictures are parts of it.

    GRPO and its kin put the columns ``image`` and ``images`` into the prompts; OnlineDPO hands over
    prompts without them, in which two pictures with one question look the same.
    """
    if not pictures:
        return prompt
    turns = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else [*prompt]
    contents = [turn.get("content") for turn in turns]
    parts = [part for content in contents if isinstance(content, list) for part in content]
    if any(isinstance(seen := part_of(one, thinking=False), Unseen) and seen.key for one in parts):
        return prompt
    last = contents[-1]
    images = [{"type": "image", "image": picture} for picture in pictures]
    content = [*images, *(last if isinstance(last, list) else [last or ""])]
    return [*turns[:-1], {**turns[-1], "content": content}]


def _pictures(call: Mapping[str, Any], place: int) -> list[Any]:
    found: list[Any] = []
    for name in ("image", "images"):
        values = call.get(name)
        value = values[place] if isinstance(values, list | tuple) and len(values) > place else None
        found += value if isinstance(value, list | tuple) else [value]
    return [picture for picture in found if picture is not None]


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
