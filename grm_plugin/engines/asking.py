"""Gets a request answered: in the shape that a server takes, by a server that takes it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import replace
from typing import Any

from grm_plugin.engine import SampleRequest
from grm_plugin.engines.completions import choices_in
from grm_plugin.engines.harmless import Harmless, Minds
from grm_plugin.errors import DeclinedError, RefusedError
from grm_plugin.remote.connection import Connection
from grm_plugin.remote.fields import RequestShape, asked_of
from grm_plugin.remote.http import Answer
from grm_plugin.remote.leading import Leading
from grm_plugin.remote.refusing.refusals import Refused
from grm_plugin.remote.replicas import Replica
from grm_plugin.remote.trip import NOBODY

_SET_N = "it takes one draw a request: fields: {n: null}"
_ADVICE = "it refuses a harmless text, too: see which setting it means, or name another model"


class Asking:
    """Asks the servers of a judge for chat completions.

    Args:
        connection: to the servers.
        shape: how requests are written; what a server refuses is learned there.
        warm_up: the first request of a group goes ahead of the others.
    """

    def __init__(self, connection: Connection, shape: RequestShape, *, warm_up: bool) -> None:
        self._connection, self._shape = connection, shape
        self._after_the_first = Leading().turn if warm_up else _at_once
        self._harmless = Harmless(self._written_for)

    async def answer(self, request: SampleRequest) -> Answer:
        """The answer of a server that takes the request.

        Raises:
            DeclinedError: a server minds this text.
            RefusedError: no server takes requests like this one.
            EngineError, ContextError: as :meth:`grm_plugin.remote.http.Client.post`.
        """
        refused: dict[Replica, RefusedError] = {}
        while True:
            try:
                async with self._after_the_first(request.group):
                    sent = request if self._shape.most_draws > 1 else replace(request, n=1)
                    answer = await self._written(request, refused_by=refused)
            except Refused as refusal:
                refused |= await self._learned(sent, refusal)
            else:
                self._harmless.answered(sent, answer.by)
                return answer

    async def _learned(
        self, request: SampleRequest, refusal: Refused
    ) -> Mapping[Replica, RefusedError]:
        """Who will take no request like this one; nobody where it can be asked in another shape.

        Raises:
            DeclinedError: the server minds this text.
            Refused: it can not be told what it minds.
        """
        minds = await self._harmless.minds(request, refusal.by)
        if minds is Minds.TEXT:
            raise DeclinedError(
                f"{refusal}; with another text the server takes such a request"
            ) from refusal
        if minds is Minds.UNKNOWN or refusal.by is None:
            raise refusal
        if minds is Minds.DRAWS and not self._shape.is_set("n"):
            self._shape.learn({"n": (None, refusal.said)})
            return NOBODY
        advice = self._shape.advice(asked_of(self._connection.model, request), refusal.said)
        error = RefusedError(f"{refusal}; {_SET_N if minds is Minds.DRAWS else advice or _ADVICE}")
        error.__cause__ = refusal
        self._connection.refused(refusal.by, error)
        return {refusal.by: error}

    async def _written_for(self, request: SampleRequest, only: Replica | None) -> Answer:
        return await self._written(request, only=only)

    async def _written(self, request: SampleRequest, **where: Any) -> Answer:
        """A server's answer, with what it refuses by name changed where that loses nothing."""
        asked = asked_of(self._connection.model, request)
        changes = dict[str, tuple[str | None, str]]()
        while True:
            names = self._shape.names({name: other for name, (other, _) in changes.items()})
            try:
                answer = await self._connection.post(
                    "/v1/chat/completions",
                    self._shape.written(asked, names),
                    group=request.group,
                    draws=request.n,
                    check=choices_in,
                    **where,
                )
            except Refused as refusal:
                change = self._shape.change(asked, names, refusal.said)
                if change is None:
                    raise
                changes[change[0]] = (change[1], refusal.said)
            else:
                self._shape.learn(changes)
                return answer


def _at_once(group: str) -> AbstractAsyncContextManager[None]:
    return nullcontext()
