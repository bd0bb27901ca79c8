"""The judge as a Ray Serve application: as many replicas as wanted, on one node or many.

Calls over HTTP still end in one process, since the responses of a group must meet in one place.
That process reads and answers; what costs, the judging, is in the replicas, which get whole groups.
Ray Serve places them, starts dead ones again and sends each group to one that has room.

Dead judges are counted twice: a replica whose judge is dead is replaced, and when no replica has a
reward for any group, the judge of all of them is dead, and the server serves nobody any more.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from typing import Any

import stamina
from ray import serve
from ray.exceptions import RayActorError, RayError, RayTaskError
from ray.serve.exceptions import RayServeException
from ray.serve.handle import DeploymentHandle
from ray.serve.schema import ApplicationStatus, ApplicationStatusOverview

from grm_plugin.config import GRMConfig
from grm_plugin.errors import EngineError
from grm_plugin.grm import GRM
from grm_plugin.running.breaker import Breaker, Judged
from grm_plugin.running.recorder import Recorder
from grm_plugin.serving.joining import apart, join_cluster, not_deployed
from grm_plugin.serving.replica import Replica
from grm_plugin.serving.settings import ServingSettings
from grm_plugin.size import Size
from grm_plugin.types import Cost, Group, Verdict

logger = logging.getLogger(__name__)
_DEPLOYMENT = "judge"
_CHECK_S = 10.0
_POLL_S = 0.2
# A replica is ended when its last group has been judged: it only has to close its judge.
_CLOSE_S = 20.0


class RayJudge:
    """A :class:`grm_plugin.serving.judging.Judge` on a Ray cluster.

    It joins the cluster that ``RAY_ADDRESS`` names, else one that runs on this machine, else it
    starts one for as long as this thread lives, which is best the main one.

    Args:
        config: of every replica; the record is written here, where all verdicts come by.
        replicas: how many.
        rules: processors and GPUs of each, and how long they may take to start.

    Raises:
        ConfigError, TemplateError: as :class:`GRM`; nothing has started then.
        EngineError: there is no cluster at that address.
    """

    def __init__(self, config: GRMConfig, replicas: int, rules: ServingSettings) -> None:
        config = GRM(config).config
        if config.budget:
            config = config.but(budget=config.budget.share(replicas))
        self.k, self.marks = config.k, config.thinking.marks
        self.groups_at_a_time = replicas * config.max_concurrent_groups
        self._config, self._replicas, self._rules = config, replicas, rules
        self._name = f"grm-{uuid.uuid4().hex[:8]}"
        self._handle: DeploymentHandle[Any] | None = None
        self._recorder: Recorder | None = None
        self._deployed = False
        self._breaker = Breaker(config.dead_groups, config.dead_after_s)
        join_cluster()

    async def start(self) -> None:
        """Deploy, and return when every replica has started its judge.

        Raises:
            EngineError: a replica can not be started, or not all have within ``deploy_s``.
        """
        if self._config.record:
            self._recorder = Recorder(self._config.record, self._config.durability)
        limit_s = self._rules.deploy_s
        try:
            async with asyncio.timeout(limit_s + _CHECK_S):
                await apart(self._deploy)
        except TimeoutError:
            raise not_deployed(f"the cluster does not answer within {limit_s:g} s") from None

    def _deploy(self) -> None:
        deadline = time.monotonic() + self._rules.deploy_s
        try:
            serve.start(http_options={"location": "NoServer"})
            self._deployed = True  # as good as: from here on there is something to delete
            target = serve.RunTarget(self._application(), self._name, route_prefix=None)
            (self._handle,) = serve.run_many([target], wait_for_applications_running=False)
            self._wait_until_running(deadline)
        except EngineError:
            raise
        except Exception as error:  # Ray has no end of them, and a slow machine shows them all
            raise not_deployed(str(error) or type(error).__name__) from error

    def _wait_until_running(self, deadline: float) -> None:
        while not _running(found := serve.status().applications.get(self._name)):
            if found and found.status is ApplicationStatus.DEPLOY_FAILED:
                raise not_deployed(_last_words(found))
            if time.monotonic() > deadline:
                raise not_deployed(
                    f"expected {self._replicas} running replicas within "
                    f"{self._rules.deploy_s:g} s; see what `ray status` says is missing, or raise "
                    "deploy_s"
                )
            time.sleep(_POLL_S)

    def _application(self) -> serve.Application:
        rules = self._rules
        deployment = serve.deployment(
            Replica,
            name=_DEPLOYMENT,
            num_replicas=self._replicas,
            max_ongoing_requests=self._config.max_concurrent_groups,
            max_constructor_retry_count=1,  # the engine has tried; tell what is wrong
            ray_actor_options={
                "num_cpus": rules.cpus_per_replica,
                "num_gpus": rules.gpus_per_replica,
            },
            graceful_shutdown_timeout_s=_CLOSE_S,
        )
        return deployment.bind(self._config.but(record=None))

    async def score(self, group: Group, size: Size | None) -> Verdict:
        """The verdict of one group, by another replica when the first one dies over it.

        Raises:
            JudgeDeadError: no replica had a reward for any group, for long enough.
            RecordError: it can not be recorded.
        """
        verdict = await self._verdict(group, size)
        if self._recorder:
            self._recorder.write(verdict)
        if not verdict.unscored.startswith("refused: "):  # which says nothing about the judge
            self._breaker.count(Judged(verdict, time.monotonic()))
        return verdict

    async def _verdict(self, group: Group, size: Size | None) -> Verdict:
        began = time.monotonic()
        try:
            verdict: Verdict = await self._call("score", group, size)
        except EngineError as error:
            cost = Cost(seconds=time.monotonic() - began)
            return Verdict(group, None, unscored=f"the judge is not there: {error}", cost=cost)
        return verdict

    async def check(self) -> None:
        """Ask some replica whether its judge gives a sign of life."""
        try:
            async with asyncio.timeout(_CHECK_S):
                await self._call("check")
        except TimeoutError:
            raise EngineError(f"no replica of the judge answers within {_CHECK_S:g} s") from None

    async def _call(self, method: str, *arguments: Any) -> Any:
        if self._handle is None:
            raise EngineError("the judge is not deployed")
        try:
            async for attempt in stamina.retry_context(RayActorError, attempts=self._config.tries):
                with attempt:
                    response = getattr(self._handle, method).remote(*arguments)
                    try:
                        return await response
                    except asyncio.CancelledError:
                        response.cancel()
                        raise
        except RayTaskError as error:
            raise error.cause from None
        except (RayError, RayServeException) as error:
            raise EngineError(f"no replica of the judge could answer: {error}") from error
        raise AssertionError("a retry context ends with an answer or an error")

    async def close(self) -> None:
        """Delete the application; Ray leaves the cluster, or ends its own, with this process."""
        try:
            async with asyncio.timeout(_CLOSE_S + _CHECK_S):
                await apart(self._delete)
        except TimeoutError:
            logger.warning("Ray Serve application %s: no answer that it is deleted", self._name)
        if self._recorder:
            self._recorder.close()

    def _delete(self) -> None:
        if self._deployed:
            serve.delete(self._name)


def _running(found: ApplicationStatusOverview | None) -> bool:
    """Whether the application runs; None: the controller has not heard of it yet."""
    return found is not None and found.status is ApplicationStatus.RUNNING


def _last_words(found: ApplicationStatusOverview) -> str:
    """What ended a replica that was starting: the last line of its traceback."""
    said = found.deployments[_DEPLOYMENT].message if found.deployments else found.message
    last: str = said.rstrip().rpartition("\n")[2]
    return last.partition("Error: ")[2] or last
