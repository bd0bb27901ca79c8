"""One look at the judge's address before Ray starts: is anybody there, and the right one?"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from grm_plugin import GRM
from grm_plugin.engine import Limits
from grm_plugin.errors import EngineError, RefusedError

_LIMIT_S = 10.0


def look(judge: GRM, limit_s: float = _LIMIT_S) -> str:
    """What the servers of ``judge`` say now; empty where it has no address to ask.

    One that is still loading, or that only the nodes of the rollouts can reach, is no error: it is
    asked again with the first group.

    Args:
        judge: not started; it is left so.
        limit_s: seconds it may take.

    Raises:
        RefusedError: a server refuses the key or has no such model.
    """
    engine = judge.config.engine
    if engine.name != "server":
        return ""
    limits = replace(Limits(), tries=1, request_timeout_s=limit_s)
    made = judge.plugins.make("engine", engine.name, engine.options, limits)
    try:
        asyncio.run(asyncio.wait_for(_started(made), limit_s))
    except RefusedError:
        raise
    except TimeoutError:
        return f"has not answered within {limit_s:g} s; it is asked again with the first group"
    except EngineError as error:
        return f"does not answer yet, and is asked again with the first group: {error}"
    return f"answers, model {made.model!r}"


async def _started(engine: object) -> None:
    try:
        await engine.start()  # type: ignore[attr-defined]
    finally:
        await engine.close()  # type: ignore[attr-defined]
