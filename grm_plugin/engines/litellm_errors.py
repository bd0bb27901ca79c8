"""What litellm raises, as errors of ours; told by the names of its classes, without an import."""

from __future__ import annotations

from collections.abc import Mapping

from grm_plugin.errors import (
    ContextError,
    DeclinedError,
    EngineError,
    RefusedError,
    TransportError,
    quoted,
)
from grm_plugin.remote.refusing.faults import Busy, Fault
from grm_plugin.remote.refusing.retry_after import seconds_asked_for

_KEY = "; name the variable with the key in api_key_env, and look whether it may use this model"
_MODEL = "; is it the model's name as litellm knows it, and does the provider still offer it?"
_PAY = "; the account has no money or no quota left, so waiting does not help"
_OURS = "; take out or change what it names"

_REFUSALS: Mapping[str, str] = {
    "AuthenticationError": _KEY,
    "PermissionDeniedError": _KEY,
    "NotFoundError": _MODEL,
    "LiteLLMUnknownProvider": _MODEL,
    "PaymentRequiredError": _PAY,
    "UnsupportedParamsError": _OURS,
}
_BUSY = ("RateLimitError", "ServiceUnavailableError")
_FAULTS = ("Timeout", "APITimeoutError", "APIConnectionError", "APIError", "APIStatusError")


def understood(error: Exception, text: str, *, answered: bool) -> EngineError | ContextError:
    """The error of ours for what a call of litellm raised.

    Args:
        error: what it raised.
        text: what it says, without keys.
        answered: whether the provider answered before: a request that it does not take then is not
            refused for what all of ours have in common.
    """
    said = quoted(text.removeprefix("litellm."), 400)
    for name in (kind.__name__ for kind in type(error).__mro__):
        if name == "ContextWindowExceededError":
            return ContextError(said)
        if name == "ContentPolicyViolationError":
            return DeclinedError(said)
        if name in _REFUSALS:
            return RefusedError(said + _REFUSALS[name])
        if name in ("BadRequestError", "UnprocessableEntityError"):
            return _misfit(said, answered=answered)
        if name in _BUSY:
            return _busy(error, text, said)
        if name in _FAULTS:
            return _by_status(getattr(error, "status_code", None), said, answered=answered)
    return TransportError(f"litellm failed: {type(error).__name__}: {said}")


def _misfit(said: str, *, answered: bool) -> EngineError:
    return EngineError(said) if answered else RefusedError(said + _OURS)


def _by_status(status: object, said: str, *, answered: bool) -> EngineError:
    """Where litellm has no class of its own for what a provider says."""
    if status in (401, 402, 403):
        return RefusedError(said + (_PAY if status == 402 else _KEY))
    other = isinstance(status, int) and 400 <= status < 500 and status != 408
    return _misfit(said, answered=answered) if other else Fault(said)


def _busy(error: Exception, text: str, said: str) -> EngineError:
    if "insufficient_quota" in text or "exceeded your current quota" in text:
        return RefusedError(said + _PAY)
    headers = getattr(getattr(error, "response", None), "headers", None)
    return Busy(said, seconds_asked_for(headers or {}, text))
