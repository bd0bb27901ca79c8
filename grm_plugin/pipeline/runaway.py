"""Tells a judge that went on after its answer from one that had no room for it."""

from __future__ import annotations

import re
from collections.abc import Callable

from grm_plugin.errors import quoted
from grm_plugin.prompts.control import END_TOKENS

_OPENING = ("<|im_start|>", "<|start_header_id|>", "<start_of_turn>", "<|turn>", "<|start|>")
_TOKENS = "|".join(
    re.escape(token) for token in (*END_TOKENS, *_OPENING, "<|assistant|>", "[INST]")
)
# servers leave special tokens out of a text, so that of "<|im_start|>user" only the role is left
_ROLE = r"^[ \t]*(?:user|assistant|human|system|model)[ \t]*:?[ \t]*$|^(?:User|Human|Assistant): "
_FRAME = r"^\[(?:Conversation|Responses? to judge\b[^\]\n]{0,40})\]"
_TURN = re.compile(rf"{_TOKENS}|(?m:{_ROLE}|{_FRAME})")
_TRIED = 8  # places at which the answer may have ended


def next_turn(text: str, reads: Callable[[str], bool]) -> str:
    """What begins the next turn in ``text`` after an answer that can be read; empty if nothing.

    Args:
        text: what a judge wrote after its thinking, cut at its token limit.
        reads: whether a text is an answer.

    >>> next_turn("Scores: 3, 4\\nuser\\nAnother task.", lambda text: "Scores" in text)
    'user'
    """
    for number, mark in enumerate(_TURN.finditer(text)):
        if number == _TRIED:
            break
        if reads(text[: mark.start()]):
            return mark[0].strip()
    return ""


def told(mark: str) -> str:
    """What is wrong with a judge that went on with ``mark``, and what to do, for people."""
    return (
        f"the judge answered, went on with {quoted(mark)} and was cut at max_tokens: its "
        "end-of-turn token ends nothing; name it with stop_texts, with stop_token_ids in the "
        "server engine's extra_body, or as eos_token_id in the checkpoint's generation_config.json"
    )
