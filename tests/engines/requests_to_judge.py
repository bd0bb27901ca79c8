"""Requests as the scorer makes them, in one line, and a way to wait for their effect."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from grm_plugin.engine import SampleRequest, Sampling
from grm_plugin.types import Message


def request_for(
    text: str = "ba be bi", *, n: int = 1, seed: int = 7, group: str = "", **sampling: object
) -> SampleRequest:
    chosen = Sampling(**{"temperature": 1.0, "max_tokens": 24, **sampling})  # type: ignore[arg-type]
    return SampleRequest((Message("user", text),), n, seed, chosen, group)


async def until(true: Callable[[], bool]) -> None:
    """Return as soon as ``true()``; what it looks at may change in another thread or process."""
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.002)
