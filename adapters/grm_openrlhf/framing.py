"""What a policy's chat template puts around turns, so that the judge reads the turns alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Turn = dict[str, str]
Render = Any  # ``apply_chat_template`` of a tokenizer

_ROLES = ("system", "user", "assistant", "user")
_NEXT = {"system": "user", "user": "assistant", "assistant": "user"}
_MARKS = tuple(f"turn-{n}-of-nobody" for n in range(len(_ROLES)))


@dataclass(frozen=True)
class Frame:
    """The texts of a chat template.

    Args:
        render: the tokenizer's own ``apply_chat_template``.
        before: what stands before a first turn, by its role.
        between: what stands between a turn of a role and the next one.
        last: what stands behind the last turn, up to where the policy begins.
    """

    render: Render
    before: Mapping[str, str]
    between: Mapping[str, str]
    last: str

    @classmethod
    def of(cls, tokenizer: Any) -> Frame | None:
        """That of ``tokenizer``; None where it has none, or one that changes what it is given."""
        render = getattr(tokenizer, "apply_chat_template", None)
        if render is None:
            return None
        alone = _pieces(render, 1, 2)
        together = _pieces(render, 0, 4) or _pieces(render, 1, 4)  # some refuse system turns
        if not (alone and together):
            return None
        roles = _ROLES[-len(together) + 1 :]
        before = {"user": alone[0], roles[0]: together[0]}
        between = dict(zip(roles, together[1:-1], strict=False))
        return cls(render, before, between, alone[-1])

    def turns(self, prompt: str) -> list[Turn] | None:
        """The turns of which the template made ``prompt``; None where it is not the template's."""
        for role, before in self.before.items():
            if prompt.startswith(before) and prompt.endswith(self.last):
                inner = prompt[len(before) : len(prompt) - len(self.last)]
                found = list(self._split(role, inner))
                if _rendered(self.render, found) == prompt:
                    return found
        return None

    def _split(self, role: str, text: str) -> Iterator[Turn]:
        while role in self.between:
            content, found, text = text.partition(self.between[role])
            yield {"role": role, "content": content}
            if not found:
                return
            role = _NEXT[role]

    def plain(self, feedback: str, end: str) -> str:
        """What an environment answered, without the template around it.

        Args:
            feedback: as the policy saw it, behind its own action.
            end: what ends an action, which may belong to the action or to the feedback.
        """
        opening = self.between["assistant"]
        for start in (opening, opening.removeprefix(end)):
            if start and feedback.startswith(start):
                feedback = feedback[len(start) :]
                break
        return feedback.removesuffix(self.last)


def _pieces(render: Render, first: int, last: int) -> Sequence[str]:
    """What stands before, between and behind some turns; empty where that can not be told."""
    marks = _MARKS[first:last]
    turns = zip(_ROLES[first:last], marks, strict=True)
    text = _rendered(render, [{"role": role, "content": mark} for role, mark in turns])
    pieces = re.split("|".join(marks), text)
    return pieces if len(pieces) == len(marks) + 1 else ()


def _rendered(render: Render, turns: Sequence[Turn]) -> str:
    try:
        return str(render(turns, tokenize=False, add_generation_prompt=True))
    except Exception:  # templates are code of others: no system turns here, no template there
        return ""
