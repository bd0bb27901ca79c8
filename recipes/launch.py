"""Start the judge's servers, train with ``trl grpo``, stop everything: also on failure and Ctrl-C.

``python recipes/launch.py recipes/Qwen3-8B/grpo/config_8gpu.yaml --train-gpus 0,1,2,3,4,5
--judge-gpus 6 --meta-gpus 7``

With ``--refresh-base out/scalar --refresh-gpus 7`` the judge's scalar RM is refreshed beside the
training, from what the judge records.

What is served is read from the judge settings that the recipe names in ``env: {GRM_CONFIG: ...}``:
model and port of the judge, and of its meta RM and its scalar RM where there are any. The exit code
is the training's; 2 where that succeeded and the refresh ended with an error before it did.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

import typer
import yaml

from grm_plugin import GRMConfig
from grm_plugin.config import ENV
from grm_plugin.errors import ConfigError, GRMError
from grm_plugin.hosts.models import model_at
from grm_plugin.remote.launching.gpus import visible
from grm_plugin.remote.launching.launch import ServeOptions, ServerProcess
from grm_plugin.remote.launching.process import GuardedProcess, program
from grm_plugin.remote.secret import Secret
from grm_plugin.spct.refresh_process import RefreshProcess

POOLING = ("--runner", "pooling", "--convert", "classify")
INTERRUPTED = 128 + signal.SIGINT
_GRACE_S = 20.0


def main(
    recipe: Path,
    trl_arguments: Annotated[list[str], typer.Argument(help="more for trl, after --")] = [],  # noqa: B006
    train_gpus: Annotated[str, typer.Option(help="such as 0,1,2,3; empty: all")] = "",
    judge_gpus: Annotated[str, typer.Option(help="empty: the judge runs elsewhere")] = "",
    judge_options: Annotated[str, typer.Option(help="more for the judge's server")] = "",
    meta_gpus: Annotated[str, typer.Option(help="empty: the meta RM runs elsewhere")] = "",
    meta_options: Annotated[str, typer.Option(help="more for the meta RM's server")] = "",
    scalar_gpus: Annotated[str, typer.Option(help="empty: no scalar RM, or elsewhere")] = "",
    scalar_options: Annotated[str, typer.Option(help="more for the scalar RM's server")] = "",
    refresh_base: Annotated[str, typer.Option(help="scalar RM to refresh; empty: none is")] = "",
    refresh_gpus: Annotated[str, typer.Option(help="empty: the refresh trains on the CPU")] = "",
    refresh_options: Annotated[str, typer.Option(help="more for `grm train refresh`")] = "",
    pass_env: Annotated[
        list[str], typer.Option(help="a variable that servers get, too, such as HF_TOKEN")
    ] = [],  # noqa: B006
    start_timeout_s: Annotated[float, typer.Option(min=1, help="until a server is healthy")] = 900,
    serve_command: Annotated[str, typer.Option(help="what starts a server")] = "vllm serve",
    train_command: Annotated[str, typer.Option(help="what trains")] = "trl grpo",
) -> None:
    """Serve the judge of RECIPE, train by RECIPE, and leave nothing running."""
    serving = {
        "command": shlex.split(serve_command),
        "pass_env": pass_env,
        "start_timeout_s": start_timeout_s,
    }
    try:
        command = [*_program(train_command), "--config", str(recipe), *trl_arguments]
        judge = judge_of(recipe)
        meta_rm, scalar_rm = (model_at(judge, f"{of}.classifier") for of in ("select", "scalar"))
        wanted = (
            Wanted("judge", judge.engine.options, judge_gpus, shlex.split(judge_options)),
            Wanted("meta RM", meta_rm, meta_gpus, _pooling(meta_options)),
            Wanted("scalar RM", scalar_rm, scalar_gpus, _pooling(scalar_options)),
        )
        servers = [server(one, serving) for one in wanted if one.gpus]
        refresh = None
        if refresh_base:
            gpus, more = _listed(refresh_gpus), shlex.split(refresh_options)
            refresh = RefreshProcess(judge, refresh_base, gpus=gpus, options=more)
        work = run(servers, command, _listed(train_gpus), refresh)
        code = asyncio.run(until_interrupted(work))
    except GRMError as error:
        typer.echo(f"launch: {error}", err=True)
        code = 2
    raise typer.Exit(code)


def judge_of(recipe: Path) -> GRMConfig:
    """The judge settings that a recipe names.

    Raises:
        ConfigError: the recipe can not be read, or names none.
    """
    try:
        settings = yaml.safe_load(recipe.read_text(encoding="utf-8"))
        return GRMConfig.load(settings["env"][ENV])
    except (OSError, yaml.YAMLError) as error:
        raise ConfigError(f"recipe {recipe} can not be read: {error}") from error
    except (KeyError, TypeError):
        raise ConfigError(f"recipe {recipe}: expected env: {{{ENV}: a file}}") from None


@dataclass(frozen=True)
class Wanted:
    """A server that a part of the judge asks.

    Args:
        part: how messages call it.
        options: the part's own settings, of which model and url matter.
        gpus: where it shall run, split over all of them, with commas; empty: elsewhere.
        args: further arguments of the server.
    """

    part: str
    options: Mapping[str, Any]
    gpus: str
    args: Sequence[str]


def _pooling(options: str) -> list[str]:
    return [*POOLING, *shlex.split(options)]


def server(wanted: Wanted, serving: Mapping[str, Any]) -> ServerProcess:
    """One of them, not started yet.

    Args:
        wanted: which.
        serving: what all servers have in common, of :class:`ServeOptions`.

    Raises:
        ConfigError: the settings do not say what to serve, and where.
    """
    part, options = wanted.part, wanted.options
    port = urlsplit(options.get("url") or "").port
    if not options.get("model") or port is None:
        raise ConfigError(f"{part}: it has GPUs, but the judge settings name no model and url:port")
    gpus = tuple(_listed(wanted.gpus))
    serve = ServeOptions(
        model=options["model"], gpus=gpus, port=port, args=tuple(wanted.args), **serving
    )
    secret = Secret.from_environment(options.get("api_key_env"), part)
    return ServerProcess(serve, secret, part, called=_option)


async def run(
    servers: Sequence[ServerProcess],
    command: Sequence[str],
    gpus: Sequence[str],
    refresh: RefreshProcess | None = None,
) -> int:
    """Exit code of the training ``command``, once it, all servers and the refresh are gone.

    Raises:
        EngineError: a server ended before it was healthy, or the refresh before it had a version;
            the training has not started then. Or the refresh ended with an error while the
            training, which was through, went on.
    """
    async with AsyncExitStack() as stack:
        for server in servers:
            stack.push_async_callback(server.close)
        if refresh:
            stack.push_async_callback(refresh.close)
            await asyncio.to_thread(refresh.start)
        await asyncio.gather(*(server.start() for server in servers))
        code = await _train(command, gpus)
        if refresh and not code:
            refresh.check()
        return code


async def _train(command: Sequence[str], gpus: Sequence[str]) -> int:
    processes = ("--num_processes", str(len(gpus))) if gpus else ()
    env = os.environ | visible(gpus)
    process = GuardedProcess([*command, *processes], env, grace_s=_GRACE_S)
    try:
        return await process.wait()
    finally:
        await process.close()


async def until_interrupted(work: Coroutine[Any, Any, int]) -> int:
    """What ``work`` returns; SIGINT and SIGTERM cancel it and let it clean up."""
    task = asyncio.ensure_future(work)
    for signum in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signum, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        return INTERRUPTED


def _option(name: str) -> str:
    return "--" + name.replace("_", "-")


def _listed(text: str) -> list[str]:
    return [part for part in text.split(",") if part]


def _program(command: str) -> list[str]:
    found = program(shlex.split(command))
    if found is None:
        raise ConfigError(f"no command {command!r} on this machine, which should train")
    return found


if __name__ == "__main__":
    typer.run(main)
