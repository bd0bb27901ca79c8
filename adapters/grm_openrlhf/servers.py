"""Judge servers of one training run: each in a Ray actor with GPUs of its own.

Ray places the actors, starts one again whose process died, and ends them with the run, however
that ends; the server below an actor ends with it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import ray
from ray.util import get_node_ip_address
from ray.util.placement_group import PlacementGroup, placement_group, remove_placement_group
from ray.util.scheduling_strategies import PlacementGroupSchedulingStrategy

from grm_openrlhf.keeping import KeptServer
from grm_openrlhf.options import Placement
from grm_plugin.errors import EngineError
from grm_plugin.remote.launching.launch import ServeOptions, ServerProcess
from grm_plugin.remote.launching.ports import free_port
from grm_plugin.remote.secret import Secret

logger = logging.getLogger(__name__)

OWNER = "judge server"
_STOP_S = 60.0
_LIFE_S = 15.0  # for an answer of an actor, which asks its server for 10 s at most


class Keepers:
    """The actors that keep the servers of a Ray job running, for another async actor of the job.

    Args:
        replicas: how many there are.
    """

    def __init__(self, replicas: int) -> None:
        self._actors = [ray.get_actor(name) for name in map(_name, range(replicas))]

    async def urls(self, timeout_s: float) -> tuple[str, ...]:
        """Where the servers are.

        Raises:
            EngineError: one of them has not told within ``timeout_s``.
        """
        found: list[str] = []
        try:
            async with asyncio.timeout(timeout_s):
                for actor in self._actors:
                    found.append(await actor.url.remote())
        except TimeoutError:
            raise EngineError(
                f"{OWNER}: the Ray actor {_name(len(found))!r} has not told the address of its "
                f"server within {timeout_s:g} s; see its log, or raise group_timeout_s if it needs "
                "longer"
            ) from None
        return tuple(found)

    async def lives(self) -> tuple[str, ...]:
        """A name for every server as it is healthy now, empty for one that is not.

        A server that was started again has another name than before.
        """
        return tuple(await asyncio.gather(*map(_life, self._actors)))


async def _life(actor: Any) -> str:
    try:
        async with asyncio.timeout(_LIFE_S):
            life: str = await actor.life.remote()
    except (ray.exceptions.RayError, TimeoutError):  # Ray starts the actor again; it is blocked
        return ""
    return life


def _name(number: int) -> str:
    return f"grm-judge-{number}"


@contextmanager
def running(
    serve: ServeOptions, placement: Placement, api_key_env: str | None
) -> Iterator[tuple[str, ...]]:
    """Servers that are healthy inside the context and gone after it; gives their addresses.

    Args:
        serve: one server.
        placement: how many of them, and their GPUs.
        api_key_env: the environment variable that holds their key, if they ask for one.

    Raises:
        EngineError: the cluster has no room for them, or one of them does not start.
    """
    each = {"CPU": 1, "GPU": placement.gpus} if placement.gpus else {"CPU": 1}
    group = placement_group([each] * placement.replicas, strategy="SPREAD")
    actors: list[Any] = []
    try:
        _wait_for_room(group, placement, serve.start_timeout_s)
        actors = [
            _start(group, number, serve, placement.gpus, api_key_env)
            for number in range(placement.replicas)
        ]
        yield tuple(_started(actors))
    finally:
        _stop(actors)
        remove_placement_group(group)


def _wait_for_room(group: PlacementGroup, placement: Placement, timeout_s: float) -> None:
    free = ray.available_resources()
    wanted = placement.replicas * placement.gpus
    if wanted > free.get("GPU", 0):
        logger.warning(
            "the judge waits for %d GPUs; %g are free in the cluster", wanted, free.get("GPU", 0)
        )
    if not group.wait(timeout_s):
        raise EngineError(
            f"{OWNER}: no room in the Ray cluster within {timeout_s:g} s for {placement.replicas} "
            f"replicas with {placement.gpus} GPUs each, {free.get('GPU', 0):g} GPUs and "
            f"{free.get('CPU', 0):g} CPUs were free; lower adapters.openrlhf.judge, add nodes, or "
            "name running servers with engine.urls"
        )


def _start(
    group: PlacementGroup,
    number: int,
    serve: ServeOptions,
    gpus: int,
    api_key_env: str | None,
) -> Any:
    where = PlacementGroupSchedulingStrategy(group, placement_group_bundle_index=number)
    # known before the actor is, so that one that Ray starts again listens where it did before
    port = serve.port or ray.get(
        ray.remote(_port_here).options(num_cpus=0, scheduling_strategy=where).remote()
    )
    actor = ray.remote(JudgeServer).options(
        name=_name(number),
        num_cpus=1,
        num_gpus=gpus,
        max_restarts=-1,
        scheduling_strategy=where,
    )
    log = Path(f"{serve.log}.{number}") if serve.log else None
    return actor.remote(serve.model_copy(update={"port": port, "log": log}), api_key_env)


def _port_here() -> int:
    return free_port(get_node_ip_address())


def _started(actors: Sequence[Any]) -> list[str]:
    try:
        return list(ray.get([actor.url.remote() for actor in actors]))
    except ray.exceptions.RayTaskError as error:
        raise EngineError(str(error.cause)) from None
    except ray.exceptions.RayActorError as error:
        raise EngineError(f"{OWNER}: its Ray actor can not run: {error}") from None


def _stop(actors: Sequence[Any]) -> None:
    with suppress(ray.exceptions.RayError):  # one that is dead has stopped
        ray.get([actor.stop.remote() for actor in actors], timeout=_STOP_S)
    for actor in actors:
        ray.kill(actor)


class JudgeServer:
    """A Ray actor with one server, which it starts at once and keeps running.

    Args:
        serve: the server, with its port.
        api_key_env: the environment variable that holds its key, if it asks for one.
    """

    # Ray awaits it, also when it starts the actor again
    async def __init__(self, serve: ServeOptions, api_key_env: str | None) -> None:  # type: ignore[misc]
        logging.basicConfig(level=logging.INFO)
        gpus = tuple(ray.get_gpu_ids())
        process = ServerProcess(
            serve.model_copy(update={"gpus": gpus} if gpus else {}),
            Secret.from_environment(api_key_env, OWNER),
            OWNER,
            host=get_node_ip_address(),
        )
        self._server = KeptServer(process)
        # the server of an actor that Ray starts again may still be leaving its port
        again = ray.get_runtime_context().was_current_actor_reconstructed
        again_s = serve.start_timeout_s
        start = self._server.restart(again_s) if again else self._server.start()
        self._starting = asyncio.create_task(start)

    async def url(self) -> str:
        """Its address, once it was healthy for the first time.

        Raises:
            EngineError: it did not start.
        """
        return await asyncio.shield(self._starting)

    async def life(self) -> str:
        """See :meth:`grm_openrlhf.keeping.KeptServer.life`."""
        return await self._server.life()

    async def stop(self) -> None:
        """End the server and its children."""
        self._starting.cancel()
        await self._server.stop()
