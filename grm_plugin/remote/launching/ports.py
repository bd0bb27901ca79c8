"""Addresses of this machine that a server can listen on."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from grm_plugin.errors import EngineError

LOOPBACK = "127.0.0.1"


def free_port(host: str = LOOPBACK) -> int:
    """A port of this machine that nobody listens on now."""
    with _listening(host, 0) as port:
        return port


def check_free(host: str, port: int, owner: str) -> None:
    """Refuse a port that somebody listens on.

    Raises:
        EngineError: says which one, and what to do.
    """
    try:
        with _listening(host, port):
            return
    except OSError as error:
        raise EngineError(
            f"{owner}: serve: port {port} can not be used ({error.strerror}); choose another port, "
            f"or use what runs there with url: http://{host}:{port}"
        ) from None


@contextmanager
def _listening(host: str, port: int) -> Iterator[int]:
    with socket.socket() as listener:
        # a port whose last owner just left is free for a server
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        yield listener.getsockname()[1]
