"""The turns of a prompt: what is said in which role, and where the judge speaks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from grm_plugin.errors import TemplateError, quoted

BODY = "{{body}}"
_FORMS = (
    "conversation, body, judge, {judge: {stop: [text, ...], text: '{{said}} ...'}} or {ROLE: text}"
)


@dataclass(frozen=True)
class Turn:
    """One entry of ``turns`` in a template.

    Args:
        kind: ``message`` with a role of its own; ``conversation``: the group's turns as they are;
            ``judge``: the judge speaks here, and what it said stays as an assistant's turn.
        role: the role of a message.
        text: its text with places; for a judge the place is ``{{said}}``.
        stop: texts that end what the judge says here.
    """

    kind: Literal["message", "conversation", "judge"]
    role: str = ""
    text: str = ""
    stop: tuple[str, ...] = ()


class _Judge(BaseModel):
    model_config = ConfigDict(extra="forbid")

    stop: tuple[str, ...] = ()
    text: str = "{{said}}"


def read_turn(value: Any) -> Turn:
    """One entry of ``turns`` as it stands in the front matter.

    Raises:
        ValueError: says what an entry can be.
    """
    if value == "conversation":
        return Turn("conversation")
    if value == "body":
        return Turn("message", "user", BODY)
    ((role, told),) = _only(value)
    if role == "judge" and isinstance(told, dict):
        judge = _Judge.model_validate(told)
        return Turn("judge", text=judge.text, stop=judge.stop)
    if not isinstance(told, str) or not role:
        raise ValueError(f"expected {_FORMS}, got {quoted(value)}")
    return Turn("message", role, told)


def _only(value: Any) -> Sequence[tuple[str, Any]]:
    if value == "judge":
        return [("judge", {})]
    if (
        not isinstance(value, dict)
        or len(value) != 1
        or not all(isinstance(role, str) for role in value)
    ):
        raise ValueError(f"expected {_FORMS}, got {quoted(value)}")
    return list(value.items())


def with_body(name: str, turns: Sequence[Turn], body: str) -> tuple[Turn, ...]:
    """``turns`` with the text below the front matter in its place; alone it is the user's turn.

    Raises:
        TemplateError: the turns leave the text out, or want one that is not there.
    """
    if not turns:
        return (Turn("message", "user", body),)
    wanted = any(turn.text == BODY for turn in turns)
    if wanted != bool(body.strip()):
        raise TemplateError(
            f"template {name!r}: expected `body` among its turns and a text below the front "
            f"matter, or neither, got {'no text' if wanted else f'the text {quoted(body)}'}"
        )
    return tuple(replace(turn, text=body) if turn.text == BODY else turn for turn in turns)
