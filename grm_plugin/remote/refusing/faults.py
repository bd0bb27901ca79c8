"""What may go wrong on the way to a judge server that another time may not go wrong."""

from __future__ import annotations

from grm_plugin.errors import TransportError


class Fault(TransportError):
    """A server that is there failed; a few other tries may not.

    Args:
        message: what happened.
    """


class Wait(Fault):
    """No server takes requests now; waiting helps, and costs no try.

    Args:
        message: what happened.
        after_s: seconds the server asked for, if it did.
    """

    def __init__(self, message: str, after_s: float | None = None) -> None:
        super().__init__(message, after_s)
        self.after_s = after_s

    def __str__(self) -> str:
        return str(self.args[0])


class Busy(Wait):
    """The server lives, and has too much to do."""


class Loading(Wait):
    """The server is there, and its model is not."""


class Away(Wait):
    """The server is not there."""


class Nowhere(Away):
    """Its name is not known. A judge that has answered may be waited for, a new one not."""


class NoProxy(Away):
    """The proxy on the way to it is not there, or does not get through to it."""
