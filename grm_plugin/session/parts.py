"""The parts of a judge are started, closed and abandoned, each within its time."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from typing import Any

from grm_plugin.errors import EngineError, GRMError, PluginError
from grm_plugin.pipeline.scorer import Scorer, Startable
from grm_plugin.running import guarded
from grm_plugin.types import Group

logger = logging.getLogger(__name__)

Named = tuple[str, Startable]


async def start(name: str, part: Startable, limit_s: float) -> None:
    """Start one part.

    Raises:
        EngineError: it failed, or took too long.
    """
    limit_s = max(limit_s, getattr(part, "start_limit_s", 0.0))  # its own ends with better words
    try:
        await guarded.call(f"{name}: start", part.start, deadline=time.monotonic() + limit_s)
    except PluginError as error:
        raise EngineError(f"the judge can not be started: {error}") from error


async def ask(scorer: Scorer, what: str, question: Callable[..., Any], *arguments: Any) -> Any:
    """What the engine answers to a question that costs no tokens.

    Raises:
        EngineError: it fails, or does not answer in ``request_timeout_s``.
    """
    name = f"engine {scorer.config.engine.name!r}: {what}"
    until = time.monotonic() + scorer.config.request_timeout_s
    try:
        return await guarded.call(name, question, *arguments, deadline=until)
    except PluginError as error:
        raise EngineError(str(error)) from error


async def count_tokens(scorer: Scorer, group: Group) -> int | None:
    """Prompt tokens of ``group`` with all its responses; None when the engine can not tell.

    Raises:
        EngineError: as :func:`ask`.
    """
    messages = scorer.template.prepare(group).render(range(len(group.responses)))
    count = scorer.engine.count_tokens
    found: int | None = await ask(scorer, "count_tokens", count, messages)
    return found


async def close(parts: Iterable[Named], limit_s: float) -> list[Exception]:
    """Close all parts, the last one first; what failed. Each may take ``limit_s`` seconds."""
    failed: list[Exception] = []
    for name, part in reversed([*parts]):
        try:
            until = time.monotonic() + limit_s
            await guarded.call(f"{name}: close", part.close, deadline=until)
        except Exception as error:  # whatever it is, the others must still be closed
            failed.append(error)
    return failed


def abandon(parts: Iterable[Named]) -> None:
    """End what parts run outside of this process, by their optional ``abandon()``."""
    for name, part in parts:
        if end := getattr(part, "abandon", None):
            try:
                guarded.run(f"{name}: abandon", end)
            except GRMError as error:  # the others must still be abandoned
                logger.error("%s", error)
