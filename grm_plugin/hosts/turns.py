"""Prompts and completions as hosts hand them over, checked: texts, or the turns of a chat.

What is no message is refused here, by the place of what is wrong with it, whichever door it came
through.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from grm_plugin.errors import InputError, placed, quoted
from grm_plugin.hosts.parts import Part, Unseen, part_of
from grm_plugin.hosts.values import Place, as_json, refused

_REASONING = ("reasoning_content", "reasoning", "thinking")
_MEDIA = {name: kind for kind in ("image", "audio", "video") for name in (kind, f"{kind}s")}
_MAY_SAY_NOTHING = ("assistant", "tool")
_LONGEST_NAME = 64


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a tool, with its arguments as JSON or as the policy wrote them."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a chat.

    Args:
        role: who speaks.
        parts: what is said.
        name: of the speaker, or of the tool whose result this is; empty where nobody says.
        calls: of tools.
        thought: thinking that a chat template has taken out of what is said.
    """

    role: str
    parts: tuple[Part, ...] = ()
    name: str = ""
    calls: tuple[Call, ...] = ()
    thought: str = ""


Said = str | tuple[Turn, ...]
"""A text, or the turns of a chat."""


def said(value: Any, at: Place) -> Said:
    """``value`` as a text or as turns; what was read already stays as it is.

    Args:
        value: a text, or a list of messages with ``role`` and ``content``. A message may have a
            ``name``, ``tool_calls``, ``reasoning_content`` (or ``reasoning``, ``thinking``) and
            ``images``; other keys say nothing to a judge.
        at: where it stands, for errors.

    Raises:
        InputError: it is neither, or a message is not one.

    >>> said([{"role": "user", "content": "2 + 2?"}], ("prompt",))[0].parts
    ('2 + 2?',)
    """
    if isinstance(value, str):
        return value
    if not isinstance(value, list | tuple):
        raise refused(at, "a text or a list of messages with role and content", value)
    if not value:
        raise refused(at, "at least one message", value)
    return tuple(_turn(turn, (*at, i)) for i, turn in enumerate(value))


def as_turns(value: Said) -> tuple[Turn, ...]:
    """What was asked as turns: a text is one of the user."""
    return (Turn("user", (value,)),) if isinstance(value, str) else value


def _turn(turn: Any, at: Place) -> Turn:
    if isinstance(turn, Turn):
        return turn
    if not isinstance(turn, Mapping):
        raise refused(at, "a message of a list of messages with role and content", turn)
    role = _role(turn, at)
    calls = _calls(turn, at)
    thought = next((turn[key] for key in _REASONING if turn.get(key)), "")
    return Turn(
        role=role,
        parts=(*_media(turn, at), *_parts(turn, at, role, silent=bool(calls or thought))),
        name=_text_or_nothing(turn, "name", at),
        calls=calls,
        thought=_text(thought, (*at, "reasoning")),
    )


def _role(turn: Mapping[Any, Any], at: Place) -> str:
    role = turn.get("role")
    if role is None:
        keys = ", ".join(map(quoted, turn)) or "an empty object"
        raise InputError(f"{placed((*at, 'role'))}: expected who speaks, such as user, got {keys}")
    if isinstance(role, str) and role.strip() and role.isprintable() and len(role) <= _LONGEST_NAME:
        return role
    raise refused((*at, "role"), "a short name, such as user", role)


def _parts(turn: Mapping[Any, Any], at: Place, role: str, *, silent: bool) -> tuple[Part, ...]:
    content, at = turn.get("content"), (*at, "content")
    if content is None:
        refusal = turn.get("refusal")
        if isinstance(refusal, str):
            return (refusal,)
        if not (silent or ("content" in turn and role in _MAY_SAY_NOTHING)):
            raise refused(at, "content or tool_calls beside the role", content)
        return ()
    if isinstance(content, str):
        return (content,)
    if isinstance(content, list | tuple):
        return tuple(part_of(part, (*at, i)) for i, part in enumerate(content))
    raise refused(at, "a text or a list of parts", content)


def _media(turn: Mapping[Any, Any], at: Place) -> list[Part]:
    """What a message holds beside its content that a judge can not see."""
    return [part for name, kind in _MEDIA.items() for part in unseen(kind, turn.get(name))]


def unseen(kind: str, values: Any) -> list[Part]:
    """What a host hands over beside the texts, say one image or a list of them, as parts."""
    values = values if isinstance(values, list | tuple) else [values]
    return [Unseen.of(kind, value) for value in values if value is not None]


def _calls(turn: Mapping[Any, Any], at: Place) -> tuple[Call, ...]:
    calls, at_calls = turn.get("tool_calls"), (*at, "tool_calls")
    if calls is None:
        old = turn.get("function_call")
        return () if old is None else (_call(old, (*at, "function_call")),)
    if not isinstance(calls, list | tuple):
        raise refused(at_calls, "a list of calls", calls)
    return tuple(_call(call, (*at_calls, i)) for i, call in enumerate(calls))


def _call(call: Any, at: Place) -> Call:
    if isinstance(call, Mapping) and "function" in call:
        call, at = call["function"], (*at, "function")
    if not isinstance(call, Mapping):
        raise refused(at, "an object with name and arguments", call)
    return Call(_text_or_nothing(call, "name", at), _arguments(call, (*at, "arguments")))


def _arguments(call: Mapping[Any, Any], at: Place) -> str:
    """A text stays as the policy wrote it, JSON or not: that is for the judge to see."""
    arguments = call.get("arguments")
    if isinstance(arguments, str):
        return arguments
    if arguments is None:
        return "{}"
    if not isinstance(arguments, Mapping):
        raise refused(at, "an object, or its JSON as a text", arguments)
    return json.dumps(as_json(arguments, at), ensure_ascii=False)


def _text_or_nothing(values: Mapping[Any, Any], key: str, at: Place) -> str:
    value = values.get(key)
    return "" if value is None else _text(value, (*at, key))


def _text(value: Any, at: Place) -> str:
    if isinstance(value, str):
        return value
    raise refused(at, "a text", value)
