"""Which control tokens a judge server has, as far as it shows them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from grm_plugin.errors import GRMError, TransportError, quoted
from grm_plugin.prompts.control import is_mark
from grm_plugin.remote.connection import Connection

_PATIENCE_S = 10.0
_OPENING = "<[◁>"
# all turns that a chat template must know; some refuse a system turn
_CHAT = [{"role": role, "content": "x"} for role in ("user", "assistant", "user")]


async def marks_in_the_frame(connection: Connection) -> tuple[str, ...]:
    """The control tokens that the server's own chat template writes around messages.

    vLLM tells the tokens of a chat at ``/tokenize``. Those that open and end turns are what a
    response could talk to the judge's frame with, so they are read off a chat of single letters;
    nobody has to know the model. Empty where the server does not tell.
    """
    body = {"model": connection.model, "messages": _CHAT, "return_token_strs": True}
    try:
        async with asyncio.timeout(_PATIENCE_S):
            answer = await connection.post("/tokenize", body)
        return _marks(answer.value)
    except (GRMError, TimeoutError):
        return ()


def _marks(told: Any) -> tuple[str, ...]:
    tokens = told.get("token_strs") if isinstance(told, Mapping) else None
    if not isinstance(tokens, Sequence):
        raise TransportError(f"expected the texts of tokens at /tokenize, got {quoted(told)}")
    texts = dict.fromkeys(token for token in tokens if isinstance(token, str))
    return tuple(text for text in texts if text[:1] in _OPENING and is_mark(text))
