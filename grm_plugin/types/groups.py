"""What is judged: a conversation and its responses."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

SURROGATE = re.compile("[\ud800-\udfff]")
"""Half of a character: no Unicode text. Judges and records get U+FFFD in its place."""
_PLAIN_ID = re.compile(r"[\w./:#@+-]{1,80}")
_LABEL = 80
_HEX = 13  # digits of a hash: 52 bits, all of which a float holds


def digest(text: str) -> str:
    """``text`` as 32 hex digits: what fingerprints and hashes of prompts and templates are."""
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def chance(text: str) -> float:
    """A number 0 <= x < 1 that ``text`` decides, as if it were drawn: the same in every process.

    >>> sum(chance(str(n)) < 0.25 for n in range(4000)) / 4000
    0.25025
    """
    return int(digest(text)[:_HEX], 16) / 16.0**_HEX


class Scale(NamedTuple):
    """The closed range of scores a template asks for, in points."""

    low: float
    high: float

    def to_unit(self, score: float) -> float:
        """Map ``score`` (points) to 0..1."""
        return (score - self.low) / (self.high - self.low)


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation; ``role`` is system, user, assistant or tool."""

    role: str
    content: str


@dataclass(frozen=True)
class Group:
    """One conversation and the N >= 1 responses to judge together.

    Args:
        conversation: the turns before the responses; the last one is usually the user's.
        responses: the N texts to judge, in the order rewards are given back.
        id: the caller's name for this group, shown in messages and records.
        reference: a known good answer, shown to the judge when the template has a place for it.
        principles: principles the judge must use besides its own.
        evidence: facts about each response (say, the outcome of running its code): N texts, or
            none at all.
        metadata: anything JSON; carried into records, never shown to the judge.
    """

    conversation: tuple[Message, ...]
    responses: tuple[str, ...]
    id: str = ""
    reference: str | None = None
    principles: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(
        cls, prompt: str | Sequence[Mapping[str, str]], responses: Sequence[str], **more: Any
    ) -> Group:
        """A group from a plain prompt or from chat messages ``[{"role", "content"}, ...]``.

        Raises:
            TypeError: ``responses`` is not several texts, or a turn has no role or content.
        """
        if isinstance(responses, str):
            raise TypeError("responses: expected several texts, got one; write [text]")
        if not isinstance(responses, Sequence):
            raise TypeError(f"responses: expected several texts, got {responses!r}")
        turns = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt
        try:
            conversation = tuple(Message(turn["role"], turn["content"]) for turn in turns)
        except (KeyError, TypeError) as error:
            raise TypeError(
                f"prompt: expected turns with role and content, got {turns!r}"
            ) from error
        return cls(conversation, tuple(responses), **more)

    @cached_property
    def fingerprint(self) -> str:
        """Hex digest of all that the caller asked; seeds, resume and replay go by it."""
        asked = [
            [[turn.role, turn.content] for turn in self.conversation],
            self.responses,
            self.reference,
            self.principles,
            self.evidence,
        ]
        return digest(SURROGATE.sub("\ufffd", json.dumps(asked, default=repr, ensure_ascii=False)))

    @property
    def label(self) -> str:
        """How messages name this group: its id, else the start of its fingerprint.

        An id that is no plain word is quoted, and cut: callers choose ids.
        """
        name = self.id or self.fingerprint[:8]
        if _PLAIN_ID.fullmatch(name):
            return name
        shown = repr(name)
        return shown if len(shown) <= _LABEL else f"{shown[: _LABEL - 2]}…'"
