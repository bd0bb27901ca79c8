"""Finds out what a server means that refuses a request without naming a part of it.

It may be the text of one group, which must cost that group alone; or it may be whatever all our
requests have in common, and then the run should stop before it asks for every group. So the server
is asked once more with the same fields and turns, and a text that nobody can mind.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

from grm_plugin.engine import SampleRequest
from grm_plugin.errors import ContextError, DeclinedError, EngineError, RefusedError
from grm_plugin.remote.refusing.refusals import Refused
from grm_plugin.types import Message

_TEXT = "Which word is longer, apple or pear?"

_ADVICE = "it refuses a harmless text, too: see which setting it means, or name another model"

Ask = Callable[[SampleRequest], Awaitable[object]]
Kind = tuple[object, ...]


class Harmless:
    """Remembers which kinds of request a server takes.

    Args:
        ask: posts a request; raises as the engine does.
    """

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._takes: dict[Kind, bool] = {}
        self._asking = asyncio.Lock()

    def answered(self, request: SampleRequest) -> None:
        """Note that the server takes requests of this kind."""
        self._takes[_kind(request)] = True

    async def blamed(self, refusal: Refused, request: SampleRequest, advice: str) -> EngineError:
        """The error for a request that the server refused: for good, or for its text alone.

        Args:
            refusal: what the server said.
            request: what was refused.
            advice: what a user can do if it is for good.
        """
        kind = _kind(request)
        async with self._asking:
            if kind not in self._takes:
                self._takes[kind] = await self._would_take(request)
        if self._takes[kind]:
            return DeclinedError(f"{refusal}; with another text the server takes such a request")
        return RefusedError(f"{refusal}; {advice or _ADVICE}")

    async def _would_take(self, request: SampleRequest) -> bool:
        harmless = tuple(Message(turn.role, _TEXT) for turn in request.messages)
        try:
            await self._ask(replace(request, messages=harmless, n=1))
        except (Refused, RefusedError, ContextError):
            return False
        except EngineError:  # nothing is known; the run must not end for that
            return True
        return True


def _kind(request: SampleRequest) -> Kind:
    roles = tuple(turn.role for turn in request.messages)
    return roles, request.n > 1, bool(request.logprobs), bool(request.sampling.stop)
