"""Requests that are under way together, of which one may end all."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

T = TypeVar("T")


async def gathered(works: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """What each of ``works`` returns, in order; what one raises ends the others."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
