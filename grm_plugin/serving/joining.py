"""How a process joins a Ray cluster, and waits for one that may not answer."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

import ray

from grm_plugin.errors import EngineError, on_one_line

logger = logging.getLogger(__name__)
# How often Ray is started.
_TRIES = 3
# How long an address may take to be connected to.
_CONNECT_S = 10.0


def join_cluster() -> None:
    """Once for a process, and not in a passing thread: the kernel ends a cluster with its thread.

    Ray also takes signals here, which the server takes back when it begins to listen.
    """
    # they tell how a deployment goes on; how it ends is told here
    logging.getLogger("ray.serve").setLevel(logging.ERROR)
    if ray.is_initialized():
        return
    try:
        _check_address(os.environ.get("RAY_ADDRESS", ""))
        _init(_TRIES)
    except Exception as error:  # Ray has no end of them
        raise not_deployed(str(error) or type(error).__name__) from error


def _init(tries: int) -> None:
    """Start Ray; on a machine with much to do its node may need more than the 30 s it is given."""
    before = _children()
    try:
        # a cluster that is started here needs no dashboard: a dozen processes less
        ray.init(logging_level=logging.ERROR, log_to_driver=False, include_dashboard=False)
    except Exception as error:
        if type(error) is not Exception or tries == 1:  # only the start of a node raises that
            raise
        logger.warning("Ray did not start and is started again: %s", on_one_line(str(error)))
        for process in _children() - before:  # what it leaves would be in the way
            with contextlib.suppress(OSError):
                os.kill(process, signal.SIGKILL)
        _init(tries - 1)


def _children() -> set[int]:
    """Processes of Ray that this one has started, where the system tells."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parent = stat.read_text().rpartition(")")[2].split()[1]
            if parent == str(os.getpid()) and b"ray" in (stat.parent / "cmdline").read_bytes():
                found.add(int(stat.parent.name))
    return found


def _check_address(address: str) -> None:
    """Refuse an address at which nobody listens: Ray would try it for a quarter of an hour."""
    host, _, port = address.rpartition("/")[2].rpartition(":")
    if not port.isdigit():  # "auto", "local", or none
        return
    try:
        socket.create_connection((host, int(port)), timeout=_CONNECT_S).close()
    except OSError as error:
        raise ConnectionError(
            f"RAY_ADDRESS is {address} and no cluster answers there "
            f"({error.strerror or error}); start one with `ray start --head`, or leave it out for "
            "one on this machine"
        ) from error


def not_deployed(reason: str) -> EngineError:
    """The error for a judge that Ray can not run."""
    return EngineError(f"the judge can not be deployed on Ray: {' '.join(reason.split())}")


async def apart(work: Callable[[], None]) -> None:
    """Run ``work`` in a thread that nobody waits for at the end: on a dead cluster it may hang."""
    future: Future[None] = Future()
    future.set_running_or_notify_cancel()

    def run() -> None:
        try:
            work()
        except Exception as error:
            future.set_exception(error)
        else:
            future.set_result(None)

    threading.Thread(target=run, name="ray-serve", daemon=True).start()
    await asyncio.wrap_future(future)
