"""What litellm raises, as errors of ours: by what the provider sent, which stands behind it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import aiohttp
from multidict import CIMultiDict

from grm_plugin.errors import ContextError, DeclinedError, EngineError, TransportError, quoted
from grm_plugin.remote.refusing.connecting import connection_fault
from grm_plugin.remote.refusing.faults import Away
from grm_plugin.remote.refusing.refusals import Refused, refusal

_UNCONNECTED = {"ConnectError", "ConnectTimeout"}  # of httpx, where litellm goes without aiohttp
_MOST = 20  # errors behind an error
# litellm says so itself, as a fault of a server that it never asked
_KEYLESS = re.compile(r"\bMissing (?:credentials|[\w ]+ API key)\b", re.IGNORECASE)


def understood(
    error: Exception, where: str, hide: Callable[[str], str] = str, sent: str = ""
) -> EngineError | ContextError:
    """The error of ours for what a call of litellm raised.

    Args:
        error: what it raised; what the provider's server sent is among the errors behind it.
        where: how messages call the provider.
        hide: takes keys out of what is said.
        sent: what the server sent last, where litellm told. An answer that litellm can not read
            was paid for: it is not asked for again, and is no refusal whatever litellm calls it.
    """
    behind = list(_behind(error))
    found = _of_the_server(behind, where, hide) or _of_the_way(behind, where)
    if found is None and _is_answer(sent):
        shown = f"{quoted(hide(sent), 200)} ({quoted(hide(str(error)), 200)})"
        return TransportError(f"{where}: litellm can not read the answer {shown}")
    return _of_litellm(error, found, where, hide(str(error)))


def _behind(error: BaseException | None) -> Iterator[BaseException]:
    """``error``, and what it was raised from."""
    for _ in range(_MOST):
        if error is None:
            return
        yield error
        error = error.__cause__ or error.__context__


def _of_the_server(
    behind: list[BaseException], where: str, hide: Callable[[str], str]
) -> EngineError | ContextError | None:
    """By the answer that the server gave; None where it gave none."""
    response: Any = next(
        (getattr(one, "response", None) for one in behind if _kind(one) == "HTTPStatusError"), None
    )
    if response is None:
        return None
    headers = CIMultiDict({name: hide(value) for name, value in response.headers.items()})
    return refusal(response.status_code, headers, hide(response.text), where)


def _of_the_way(behind: list[BaseException], where: str) -> EngineError | None:
    """By why there was no answer."""
    for one in behind:
        if isinstance(one, aiohttp.ClientError):
            return connection_fault(one, where)
    lost = next((one for one in behind if _kind(one) in _UNCONNECTED), None)
    return Away(f"{where}: {quoted(lost, 200)}") if lost else None


def _of_litellm(
    error: Exception, found: EngineError | ContextError | None, where: str, text: str
) -> EngineError | ContextError:
    """By litellm's own classes, which know how more providers say the same."""
    said = f"{where}: {quoted(text.removeprefix('litellm.'), 400)}"
    if found is not None and not isinstance(found, Refused):
        return found
    if _is("ContextWindowExceededError", error):
        return ContextError(said)
    if _is("ContentPolicyViolationError", error):
        return DeclinedError(said)
    if found is not None:
        return found
    status = 401 if _KEYLESS.search(text) else getattr(error, "status_code", None)
    if not isinstance(status, int):
        return TransportError(f"{where}: litellm failed: {_kind(error)}: {quoted(text, 400)}")
    return refusal(status, {}, text, f"{where}, as litellm tells it")


def _is_answer(sent: str) -> bool:
    """Whether a text is an answer, and not what some send with status 200 for who failed."""
    try:
        value = json.loads(sent)
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and not value.get("error")


def _kind(error: BaseException) -> str:
    return type(error).__name__


def _is(name: str, error: Exception) -> bool:
    return any(kind.__name__ == name for kind in type(error).__mro__)
