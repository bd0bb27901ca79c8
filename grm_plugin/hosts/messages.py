"""Prompts and completions, strings or chat messages, as the text a judge reads."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from grm_plugin.contracts.boxed import answer
from grm_plugin.errors import InputError, quoted
from grm_plugin.types import Message

Thinking = Literal["drop", "keep"]
Chat = Sequence[Mapping[str, Any]]

_OPEN, _CLOSE = "<think>", "</think>"
_REASONING = ("reasoning_content", "reasoning", "thinking")


def conversation(prompt: str | Chat, thinking: Thinking) -> tuple[Message, ...]:
    """The turns before the completion; a plain string is one user turn.

    Raises:
        InputError: ``prompt`` is something else, as columns of a dataset may be.
    """
    if isinstance(prompt, str):
        return (Message("user", prompt),)
    try:
        return tuple(Message(str(turn["role"]), _turn(turn, thinking)) for turn in prompt)
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(
            "expected a prompt that is a text or a list of messages with role and content, "
            f"got {quoted(prompt)}"
        ) from error


def response(completion: str | Chat, prompt: str | Chat, thinking: Thinking) -> str:
    """The completion as one text.

    With ``thinking="drop"`` only the answer is left: what follows ``</think>``, and nothing when
    thinking never ended. Tool calls and their results stay, each on a line that says so.
    """
    if isinstance(completion, str):
        opened = isinstance(prompt, str) and prompt.rstrip().endswith(_OPEN)
        return _without_thinking(_OPEN * opened + completion) if thinking == "drop" else completion
    if len(completion) == 1:
        return _turn(completion[0], thinking)
    return "\n".join(filter(None, (_labelled(turn, thinking) for turn in completion)))


def _labelled(turn: Mapping[str, Any], thinking: Thinking) -> str:
    text = _turn(turn, thinking)
    return text if turn["role"] in ("assistant", "tool") else f"[{turn['role']}] {text}"


def _turn(turn: Mapping[str, Any], thinking: Thinking) -> str:
    text = _content(turn.get("content"))
    if turn["role"] == "tool":
        return f"[result of {turn.get('name') or 'tool'}] {text}"
    if turn["role"] != "assistant":
        return text
    text = _without_thinking(text) if thinking == "drop" else _reasoning(turn) + text
    return "\n".join(filter(None, [text, *map(_call, turn.get("tool_calls") or ())]))


def _without_thinking(text: str) -> str:
    found = answer(text)
    return text if found == text else found.strip()


def _reasoning(turn: Mapping[str, Any]) -> str:
    """Thinking that a chat template has taken out of the content, put back in front of it."""
    found = next((turn[key] for key in _REASONING if turn.get(key)), "")
    return f"{_OPEN}{found}{_CLOSE}\n" if found else ""


def _call(call: Mapping[str, Any]) -> str:
    function = call.get("function", call)
    arguments = function.get("arguments", {})
    if not isinstance(arguments, str):
        arguments = json.dumps(arguments, ensure_ascii=False, default=str)
    return f"[call of {function.get('name') or 'tool'}] {arguments}"


def _content(content: str | Sequence[Mapping[str, Any] | str] | None) -> str:
    """Text of a message; a part that is no text, such as an image, is named in brackets."""
    if content is None or isinstance(content, str):
        return content or ""
    return "\n".join(_part(part) for part in content)


def _part(part: Mapping[str, Any] | str) -> str:
    if isinstance(part, str):
        return part
    return str(part["text"]) if "text" in part else f"[{part.get('type', 'part')}]"
