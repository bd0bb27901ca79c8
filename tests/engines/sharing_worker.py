"""A training process with a shared judge: tells what it found, then samples for every line."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from grm_plugin.engine import Limits
from grm_plugin.engines.server import ServerEngine
from grm_plugin.errors import GRMError
from grm_plugin.remote.launching import sharing
from tests.engines.requests_to_judge import request_for


def tell(**found: Any) -> None:
    print(json.dumps(found), flush=True)


async def main() -> None:
    engine = ServerEngine({"serve": json.loads(sys.argv[1])}, Limits(tries=1))
    try:
        await engine.start()
    except GRMError as error:
        tell(error=str(error))
        return
    connection = engine._connection
    process: Any = connection._process
    tell(url=str(connection._replicas[0]), pid=process.pid)
    while await asyncio.to_thread(sys.stdin.readline):
        try:
            await engine.sample(request_for())
            tell(error="")
        except GRMError as error:
            tell(error=str(error))


sharing._SILENCE_S = float(os.environ.get("SILENCE_S", sharing._SILENCE_S))
Path(os.environ["STAND_IN_FOLDER"], f"began-{os.getpid()}").touch()
asyncio.run(main())
