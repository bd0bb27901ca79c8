"""One look at the judge's address before Ray starts: is anybody there, and the right one?"""

from __future__ import annotations

import asyncio
from dataclasses import replace

from grm_plugin import GRM
from grm_plugin.engine import Engine, Limits
from grm_plugin.errors import RequestTimeout, TransportError
from grm_plugin.remote.starting import NotServing

LIMIT_S = 10.0
"""Most seconds that it takes."""


def look(judge: GRM) -> str:
    """What the servers of ``judge`` say now; empty where it has no address to ask.

    One that is still loading, or that only the nodes of the rollouts can reach, is no error: it is
    asked again with the first group.

    Args:
        judge: not started; it is left so.

    Raises:
        EngineError: it can not judge this run, whenever it is asked: it refuses the key, has no
            such model, or is no judge at all.
    """
    engine = judge.config.engine
    if engine.name != "server":
        return ""
    limits = replace(Limits(), tries=1, request_timeout_s=LIMIT_S)
    now = {**engine.options, "start_timeout_s": 0}
    made = judge.plugins.make("engine", engine.name, now, limits)
    try:
        asyncio.run(asyncio.wait_for(_started(made), LIMIT_S))
    except TimeoutError:
        return f"no answer within {LIMIT_S:g} s; it is asked again with the first group"
    except (NotServing, RequestTimeout, TransportError) as error:
        return f"no answer yet, it is asked again with the first group: {error}"
    return f"answers, model {made.model!r}"


async def _started(engine: Engine) -> None:
    try:
        await engine.start()
    finally:
        await engine.close()
