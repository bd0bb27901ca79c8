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


class Fault(TransportError):
    """A fault that another try may not meet.

    Args:
        message: what happened.
        busy: the provider lives and has too much to do; that is waited for, and no try is lost.
        retry_after_s: seconds that the provider asked for, if it did.
    """

    def __init__(
        self, message: str, busy: bool = False, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message, busy, retry_after_s)
        self.busy, self.retry_after_s = busy, retry_after_s

    def __str__(self) -> str:
        return str(self.args[0])


class Misfit(EngineError):
    """The provider does not take a request as it is: ours at all, or this one's text."""


_KEY = "; name the variable with the key in api_key_env, and look whether it may use this model"
_MODEL = "; is it the model's name as litellm knows it, and does the provider still offer it?"
_PAY = "; the account has no money or no quota left, so waiting does not help"

_FINAL: Mapping[str, str] = {
    "AuthenticationError": _KEY,
    "PermissionDeniedError": _KEY,
    "NotFoundError": _MODEL,
    "LiteLLMUnknownProvider": _MODEL,
    "PaymentRequiredError": _PAY,
    "UnsupportedParamsError": "; take it out of arguments",
}
_BUSY = ("RateLimitError", "ServiceUnavailableError")
_FAULTS = ("Timeout", "APITimeoutError", "APIConnectionError", "APIError", "APIStatusError")


def understood(error: Exception, text: str) -> EngineError | ContextError:
    """The error of ours for what a call of litellm raised.

    Args:
        error: what it raised.
        text: what it says, without keys.
    """
    said = quoted(text.removeprefix("litellm."), 400)
    for name in (kind.__name__ for kind in type(error).__mro__):
        if name == "ContextWindowExceededError":
            return ContextError(said)
        if name == "ContentPolicyViolationError":
            return DeclinedError(said)
        if name in _FINAL:
            return RefusedError(said + _FINAL[name])
        if name in ("BadRequestError", "UnprocessableEntityError"):
            return Misfit(said)
        if name in _BUSY:
            return _busy(error, text, said)
        if name in _FAULTS:
            return _by_status(getattr(error, "status_code", None), said)
    return TransportError(f"litellm failed: {type(error).__name__}: {said}")


def _by_status(status: object, said: str) -> EngineError:
    """Where litellm has no class of its own for what a provider says."""
    if status in (401, 402, 403):
        return RefusedError(said + (_PAY if status == 402 else _KEY))
    other = isinstance(status, int) and 400 <= status < 500 and status != 408
    return Misfit(said) if other else Fault(said)


def _busy(error: Exception, text: str, said: str) -> EngineError:
    if "insufficient_quota" in text or "exceeded your current quota" in text:
        return RefusedError(said + _PAY)
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    try:
        seconds = max(0.0, float(headers["retry-after"]))
    except (KeyError, TypeError, ValueError):  # no header, or a date
        return Fault(said, busy=True)
    return Fault(said, True, seconds)
