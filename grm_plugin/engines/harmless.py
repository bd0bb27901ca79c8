"""Finds out what a server means that refuses a request without naming a part of it.

It may be the text of one group, which must cost that group alone; or it may be whatever all our
requests have in common, and then the run should stop before it asks for every group. So the server
is asked once more with the same fields and turns, and a text that nobody can mind.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from enum import Enum

from grm_plugin.engine import SampleRequest
from grm_plugin.errors import ContextError, EngineError, RefusedError
from grm_plugin.remote.refusing.refusals import Refused
from grm_plugin.remote.replicas import Replica
from grm_plugin.types import Message

_TEXT = "Which word is longer, apple or pear?"

Ask = Callable[[SampleRequest, Replica | None], Awaitable[object]]
Kind = tuple[object, ...]


class Minds(Enum):
    """What of a request a server minds."""

    TEXT = "its text"
    DRAWS = "that it asks for several draws"
    ALL = "whatever requests like it have in common"
    UNKNOWN = "the server does not say"


class Harmless:
    """Remembers which kinds of request each server takes.

    Args:
        ask: posts a request to one server; raises as the engine does.
    """

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._known: dict[Kind, Minds] = {}
        self._asking = asyncio.Lock()

    def answered(self, request: SampleRequest, by: Replica | None) -> None:
        """Note that a server takes requests of this kind."""
        self._known[_kind(request, by)] = Minds.TEXT

    async def minds(self, request: SampleRequest, at: Replica | None) -> Minds:
        """What a server minds of a request that it refused."""
        kind = _kind(request, at)
        async with self._asking:
            found = self._known.get(kind) or await self._found(request, at)
            if found is not Minds.UNKNOWN:
                self._known[kind] = found
        return found

    async def _found(self, request: SampleRequest, at: Replica | None) -> Minds:
        taken = await self._taken(request, at)
        if taken is None:
            return Minds.UNKNOWN
        if taken:
            return Minds.TEXT
        if request.n > 1 and await self._taken(replace(request, n=1), at):
            return Minds.DRAWS
        return Minds.ALL

    async def _taken(self, request: SampleRequest, at: Replica | None) -> bool | None:
        """Whether the server takes such a request with a harmless text; None: it did not say."""
        harmless = tuple(Message(turn.role, _TEXT) for turn in request.messages)
        try:
            await self._ask(replace(request, messages=harmless), at)
        except (Refused, RefusedError, ContextError):
            return False
        except EngineError:
            return None
        return True


def _kind(request: SampleRequest, at: Replica | None) -> Kind:
    roles = tuple(turn.role for turn in request.messages)
    return at, roles, request.n > 1, bool(request.logprobs), bool(request.sampling.stop)
