"""For judges without a system turn: its text in front of the user's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from grm_plugin.types import Message


def has_system(messages: Iterable[Message]) -> bool:
    """Whether a turn of ``messages`` is the system's."""
    return any(message.role == "system" for message in messages)


def in_user_turn(messages: Sequence[Message]) -> tuple[Message, ...]:
    """``messages`` with the texts of system turns before that of the user turn that follows.

    A system turn that no user turn follows becomes one.

    >>> [turn.content for turn in in_user_turn([Message("system", "Judge."), Message("user", "q")])]
    ['Judge.\\n\\nq']
    """
    turns: list[Message] = []
    waiting: list[str] = []
    for message in messages:
        if message.role == "system":
            waiting.append(message.content)
        elif message.role == "user" and waiting:
            turns.append(replace(message, content="\n\n".join((*waiting, message.content))))
            waiting = []
        else:
            turns.append(message)
    if waiting:
        turns.append(Message("user", "\n\n".join(waiting)))
    return tuple(turns)
