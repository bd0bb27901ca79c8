"""Every call of a part goes through here: whatever a part does, it costs no more than its group.

A part is code of others. It may raise anything, also ``SystemExit``, which would end the event
loop; it may never return, and swallow the cancellation that a deadline sends. A part that blocks
the event loop itself is found by those who wait for it (``grm_plugin.running.loop``), which ask
:func:`blocker` for its name.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import FrameType
from typing import Any, TypeVar

from grm_plugin.errors import GRMError, PluginError

logger = logging.getLogger(__name__)
T = TypeVar("T")

GRACE_S = 1.0
"""How long a part that was cancelled may take to end."""


class PartTimeout(PluginError, TimeoutError):
    """A part did not return by its deadline."""


def run(part: str, function: Callable[..., T], *arguments: Any) -> T:
    """What ``function`` returns.

    Args:
        part: how messages call it, say ``voter 'mean'``.
        function: plain, and quick: the event loop waits for it.
        arguments: of the function.

    Raises:
        PluginError: it raised something that is no error of this package; names the part.
    """
    try:
        return function(*arguments)
    except GRMError:
        raise
    except (Exception, SystemExit, KeyboardInterrupt) as error:
        raise _failed(part, error) from error


async def call(
    part: str,
    function: Callable[..., Awaitable[T]],
    *arguments: Any,
    deadline: float = math.inf,
) -> T:
    """What ``await function(*arguments)`` gives.

    Args:
        part: how messages call it, say ``evidence source 'tests'``.
        function: a coroutine function.
        arguments: of the function.
        deadline: ``time.monotonic()`` by which it must return. One that does not is cancelled, and
            left to itself if that does not end it either.

    Raises:
        PartTimeout: the deadline passed.
        PluginError: it raised something that is no error of this package; names the part.
    """
    if deadline == math.inf:
        return await _contained(part, function, arguments)
    task = asyncio.ensure_future(_contained(part, function, arguments))
    try:
        await asyncio.wait({task}, timeout=max(0.0, deadline - time.monotonic()))
        if task.done():
            return task.result()
        raise PartTimeout(f"{part} did not return by the deadline")
    finally:
        await _end(part, task)


async def _contained(
    part: str, function: Callable[..., Awaitable[T]], arguments: tuple[Any, ...]
) -> T:
    try:
        return await function(*arguments)
    except GRMError:
        raise
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task and task.cancelling():  # by us, or by who called us
            raise
        raise _failed(part, error) from error
    except (Exception, SystemExit, KeyboardInterrupt) as error:
        raise _failed(part, error) from error


async def _end(part: str, task: asyncio.Future[Any]) -> None:
    if task.done():
        _forget(task)
        return
    task.cancel()
    await asyncio.wait({task}, timeout=GRACE_S)
    if not task.done():
        logger.error("%s ignores that it was cancelled; it is left to itself", part)
        task.add_done_callback(_forget)
    else:
        _forget(task)


def _forget(task: asyncio.Future[Any]) -> None:
    """Take note of how it ended, so that nobody complains that nobody did."""
    if not task.cancelled():
        task.exception()


def _failed(part: str, error: BaseException) -> PluginError:
    raised = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{Path(raised.filename).name}:{raised.lineno}"
    return PluginError(f"{part} failed: {error!r} ({place})")


_CALLS = {run.__code__, _contained.__code__}


def blocker(frame: FrameType | None) -> str:
    """Which part a thread is in, and where; its innermost ``frame`` says so.

    >>> import sys
    >>> blocker(sys._getframe())
    'something that is no part'
    """
    where = f" ({Path(frame.f_code.co_filename).name}:{frame.f_lineno})" if frame else ""
    while frame is not None:
        if frame.f_code in _CALLS:
            return f"{frame.f_locals['part']}{where}"
        frame = frame.f_back
    return "something that is no part"
