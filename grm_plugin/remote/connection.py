"""A judge behind HTTP: which servers there are, which model they serve, and how to ask them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grm_plugin.engine import Limits
from grm_plugin.errors import (
    EngineError,
    RequestTimeout,
    TransportError,
    quoted,
    unknown,
)
from grm_plugin.remote.access import Access
from grm_plugin.remote.http import Answer, Client
from grm_plugin.remote.launch import ServeOptions, ServerProcess
from grm_plugin.remote.options import ConnectionOptions, urls_of
from grm_plugin.remote.providers import provider_of
from grm_plugin.remote.refusals import Fault, NotFound
from grm_plugin.remote.replicas import Replica
from grm_plugin.remote.sharing import SharedServer

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Served:
    """What a server said about itself: model names, and tokens of context where it tells."""

    models: tuple[str, ...] = ()
    context_tokens: int | None = None


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
        self._process: ServerProcess | SharedServer | None = None
        self.model = options.model or (options.serve.model if options.serve else "")
        self.context_tokens: int | None = None

    async def start(self) -> None:
        """Start the server if it is ours, and find out what the servers serve.

        Raises:
            EngineError: no server answers, the key is refused, or the model is not served.
        """
        try:
            if self._options.serve:
                await self._start_server(self._options.serve)
            self._client = Client(
                self._replicas, self._limits, self._access, self._options.max_response_bytes
            )
            await self._discover(self._client)
        except BaseException:  # also cancellation: never leave a server behind
            await self.close()
            raise

    async def _start_server(self, options: ServeOptions) -> None:
        kind = SharedServer if options.shared else ServerProcess
        self._process = kind(options, self._access.secret, self._owner)
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
        asked = [self._ask(client, replica) for replica in self._replicas]
        found = dict(zip(self._replicas, await asyncio.gather(*asked), strict=True))
        served = {at: one for at, one in found.items() if isinstance(one, Served)}
        if not served:
            raise EngineError(self._loss() or _nobody(list(found.values())))
        return served

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
        try:
            listing = await client.get(replica, "/v1/models")
            return _served(listing) if self.provider.lists else Served()
        except NotFound:
            return Served()  # a server without a list can still judge
        except (Fault, RequestTimeout) as error:
            logger.warning("judge server %s can not be used now: %s", replica, error)
            client.router.failed(replica)
            return error

    def _check_model(self, replica: Replica, served: Served) -> None:
        if not self.model:
            raise EngineError(f"{self._owner}: {replica} lists no models; name one with model")
        if served.models and self.model not in served.models:
            names = unknown("model", self.model, served.models)
            raise EngineError(f"{self._owner}: {replica}: {names[:500]}")

    async def post(
        self, path: str, body: Mapping[str, Any], *, group: str = "", draws: int = 1
    ) -> Answer:
        """Post ``body``; see :meth:`grm_plugin.remote.http.Client.post`."""
        if self._client is None:
            raise self._not_running()
        try:
            return await self._client.post(path, body, group=group, draws=draws)
        except TransportError as error:
            if loss := self._loss():
                raise TransportError(f"{error}; {loss}") from error
            raise

    def _loss(self) -> str:
        """Why a server that was shared with us is gone; empty when it is not."""
        return self._process.loss() if isinstance(self._process, SharedServer) else ""

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


def _nobody(errors: Sequence[object]) -> str:
    said = "; ".join(str(error) for error in errors)
    return f"no judge server answers: {said}; start one with: vllm serve MODEL --port 8001"


def _served(listing: Any) -> Served:
    try:
        models = [dict(model) for model in listing["data"]]
        names = tuple(str(model["id"]) for model in models)
    except (KeyError, TypeError, ValueError):
        raise EngineError(
            f"expected a list of models at /v1/models, got {quoted(listing)}; is it a judge server?"
        ) from None
    lengths = [model.get("max_model_len") for model in models]
    known = [length for length in lengths if isinstance(length, int)]
    return Served(names, min(known, default=None))
