"""A judge behind HTTP: which servers there are, which model they serve, and how to ask them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from grm_plugin.engine import Limits
from grm_plugin.errors import (
    ContextError,
    EngineError,
    RefusedError,
    quoted,
    unknown,
)
from grm_plugin.remote.access import Access
from grm_plugin.remote.http import Answer, Client
from grm_plugin.remote.launching.lasting import LastingServer
from grm_plugin.remote.launching.launch import ServeOptions
from grm_plugin.remote.launching.sharing import SharedServer, own_server
from grm_plugin.remote.options import ConnectionOptions, urls_of
from grm_plugin.remote.pace import Pace
from grm_plugin.remote.providers import provider_of
from grm_plugin.remote.refusing.connecting import speaks_tls
from grm_plugin.remote.refusing.faults import Fault, NoProxy, Wait
from grm_plugin.remote.refusing.refusals import Forbidden
from grm_plugin.remote.replicas import Replica
from grm_plugin.remote.served import Served, may_judge, may_pass
from grm_plugin.remote.starting import HOW_TO_START, NotServing, until_served

logger = logging.getLogger(__name__)


class Connection:
    """One or more servers of one model.

    Args:
        options: see :class:`grm_plugin.remote.options.ConnectionOptions`.
        limits: see :class:`grm_plugin.remote.http.Client`.
        owner: how messages call the part, say ``engine 'server'``.

    Raises:
        ConfigError: no server or several kinds of them, a bad URL, no key where one is named, or
            an unknown provider.
    """

    def __init__(self, options: ConnectionOptions, limits: Limits, owner: str) -> None:
        self._options, self._limits, self._owner = options, limits, owner
        self.provider = provider_of(options.provider, owner)
        urls = urls_of(options, self.provider, owner)
        self._access = Access.of(options, self.provider, owner)
        self._replicas = [Replica.at(url, owner) for url in urls]
        self._client: Client | None = None
        self._process: LastingServer | SharedServer | None = None
        self.model = options.model or (options.serve.model if options.serve else "")
        self.context_tokens: int | None = None

    async def start(self) -> None:
        """Start the server if it is ours, and find out what the servers serve.

        A server that does not answer yet is waited for, ``start_timeout_s``.

        Raises:
            NotServing: no server answered in time.
            RefusedError: none lets us in or has the model, or its address can not be right.
            EngineError: it can not be told which model is the judge.
        """
        try:
            if self._options.serve:
                await self._start_server(self._options.serve)
            self._client = client = self._new_client()
            limit_s = self._options.start_timeout_s
            await until_served(lambda: self._discover(client), limit_s, self._owner)
        except BaseException:  # also cancellation: never leave a server behind
            await self.close()
            raise

    def _new_client(self) -> Client:
        pace = Pace(self._options.requests_per_minute)
        longest = self._options.max_response_bytes
        return Client(self._replicas, self._limits, self._access, longest, pace, self._loss)

    async def _start_server(self, options: ServeOptions) -> None:
        self._process = own_server(options, self._access.secret, self._owner)
        self._replicas = [Replica.at(await self._process.start(), self._owner)]
        self._access = self._access.with_key(self._process.secret)

    async def check(self) -> None:
        """Ask the servers for a sign of life.

        Raises:
            EngineError: none of them gives one.
        """
        if self._client is None:
            raise self._not_running()
        await self._living(self._client)

    async def _living(self, client: Client) -> dict[Replica, Served]:
        """What those servers say that can be used; the others are put aside.

        Raises:
            NotServing: none can be used now, and one may be later.
            EngineError: none can be used.
        """
        asked = [self._ask(client, replica) for replica in self._replicas]
        found = dict(zip(self._replicas, await asyncio.gather(*asked), strict=True))
        served = {at: one for at, one in found.items() if isinstance(one, Served)}
        errors = {at: one for at, one in found.items() if isinstance(one, EngineError)}
        if not served:
            raise self._nobody(list(errors.values()))
        for replica, error in errors.items():
            client.router.refused(replica, str(error))
        return served

    def _nobody(self, errors: Sequence[EngineError]) -> EngineError:
        if loss := self._loss():
            return EngineError(loss)
        said = "; ".join(str(error) for error in errors)
        if not any(may_pass(error) for error in errors):
            return RefusedError(f"no judge server can be used: {said}")
        by_proxy = any(isinstance(error, NoProxy) for error in errors)
        return NotServing(f"no judge server answers: {said}" + ("" if by_proxy else HOW_TO_START))

    async def _discover(self, client: Client) -> None:
        served = await self._living(client)
        self.model = self._options.model or self._only_model(served)
        for replica, one in served.items():
            self._check_model(replica, one)
        known = [one.context_tokens for one in served.values() if one.context_tokens]
        self.context_tokens = min(known, default=None)

    def _only_model(self, served: Mapping[Replica, Served]) -> str:
        """The one that is listed. A LoRA judge lists its base first, so the first is no choice."""
        listed = dict.fromkeys(name for one in served.values() for name in one.models)
        if len(listed) > 1:
            where = ", ".join(str(replica) for replica in served)
            names = ", ".join(quoted(name) for name in listed)
            raise EngineError(
                f"{self._owner}: expected one model at {where}, got {len(listed)}: "
                f"{names[:500]}; name the judge with model"
            )
        return next(iter(listed), "")

    async def _ask(self, client: Client, replica: Replica) -> Served | EngineError:
        """What a server says of itself, or why it can not be used."""
        try:
            listing = await client.get(replica, "/v1/models")
            return Served.of(listing, replica) if self.provider.lists else Served()
        except ContextError as error:  # as whoever stands in front of it may say
            return EngineError(str(error))
        except EngineError as error:
            known = may_judge(error, shows=self.provider.shows, model=self.model)
            return Served() if known else await self._named(replica, error)

    async def _named(self, replica: Replica, error: EngineError) -> EngineError:
        """The error, or what is behind it."""
        if isinstance(error, Forbidden):
            return RefusedError(
                f"{error}; if it may only not list models, name the judge with model"
            )
        dropped = isinstance(error, Fault) and not isinstance(error, Wait)
        straight = dropped and self._access.proxy_for(replica.root) is None
        if straight and await speaks_tls(replica.root):
            return RefusedError(f"{error}; the server speaks TLS there: write https:// in url")
        return error

    def _check_model(self, replica: Replica, served: Served) -> None:
        if not self.model:
            said = f"{self._owner}: {replica} lists no models; name one with model"
            raise NotServing(said) if served.lists else EngineError(said)
        if served.models and self.model not in served.models:
            names = unknown("model", self.model, served.models)
            raise RefusedError(f"{self._owner}: {replica}: {names[:500]}")

    async def post(self, path: str, body: Mapping[str, Any], **how: Any) -> Answer:
        """Post ``body``; see :meth:`grm_plugin.remote.http.Client.post`."""
        if self._client is None:
            raise self._not_running()
        return await self._client.post(path, body, **how)

    def refused(self, replica: Replica, error: RefusedError) -> None:
        """Let alone for a while who takes no request of ours, if there are others."""
        if self._client is not None:
            self._client.refused(replica, error)

    @property
    def trouble(self) -> str:
        """Why requests wait for the servers now; empty when they do not."""
        return str((self._client and self._client.router.waits()) or "")

    async def turn(self) -> None:
        """Return when the servers can take the requests of another group."""
        if self._client is None:
            raise self._not_running()
        await self._client.turn()

    def _loss(self) -> str:
        """Why a server that was started for us is gone for good; empty while one may wait."""
        return self._process.loss() if self._process else ""

    def _not_running(self) -> EngineError:
        return EngineError(f"{self._owner} is not running; start it first")

    async def close(self) -> None:
        """Close the connections and end the server if it is ours; may be called twice."""
        client, self._client = self._client, None
        process, self._process = self._process, None
        if client is not None:
            await client.close()
        if process is not None:
            await process.close()

    def abandon(self) -> None:
        """End the server if it is ours, at once and without an event loop."""
        process, self._process = self._process, None
        if process is not None:
            process.abandon()
