"""Starts a judge server of our own, waits until it is healthy, and ends it for sure."""

from __future__ import annotations

import asyncio
import logging
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from pydantic import Field

from grm_plugin.errors import EngineError
from grm_plugin.options import Options
from grm_plugin.remote.launching.arguments import arguments
from grm_plugin.remote.launching.environment import environment, held_back
from grm_plugin.remote.launching.gpus import visible
from grm_plugin.remote.launching.health import until_healthy
from grm_plugin.remote.launching.ports import LOOPBACK, check_free, free_port
from grm_plugin.remote.launching.process import GuardedProcess, program
from grm_plugin.remote.secret import Secret

logger = logging.getLogger(__name__)

_TAIL_LINES = 20
_TAIL_BYTES = 1 << 16


class ServeOptions(Options):
    """A server to start: ``vllm serve MODEL --host 127.0.0.1 --port PORT ARGS...``.

    Args:
        model: a folder, or the id of a model on the hub.
        gpus: what the server sees as ``CUDA_VISIBLE_DEVICES``; empty inherits ours. Several share
            the weights (``--tensor-parallel-size``), unless ``args`` say how they are used.
        port: None takes a free one.
        args: further arguments of the server.
        env: further environment variables of the server.
        pass_env: names of more variables of ours that the server gets, such as ``HF_TOKEN`` for
            gated weights or ``AWS_*``. It gets what servers read (``CUDA_*``, ``VLLM_*``,
            ``NCCL_*``, ``HF_*``, proxies, paths, ...) but no key, token or password, and no
            URL with a user in it but a proxy's.
        command: what is run in place of ``vllm serve``.
        start_timeout_s: seconds until it must be healthy.
        log: file for its output, which is kept; None makes one in the temporary folder.
        shared: one server for all processes of this user on this machine that ask for the same;
            the first one starts it, and it ends with that one. A text, such as the name of a run,
            says who shares: those with the same text.
    """

    model: str
    gpus: tuple[int | str, ...] = ()
    port: int | None = Field(None, ge=1, le=65535)
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = {}
    pass_env: tuple[str, ...] = ()
    command: tuple[str, ...] = Field(("vllm", "serve"), min_length=1)
    start_timeout_s: float = Field(900.0, gt=0)
    log: Path | None = None
    shared: bool | str = Field(False, union_mode="left_to_right")


class ServerProcess:
    """One server process; ends at ``close`` and in any case with this process.

    All servers of ours are started here, whoever asks for one: an engine, a process that shares
    its server, a Ray actor, a recipe.

    Args:
        options: what to start.
        secret: the key the server shall ask for, handed over in its environment.
        owner: how messages call the part.
        host: address it listens on; who can reach that address can use the server, unless there
            is a key.
        called: how messages call one of the options, where the user sets it elsewhere.
    """

    def __init__(
        self,
        options: ServeOptions,
        secret: Secret,
        owner: str,
        *,
        host: str = LOOPBACK,
        called: Callable[[str], str] = "serve.{}".format,
    ) -> None:
        self._options, self.secret, self._owner, self._host = options, secret, owner, host
        self._called, self._loss = called, ""
        self._process: GuardedProcess | None = None
        self._environment: dict[str, str] = {}
        self._port = options.port
        self._log = Path()
        self.pid = 0

    async def start(self) -> str:
        """Start the server and return its URL once it is healthy; the next time it is the same.

        Raises:
            EngineError: the command is missing, the port is taken, the server ended (with the
                last lines of its log), or it took too long.
        """
        options = self._options
        self._port = port = self._port or free_port(self._host)
        check_free(self._host, port, self._owner)
        where = [options.model, "--host", self._host, "--port", str(port)]
        more = arguments(options.command, options.gpus, options.args)
        await self._spawned([*self._program(), *where, *more])
        logger.info(
            "starting a server for %s on port %d, process %d, log %s",
            *(options.model, port, self.pid, self._log),
        )
        url = f"http://{self._host}:{port}"
        try:
            await until_healthy(
                f"{url}/health", options.model, options.start_timeout_s, self._early_end
            )
        except TimeoutError:
            raise EngineError(self._too_slow()) from None
        return url

    def loss(self) -> str:
        """Why the server that was started here is gone; empty while it should be there."""
        code = self._process.code if self._process else None
        if code is not None and not self._loss:  # it is asked again at every fault
            self._loss = (
                f"the server for {self._options.model!r} ended with exit code {code}; "
                f"{self._last_words()}"
            )
        return "" if code is None else self._loss

    @property
    def ended(self) -> bool:
        """Whether there is no process: it was never started, is closed, or ended by itself."""
        return self._process is None or self._process.code is not None

    def _program(self) -> list[str]:
        found = program(self._options.command)
        if found is None:
            raise EngineError(
                f"{self._owner}: serve: no command {self._options.command[0]!r} on this machine; "
                'pip install "grm-plugin[vllm]", or name a running server with url'
            )
        return found

    async def _spawned(self, argv: list[str]) -> None:
        """Run ``argv``; when this is cancelled there is a process, for ``close`` to end."""
        spawning = asyncio.ensure_future(asyncio.to_thread(self._spawn, argv))
        try:
            await asyncio.shield(spawning)
        except asyncio.CancelledError:
            await asyncio.wait({spawning})
            raise

    def _spawn(self, argv: list[str]) -> None:
        key = {"VLLM_API_KEY": self.secret.value} if self.secret.value else {}
        own = visible(self._options.gpus) | key | dict(self._options.env)
        self._environment = environment(os.environ, self._options.pass_env, own)
        self._log, self._loss = self._options.log or _new_log(), ""
        self._process = GuardedProcess(argv, self._environment, self._log)
        self.pid = self._process.pid

    def _early_end(self) -> str:
        """What to say of a server that ended before it was healthy; empty while it runs."""
        code = self._process.code if self._process else None
        if code is None:
            return ""
        return (
            f"{self._owner}: the server for {self._options.model!r} ended with exit code "
            f"{code} before it was healthy; {self._last_words()}"
        )

    def _too_slow(self) -> str:
        return (
            f"{self._owner}: the server for {self._options.model!r} was not healthy within "
            f"{self._options.start_timeout_s:g} s; raise {self._called('start_timeout_s')}; "
            f"{self._last_words()}"
        )

    def _last_words(self) -> str:
        text = "\n".join(self._tail().splitlines()[-_TAIL_LINES:]) or "(nothing)"
        absent, see = held_back(os.environ, self._environment, text), self._called("pass_env")
        hint = f"{', '.join(absent)} was not handed to it: see {see}; " if absent else ""
        return f"{hint}the last lines of {self._log}:\n{text}"

    def _tail(self) -> str:
        """The end of the log, without the key, also where the cut goes through it."""
        try:
            with self._log.open("rb") as file:
                cut = max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES)
                file.seek(cut)
                text = file.read().decode(errors="replace")
        except OSError as error:
            return f"(it can not be read: {error})"
        return self.secret.hide(text)[len(self.secret.value) if cut else 0 :]

    async def close(self) -> None:
        """End the server and its children and wait until they are gone; may be called twice."""
        process, self._process = self._process, None
        if process is not None:
            await process.close()

    def abandon(self) -> None:
        """End the server and its children at once, from any thread; no event loop is needed."""
        process, self._process = self._process, None
        if process is not None:
            process.abandon()


def _new_log() -> Path:
    with tempfile.NamedTemporaryFile(prefix="grm-judge-", suffix=".log", delete=False) as file:
        return Path(file.name)
