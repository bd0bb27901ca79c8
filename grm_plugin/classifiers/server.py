"""The meta RM, or a scalar RM, behind a vLLM pooling server."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from typing import Any

from grm_plugin.classifiers import Answer, Rating, scaling_beside, template_beside
from grm_plugin.engine import Limits
from grm_plugin.errors import ContextError, EngineError, TransportError, quoted
from grm_plugin.options import read_options
from grm_plugin.remote.connection import Connection
from grm_plugin.remote.marks import marks_in_the_frame
from grm_plugin.remote.options import ConnectionOptions
from grm_plugin.remote.refusing.refusals import NotFound
from grm_plugin.remote.usage import Usage
from grm_plugin.types import Message

_OWNER = "classifier 'server'"


class ServerClassifier:
    """Asks ``/classify`` for raw logits, or ``/pooling`` where the server has only that.

    To be served with ``vllm serve MODEL --runner pooling --convert classify``. One POST per text,
    so that a text the server refuses fails alone; the server batches them.

    Args:
        options: see :class:`grm_plugin.remote.options.ConnectionOptions`.
        limits: what must not be exceeded; a text counts as one draw.

    Raises:
        ConfigError: an option is unknown, missing or wrong.
    """

    Options = ConnectionOptions

    def __init__(self, options: Mapping[str, Any], limits: Limits) -> None:
        self.options = read_options(ConnectionOptions, _OWNER, options)
        self._connection = Connection(self.options, limits, _OWNER)
        self.start_limit_s = self.options.start_limit_s
        self._path = "/classify"
        serve = self.options.serve  # of a server of others only they know what it was trained on
        self.template = template_beside(serve.model) if serve else None
        self.scaling = scaling_beside(serve.model) if serve else None
        self.control_tokens: Sequence[str] = ()

    async def start(self) -> None:
        await self._connection.start()

    async def find_control_tokens(self) -> None:
        """Ask the server which tokens its chat template writes, where it tells that."""
        self.control_tokens = await marks_in_the_frame(self._connection)

    async def logits(self, texts: Sequence[str]) -> Sequence[Answer]:
        return await asyncio.gather(*(self._logit({"input": text}) for text in texts))

    async def logits_of_conversations(
        self, conversations: Sequence[Sequence[Message]]
    ) -> Sequence[Answer]:
        """The server fills its model's chat template, or says that there is none."""
        bodies = [
            {"messages": [{"role": one.role, "content": one.content} for one in turns]}
            for turns in conversations
        ]
        return await asyncio.gather(*(self._logit(body) for body in bodies))

    async def _logit(self, text: Mapping[str, Any]) -> Answer:
        # without use_activation the server would send the sigmoid of the logit
        body = {"model": self._connection.model, **text, "use_activation": False}
        try:
            answer = await self._post(body)
            logit = _logit_of(answer)
            tokens = Usage.told(answer.get("usage")).prompt
            return Rating(logit, tokens) if tokens else logit
        except ContextError as error:
            return EngineError(str(error))
        except EngineError as error:
            return error

    async def _post(self, body: Mapping[str, Any]) -> Any:
        try:
            return (await self._connection.post(self._path, body)).value
        except NotFound:
            if self._path == "/pooling":
                raise
        answer = await self._connection.post("/pooling", body)
        self._path = "/pooling"
        return answer.value

    async def close(self) -> None:
        await self._connection.close()

    def abandon(self) -> None:
        """As :meth:`grm_plugin.engines.server.ServerEngine.abandon`."""
        self._connection.abandon()


def _logit_of(answer: Any) -> float:
    try:
        (row,) = answer["data"]
        (logit,) = row["probs"] if "probs" in row else row["data"]
        logit = float(logit)
    except (KeyError, TypeError, ValueError):
        raise TransportError(
            f"expected one logit from the classifier's server, got {quoted(answer, 300)}; "
            "is it a classifier with one label?"
        ) from None
    if not math.isfinite(logit):
        raise TransportError(f"expected a finite logit from the classifier's server, got {logit}")
    return logit
