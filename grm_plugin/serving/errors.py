"""What a caller of the reward server can be told, each with its HTTP status."""

from __future__ import annotations

from grm_plugin.errors import ConfigError, GRMError, InputError, JudgeClosedError, JudgeDeadError


class Busy(GRMError):
    """429: there is no room now; the caller may ask again."""


class TooLarge(InputError):
    """413: more bytes, groups, responses or characters than the settings allow."""


class Conflict(InputError):
    """409: a call contradicts what earlier calls said about the same group."""


class Unavailable(GRMError):
    """503: the server starts, drains, or its judge is dead."""


STATUS: dict[type[GRMError], int] = {
    ConfigError: 422,  # a size that the judge's settings do not allow
    Busy: 429,
    TooLarge: 413,
    Conflict: 409,
    InputError: 422,
    Unavailable: 503,
    JudgeDeadError: 503,
    JudgeClosedError: 503,
}
