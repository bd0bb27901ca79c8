"""What a judge server says when it gives no answer, as errors that tell what to do."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from grm_plugin.errors import ContextError, DeclinedError, EngineError, RefusedError, quoted
from grm_plugin.remote.refusing.declining import declines
from grm_plugin.remote.refusing.faults import Away, Busy, Fault, Loading
from grm_plugin.remote.refusing.lengths import says_too_long
from grm_plugin.remote.refusing.retry_after import seconds_asked_for
from grm_plugin.remote.replicas import Replica

_BUSY = {425, 429, 503, 529}
_AWAY = {502, 504, *range(520, 525)}  # what proxies say of a server behind them
_READ = 4000  # characters of what it says
_LOADING = re.compile(r"\bloading\b|warming up|still starting|not ready", re.I)
_NO_CREDIT = re.compile(
    r"insufficient[ _](quota|balance|credit|funds)|credit balance is too low"
    r"|billing[ _](hard[ _]limit|not[ _]active)|exceeded_current_quota",
    re.I,
)
_PLAIN_TO_TLS = re.compile(r"plain HTTP request was sent to HTTPS|HTTP request to an HTTPS", re.I)


class NotFound(RefusedError):
    """The server does not know this path (404, 405) or this model."""


class Refused(EngineError):
    """The server does not take this request as it is (400, 422).

    Args:
        message: what happened, cut to a length for people.
        said: the whole of what the server said.

    ``by`` is the server, where it is known.
    """

    by: Replica | None = None

    def __init__(self, message: str, said: str) -> None:
        super().__init__(message, said)
        self.said = said

    def __str__(self) -> str:
        return str(self.args[0])


def refusal(
    status: int, headers: Mapping[str, str], said: str, where: str
) -> EngineError | ContextError:
    """The error for an answer with another status than 200.

    Args:
        status: of HTTP.
        headers: of the answer.
        said: its body, without keys.
        where: address and path.
    """
    message = message_of(said)
    shown = f"{where}: HTTP {status}: {quoted(message, 300)}"
    if says_too_long(status, said):
        return ContextError(shown)
    if status == 402 or _NO_CREDIT.search(said[:_READ]):
        return RefusedError(f"{shown}; the account has no credit left: add some, or use another")
    if status in _BUSY or status in _AWAY or status == 408 or status >= 500:
        return _passing(status, headers, said, shown)
    if 300 <= status < 400:
        place = quoted(headers.get("Location", "nowhere"), 200)
        return RefusedError(f"{where}: HTTP {status}: it redirects to {place}; name that in url")
    if declines(status, message):
        return DeclinedError(shown)
    if status in (401, 403, 407):
        return RefusedError(f"{shown}; name the variable with the key in api_key_env")
    if status in (404, 405):
        return NotFound(f"{shown}; is the model's name right, and the path of url?")
    if status == 400 and _PLAIN_TO_TLS.search(said[:_READ]):
        return RefusedError(f"{shown}; write https:// in url")
    return Refused(shown, message) if status in (400, 422) else EngineError(shown)


def _passing(status: int, headers: Mapping[str, str], said: str, shown: str) -> Fault:
    """A status that another time may be 200."""
    if status in _BUSY - {503}:
        return Busy(shown, seconds_asked_for(headers, said))
    if status in _AWAY:
        return Away(shown, seconds_asked_for(headers, said))
    if _LOADING.search(said[:_READ]):
        return Loading(shown, seconds_asked_for(headers, said))
    return Busy(shown, seconds_asked_for(headers, said)) if status == 503 else Fault(shown)


def message_of(said: str) -> str:
    """What a server says is wrong, wherever it puts it."""
    try:
        found = json.loads(said)
    except (ValueError, RecursionError):
        return said
    if isinstance(found, list) and len(found) == 1:  # Gemini
        found = found[0]
    for key in ("error", "message", "detail"):
        if isinstance(found, dict) and found.get(key):
            found = found[key]
    return found if isinstance(found, str) else json.dumps(found)
