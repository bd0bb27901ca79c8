"""What a caller is told when its call can not be served: one sentence as JSON, and a status."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from grm_plugin.errors import GRMError, placed, quoted
from grm_plugin.problems import wrong
from grm_plugin.serving.callers import CallerGone
from grm_plugin.serving.errors import status_of
from grm_plugin.serving.guard import known
from grm_plugin.serving.refusals import Refusals, headers_of

# How many mistakes of one call are told.
_TOLD = 3


def add_handlers(app: FastAPI, refusals: Refusals) -> None:
    """Answer errors of ``app`` so, and tell ``refusals`` of those that are the caller's."""

    def refusal(
        request: Request, status: int, why: str, headers: Mapping[str, str] | None = None
    ) -> Response:
        refusals.tell(known(request.url.path), status, why, request.state.caller)
        more = {**headers_of(status), **(headers or {})}
        return JSONResponse({"error": why}, status, headers=more)

    @app.exception_handler(GRMError)
    async def refuse(request: Request, error: GRMError) -> Response:
        status = status_of(error)
        if status != 500:
            return refusal(request, status, str(error))
        raise error

    @app.exception_handler(RequestValidationError)
    async def misread(request: Request, error: RequestValidationError) -> Response:
        return refusal(request, 422, _sentences(error.errors()))

    @app.exception_handler(HTTPException)
    async def fail(request: Request, error: HTTPException) -> Response:
        return refusal(request, error.status_code, str(error.detail), error.headers)

    @app.exception_handler(CallerGone)
    async def nobody(request: Request, error: CallerGone) -> Response:
        return Response(status_code=499)


def _sentences(problems: Sequence[dict[str, Any]]) -> str:
    told = "; ".join(map(_sentence, problems[:_TOLD]))
    more = len(problems) - _TOLD
    return f"{told}; and {more} more" if more > 0 else told


def _sentence(problem: dict[str, Any]) -> str:
    place = placed(part for part in problem["loc"] if part != "body") or "body"
    told = wrong(problem, quoted)
    return f"{place}: {told[:1].lower()}{told[1:]}"
