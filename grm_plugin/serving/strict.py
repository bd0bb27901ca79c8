"""Bodies of calls, read as strictly as lines of a file."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import HTTPException, Request, Response
from fastapi.routing import APIRoute

from grm_plugin.errors import InputError, placed, quoted
from grm_plugin.hosts.rows import parsed

# More than any of our objects has: a mistake of which one is told, not one for each key.
_MOST_KEYS = 64


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
            body = parsed(await self.body())
            _check_keys("body", body)
            for name, value in body.items() if isinstance(body, dict) else ():
                _check_keys(placed([name]), value)
        except InputError as error:
            raise HTTPException(422, f"body: {error}") from error
        return body


def _check_keys(place: str, value: Any) -> None:
    if isinstance(value, dict) and len(value) > _MOST_KEYS:
        raise HTTPException(
            422,
            f"{place}: expected at most {_MOST_KEYS} keys, got {len(value)}, the first "
            f"{quoted(next(iter(value)))}",
        )
