"""What a caller is told when its call can not be served: one sentence as JSON, and a status."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from grm_plugin.errors import GRMError, placed, quoted
from grm_plugin.serving.callers import CallerGone
from grm_plugin.serving.errors import STATUS
from grm_plugin.serving.middleware import RETRY_AFTER_S, known
from grm_plugin.serving.refusals import Refusals

logger = logging.getLogger(__name__)


def add_handlers(app: FastAPI, refusals: Refusals) -> None:
    """Answer errors of ``app`` so, and tell ``refusals`` of those that are the caller's."""

    def refusal(
        request: Request, status: int, why: str, headers: Mapping[str, str] | None = None
    ) -> Response:
        refusals.tell(known(request.url.path), status, why)
        retry = {"Retry-After": str(RETRY_AFTER_S)} if status in (429, 503) else {}
        return JSONResponse({"error": why}, status, headers={**retry, **(headers or {})})

    @app.exception_handler(GRMError)
    async def refuse(request: Request, error: GRMError) -> Response:
        status = next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), None)
        if status is None:
            logger.error("%s: %s", request.url.path, error, exc_info=error)
            return JSONResponse({"error": str(error)}, 500)
        return refusal(request, status, str(error))

    @app.exception_handler(RequestValidationError)
    async def misread(request: Request, error: RequestValidationError) -> Response:
        return refusal(request, 422, "; ".join(map(_sentence, error.errors())))

    @app.exception_handler(HTTPException)
    async def fail(request: Request, error: HTTPException) -> Response:
        return refusal(request, error.status_code, str(error.detail), error.headers)

    @app.exception_handler(CallerGone)
    async def nobody(request: Request, error: CallerGone) -> Response:
        return Response(status_code=499)


def _sentence(problem: dict[str, Any]) -> str:
    place = placed(part for part in problem["loc"] if part != "body") or "body"
    message = str(problem["msg"]).removeprefix("Value error, ")
    return f"{place}: {message[:1].lower()}{message[1:]}, got {quoted(problem['input'])}"
