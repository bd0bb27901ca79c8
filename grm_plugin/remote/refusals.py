"""What a judge server says when it gives no answer, as errors that tell what to do."""

from __future__ import annotations

import json
import re
import time
from email.utils import parsedate_to_datetime

import aiohttp

from grm_plugin.errors import ContextError, DeclinedError, EngineError, TransportError, quoted
from grm_plugin.remote.declining import declines

_LONGEST_RETRY_AFTER_S = 30.0
_BUSY = 429
_OVER_CONTEXT = re.compile(r"context[ _](length|window|size)|max_model_len|too many tokens", re.I)


class Fault(TransportError):
    """A transport fault that another try may not meet.

    Args:
        message: what happened.
        retry_after_s: seconds the server asked for, if it did.
        healthy: the server lives and is only busy; this is not held against it.
    """

    def __init__(
        self, message: str, retry_after_s: float | None = None, healthy: bool = False
    ) -> None:
        super().__init__(message, retry_after_s, healthy)
        self.retry_after_s, self.healthy = retry_after_s, healthy

    def __str__(self) -> str:
        return str(self.args[0])


class NotFound(EngineError):
    """The server does not know this path (404, 405) or this model."""


class Refused(EngineError):
    """The server does not take this request as it is (400, 422).

    Args:
        message: what happened, cut to a length for people.
        said: the whole of what the server said.
    """

    def __init__(self, message: str, said: str) -> None:
        super().__init__(message, said)
        self.said = said

    def __str__(self) -> str:
        return str(self.args[0])


def refusal(
    response: aiohttp.ClientResponse, message: str, where: str
) -> EngineError | ContextError:
    """The error for an answer with another status than 200.

    Args:
        response: for its status and headers.
        message: what the server said, without keys.
        where: address and path.
    """
    status = response.status
    said = f"{where}: HTTP {status}: {quoted(message, 300)}"
    if status in (408, _BUSY) or status >= 500:
        return Fault(said, _retry_after(response.headers.get("Retry-After")), status == _BUSY)
    if status in (400, 413, 422) and _OVER_CONTEXT.search(message):
        return ContextError(said)
    if declines(status, message):
        return DeclinedError(said)
    if status in (401, 403):
        return EngineError(f"{said}; name the variable with the key in api_key_env")
    if status in (400, 422):
        return Refused(said, message)
    return NotFound(said) if status in (404, 405) else EngineError(said)


def _retry_after(header: str | None) -> float | None:
    """Seconds from a ``Retry-After`` header, a number or a date, within reason."""
    if header is None:
        return None
    try:
        seconds = float(header) if header.strip().isdigit() else _seconds_until(header)
    except ValueError:
        return None
    return min(max(seconds, 0.0), _LONGEST_RETRY_AFTER_S)


def _seconds_until(date: str) -> float:
    return parsedate_to_datetime(date).timestamp() - time.time()


def message_of(content: bytes) -> str:
    """What a server says is wrong, wherever it puts it."""
    text = content.decode(errors="replace")
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return text
    found = found[0] if isinstance(found, list) and found else found  # Gemini's
    for key in ("error", "message", "detail"):
        if isinstance(found, dict) and found.get(key):
            found = found[key]
    return found if isinstance(found, str) else json.dumps(found)
