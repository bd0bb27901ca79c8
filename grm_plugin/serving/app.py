"""The FastAPI application of the reward server."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, Field

from grm_plugin import __version__
from grm_plugin.hosts.messages import Reader
from grm_plugin.serving.admission import Admission
from grm_plugin.serving.callers import Caller, while_there
from grm_plugin.serving.guard import Guard
from grm_plugin.serving.handlers import add_handlers
from grm_plugin.serving.judging import Judge, Judging, Probe
from grm_plugin.serving.lifecycle import Lifecycle, Status
from grm_plugin.serving.limits import check_arrivals, check_groups, check_texts
from grm_plugin.serving.metrics import Metrics
from grm_plugin.serving.protocols import groups as own
from grm_plugin.serving.protocols import openrlhf
from grm_plugin.serving.protocols.groups import ScoreAnswer, ScoreCall
from grm_plugin.serving.protocols.openrlhf import RewardAnswer, RewardCall
from grm_plugin.serving.refusals import Refusals
from grm_plugin.serving.scoring import ResponseScorer
from grm_plugin.serving.settings import ServingSettings
from grm_plugin.serving.strict import StrictRoute
from grm_plugin.serving.tokens import Tokens
from grm_plugin.size import Size
from grm_plugin.types import Group, Verdict


class Health(BaseModel):
    """Answer of ``/health``; its HTTP status is 200 when ``status`` is ``ready``, else 503."""

    status: str = Field(description="starting, ready, unreachable (the judge), draining or dead")
    reason: str = Field(description="empty when ready")


class Problem(BaseModel):
    """Answer to a call that is refused."""

    error: str


@dataclass(frozen=True)
class Service:
    """The parts of one server; ``app.state.service``. ``started`` tells that the start is over."""

    settings: ServingSettings
    judge: Judge
    reader: Reader
    metrics: Metrics
    lifecycle: Lifecycle
    admission: Admission
    judging: Judging
    probe: Probe
    scorer: ResponseScorer
    refusals: Refusals = field(default_factory=Refusals)
    started: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    def of(cls, judge: Judge, settings: ServingSettings) -> Service:
        """The parts, put together; nothing has started."""
        metrics, lifecycle, admission = Metrics(), Lifecycle(), Admission.of(settings)
        judging = Judging(judge, metrics, lifecycle)
        metrics.k.set(judge.k)
        metrics.held_bytes.set_function(lambda: admission.held_bytes.taken)
        return cls(
            settings=settings,
            judge=judge,
            reader=Reader(settings.thinking, settings.unseen, judge.marks),
            metrics=metrics,
            lifecycle=lifecycle,
            admission=admission,
            judging=judging,
            probe=Probe(judge),
            scorer=ResponseScorer(judging, admission, settings, metrics),
        )

    async def start(self) -> None:
        """Start the judge; calls are refused until it has started."""
        try:
            await self.judge.start()
        except Exception as error:  # whatever it is, no call can be served
            self.lifecycle.die(error)
        else:
            self.lifecycle.ready()
        self.started.set()

    async def drain(self) -> None:
        """Take no new calls; return when those in flight are answered or ``drain_s`` is over."""
        self.lifecycle.drain()
        self.scorer.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.settings.drain_s):
                await self.admission.calls.emptied()

    async def score(self, groups: list[Group], caller: Caller, size: Size | None) -> list[Verdict]:
        """Verdicts of whole groups, judged together, in their order."""
        with self.admission.groups.lease(caller.name, len(groups)):
            tasks = [asyncio.create_task(self.judging.judge(one, caller, size)) for one in groups]
            try:
                return await asyncio.gather(*tasks)
            finally:
                for task in tasks:  # the caller has gone, or the judge is dead: spend no more
                    task.cancel()

    async def health(self) -> Health:
        """How the server and its judge are."""
        if self.lifecycle.status is not Status.READY:
            return Health(status=self.lifecycle.status, reason=self.lifecycle.reason)
        if trouble := await self.probe.trouble():
            return Health(status="unreachable", reason=trouble)
        return Health(status=Status.READY, reason="")


def create_app(
    judge: Judge, settings: ServingSettings | None = None, tokens: Tokens | None = None
) -> FastAPI:
    """The reward server as an ASGI application; ``app.state.service`` has its parts.

    Args:
        judge: where groups are judged; started and closed with the application.
        settings: limits and rules; None: the defaults.
        tokens: what callers must send as a bearer token; None or none in it: nothing.
    """
    service = Service.of(judge, settings or ServingSettings())

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        starting = asyncio.create_task(service.start())
        try:
            yield
        finally:
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
            await judge.close()

    app = FastAPI(title="grm-plugin reward server", version=__version__, lifespan=lifespan)
    app.state.service = service
    app.router.route_class = StrictRoute
    app.add_middleware(
        Guard,
        settings=service.settings,
        tokens=tokens or Tokens(),
        lifecycle=service.lifecycle,
        admission=service.admission,
        metrics=service.metrics,
        refusals=service.refusals,
    )
    add_handlers(app, service.refusals)
    _add_scoring(app, service)
    _add_looking(app, service)
    return app


def _add_scoring(app: FastAPI, service: Service) -> None:
    """What callers send responses to."""
    problems: dict[int | str, dict[str, Any]] = {
        status: {"model": Problem} for status in (400, 401, 408, 409, 413, 415, 421, 422, 429, 503)
    }

    @app.post("/get_reward", responses=problems, response_model_exclude_none=True)
    async def get_reward(call: RewardCall, request: Request) -> RewardAnswer:
        """Rewards of single responses, in OpenRLHF's protocol; see the how-to page."""
        check_texts(service.settings, call)
        caller = request.state.caller
        arrivals = openrlhf.arrivals(call, caller, service.settings, service.reader)
        check_arrivals(service.settings, arrivals, service.judge.k)
        groups = {one.group for one in arrivals}
        service.admission.groups.check_fits(len(groups), caller.name)
        found = await while_there(request, service.scorer.answers(arrivals))
        return RewardAnswer.of(found, logs=service.settings.extra_logs)

    @app.post(
        "/v1/score",
        response_class=Response,
        responses={**problems, 200: {"model": ScoreAnswer, "description": "the verdicts"}},
    )
    async def score(call: ScoreCall, request: Request) -> Response:
        """Whole groups in, whole verdicts out."""
        groups = own.groups_of(call, service.reader)
        check_groups(service.settings, call, groups, service.judge.k)
        scoring = service.score(groups, request.state.caller, call.size)
        verdicts = await while_there(request, scoring)
        return Response(own.answer(verdicts), media_type="application/json")


def _add_looking(app: FastAPI, service: Service) -> None:
    """What tells how the server is."""

    @app.get("/health", responses={503: {"model": Health}})
    async def health(response: Response) -> Health:
        """Whether calls are served, and if not, why."""
        found = await service.health()
        response.status_code = 200 if found.status == Status.READY else 503
        return found

    @app.get("/metrics", response_class=Response)
    async def metrics() -> Response:
        """Counters in Prometheus' text format."""
        return Response(service.metrics.text(), media_type=CONTENT_TYPE_LATEST)
