"""Bodies of calls, read as strictly as lines of a file."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.routing import APIRoute

from grm_plugin.errors import InputError
from grm_plugin.hosts.rows import parsed


class StrictRoute(APIRoute):
    """A route whose JSON names every key once, and holds numbers that JSON has."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler of the route, which gets the body read strictly."""
        handle = super().get_route_handler()

        async def handle_strictly(request: Request) -> Response:
            return await handle(_StrictRequest(request.scope, request.receive))

        return handle_strictly


class _StrictRequest(Request):
    async def json(self) -> Any:
        try:
            return parsed(await self.body())
        except InputError as error:
            raise HTTPException(422, f"body: {error}") from error
