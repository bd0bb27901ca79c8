"""What a judge server says when it gives no answer, as errors that tell what to do."""

from __future__ import annotations

import re
from collections.abc import Mapping

from grm_plugin.errors import ContextError, DeclinedError, EngineError, RefusedError, quoted
from grm_plugin.remote.refusing.bodies import Said
from grm_plugin.remote.refusing.declining import declines
from grm_plugin.remote.refusing.faults import Away, Busy, Fault, Loading
from grm_plugin.remote.refusing.lengths import says_too_long
from grm_plugin.remote.refusing.retry_after import seconds_asked_for
from grm_plugin.remote.replicas import Replica

PROXY_LOGIN = (
    "the proxy wants a login: put user:password into an environment variable and set "
    "proxy: http://${PROXY_LOGIN}@host:port"
)
"""What to do about 407."""

_BUSY = {425, 429, 503, 529}
_AWAY = {502, 504, *range(520, 525)}  # what proxies say of a server behind them
_LOADING = re.compile(r"\bloading\b|warming up|still starting|not ready", re.I)
# of an error of status 500, which may also be "error while loading LoRA adapter"
_MODEL_LOADING = re.compile(
    r"server (is )?loading model|model [^.]{0,80} is .{0,20}\bloading", re.I
)
_NO_CREDIT = re.compile(
    r"insufficient[ _](quota|balance|credit|funds)|credit balance is too low"
    r"|billing[ _](hard[ _]limit|not[ _]active)|exceeded_current_quota",
    re.I,
)
_OF_CREDIT = {403, 429}
_ANTHROPIC_NO_CREDIT = "Your credit balance is too low"  # as 400
_PLAIN_TO_TLS = re.compile(r"plain HTTP request was sent to HTTPS|HTTP request to an HTTPS", re.I)


class NotFound(RefusedError):
    """The server does not know this path (404, 405) or this model, or no more (410)."""


class KeyRefused(RefusedError):
    """The server does not know the key (401)."""


class Forbidden(RefusedError):
    """The key has no right to this (403)."""


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
    told = Said.of(said)
    shown = f"{where}: HTTP {status}: {quoted(told.message, 300)}"
    if says_too_long(status, told.words):
        return ContextError(shown)
    if _no_credit(status, told):
        return RefusedError(f"{shown}; the account has no credit left: add some, or use another")
    if status in _BUSY or status in _AWAY or status == 408 or status >= 500:
        return _passing(status, seconds_asked_for(headers, said), told.words, shown)
    if 300 <= status < 400:
        place = quoted(headers.get("Location", "nowhere"), 200)
        return RefusedError(f"{where}: HTTP {status}: it redirects to {place}; name that in url")
    if declines(status, told.words):
        return DeclinedError(shown)
    return _for_good(status, told, shown)


def _no_credit(status: int, told: Said) -> bool:
    """Whether nobody pays any more; what a server quotes of a request says nothing of that."""
    if status == 402 or (status == 400 and told.message.startswith(_ANTHROPIC_NO_CREDIT)):
        return True
    return bool(_NO_CREDIT.search(told.words if status in _OF_CREDIT else told.codes))


def _for_good(status: int, told: Said, shown: str) -> EngineError:
    """A status that another time will be the same."""
    if status == 407:
        return RefusedError(f"{shown}; {PROXY_LOGIN}")
    if status in (401, 403):
        kind = KeyRefused if status == 401 else Forbidden
        return kind(f"{shown}; name the variable with the key in api_key_env")
    if status in (404, 405, 410):
        return NotFound(f"{shown}; is the model's name right, and the path of url?")
    if status == 400 and shown.startswith("http://") and _PLAIN_TO_TLS.search(told.words):
        return RefusedError(f"{shown}; write https:// in url")
    return Refused(shown, told.message) if status in (400, 422) else EngineError(shown)


def _passing(status: int, after_s: float | None, words: str, shown: str) -> Fault:
    """A status that another time may be 200."""
    if status in _BUSY - {503}:
        return Busy(shown, after_s)
    if status in _AWAY:
        return Away(shown, after_s)
    if (_LOADING if status == 503 else _MODEL_LOADING).search(words):
        return Loading(shown, after_s)
    return Busy(shown, after_s) if status == 503 else Fault(shown)
