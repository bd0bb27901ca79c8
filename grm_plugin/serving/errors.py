"""What a caller of the reward server can be told, each with its HTTP status."""

from __future__ import annotations

from grm_plugin.errors import (
    ConfigError,
    GRMError,
    InputError,
    JudgeClosedError,
    JudgeDeadError,
    RecordError,
)


class Refused(GRMError):
    """A call is refused by what its head or the way its body comes says.

    Args:
        status: of HTTP.
        message: why.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status, message)
        self.status, self.message = status, message

    def __str__(self) -> str:
        return self.message


class Busy(GRMError):
    """429: there is no room now; the caller may ask again."""


class TooLarge(InputError):
    """413: more bytes, groups, responses or characters than the settings allow."""


class Conflict(InputError):
    """409: a call contradicts what earlier calls said about the same group."""


class Unavailable(GRMError):
    """503: the server starts, drains, has its memory full, or its judge is dead."""


_STATUS: dict[type[GRMError], int] = {
    ConfigError: 422,  # a size that the judge's settings do not allow
    Busy: 429,
    TooLarge: 413,
    Conflict: 409,
    InputError: 422,
    Unavailable: 503,
    JudgeDeadError: 503,
    JudgeClosedError: 503,
    RecordError: 503,
}


def status_of(error: GRMError) -> int:
    """The HTTP status that tells of ``error``; 500 when callers can do nothing about it."""
    if isinstance(error, Refused):
        return error.status
    return next((_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS), 500)
