"""Starts a judge server of our own, waits until it is healthy, and ends it for sure."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import aiohttp
from pydantic import Field

from grm_plugin.errors import EngineError
from grm_plugin.options import Options
from grm_plugin.remote import guard
from grm_plugin.remote.arguments import arguments
from grm_plugin.remote.secret import Secret

logger = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"
_POLL_S = 0.25
_PROGRESS_S = 15.0
_GRACE_S = 10.0
_TAIL_LINES = 20
# A trainer's launcher sets these for its own processes; a server that inherits them joins the
# trainer's process group instead of making its own.
_TRAINERS_OWN = (
    "RANK",
    "LOCAL_RANK",
    "GROUP_RANK",
    "ROLE_RANK",
    "WORLD_SIZE",
    "LOCAL_WORLD_SIZE",
    "MASTER_ADDR",
    "MASTER_PORT",
)


class ServeOptions(Options):
    """A server to start: ``vllm serve MODEL --host 127.0.0.1 --port PORT ARGS...``.

    Args:
        model: a folder, or the id of a model on the hub.
        gpus: what the server sees as ``CUDA_VISIBLE_DEVICES``; empty inherits ours. Several share
            the weights (``--tensor-parallel-size``), unless ``args`` say how they are used.
        port: None takes a free one.
        args: further arguments of the server.
        env: further environment variables of the server.
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
    command: tuple[str, ...] = Field(("vllm", "serve"), min_length=1)
    start_timeout_s: float = Field(900.0, gt=0)
    log: Path | None = None
    shared: bool | str = Field(False, union_mode="left_to_right")


class ServerProcess:
    """One server process; ends at ``close`` and in any case with this process.

    Args:
        options: what to start.
        secret: the key the server shall ask for, handed over in its environment.
        owner: how messages call the part.
        host: address it listens on; who can reach that address can use the server, unless there
            is a key.
    """

    def __init__(
        self, options: ServeOptions, secret: Secret, owner: str, *, host: str = LOOPBACK
    ) -> None:
        self._options, self.secret, self._owner, self._host = options, secret, owner, host
        self._guard: subprocess.Popen[bytes] | None = None
        self._log = Path()
        self.pid = 0

    async def start(self) -> str:
        """Start the server and return its URL once it is healthy.

        Raises:
            EngineError: the command is missing, the port is taken, the server ended (with the
                last lines of its log), or it took too long.
        """
        port = self._options.port or free_port(self._host)
        _check_free(self._host, port, self._owner)
        where = [self._options.model, "--host", self._host, "--port", str(port)]
        more = arguments(self._options.command, self._options.gpus, self._options.args)
        await asyncio.to_thread(self._spawn, [*self._program(), *where, *more])
        logger.info(
            "starting a server for %s on port %d, process %d, log %s",
            *(self._options.model, port, self.pid, self._log),
        )
        url = f"http://{self._host}:{port}"
        await self._until_healthy(f"{url}/health")
        return url

    def loss(self) -> str:
        """Why the server that was started here is gone; empty while it should be there."""
        code = self._guard.poll() if self._guard else None
        if code is None:
            return ""
        return (
            f"the server for {self._options.model!r} ended with exit code {code}; "
            f"{self._last_words()}"
        )

    @property
    def ended(self) -> bool:
        """Whether there is no process: it was never started, is closed, or ended by itself."""
        return self._guard is None or self._guard.poll() is not None

    def _program(self) -> list[str]:
        name, *rest = self._options.command
        # the one beside this interpreter comes first: its environment may not be activated
        found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
        if found is None:
            raise EngineError(
                f"{self._owner}: serve: no command {name!r} on this machine; "
                'pip install "grm-plugin[vllm]", or name a running server with url'
            )
        return [found, *rest]

    def _spawn(self, argv: list[str]) -> None:
        self._log = self._options.log or _new_log()
        guarded = [sys.executable, "-I", guard.__file__, str(_GRACE_S), *argv]
        with self._log.open("wb") as log:
            # an argument list without a shell; what it runs is the user's own configuration
            self._guard = subprocess.Popen(  # noqa: S603
                guarded,
                env=self._environment(),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        said = self._guard.stdout
        self.pid = int(said.readline() or 0) if said else 0

    def _environment(self) -> dict[str, str]:
        env = {
            name: value
            for name, value in os.environ.items()
            if name not in _TRAINERS_OWN and not name.startswith("TORCHELASTIC_")
        }
        if self._options.gpus:
            env["CUDA_VISIBLE_DEVICES"] = ",".join(str(gpu) for gpu in self._options.gpus)
        if self.secret.value:
            env["VLLM_API_KEY"] = self.secret.value
        return env | dict(self._options.env)

    async def _until_healthy(self, url: str) -> None:
        started = told = time.monotonic()
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
            while not await answers(session, url):
                self._check_alive()
                now = time.monotonic()
                if now - started > self._options.start_timeout_s:
                    raise EngineError(self._too_slow())
                if now - told > _PROGRESS_S:
                    told = now
                    logger.info("%s is loading: %.0f s", self._options.model, now - started)
                await asyncio.sleep(_POLL_S)
        logger.info("%s is served after %.0f s", self._options.model, time.monotonic() - started)

    def _check_alive(self) -> None:
        code = self._guard.poll() if self._guard else None
        if code is not None:
            raise EngineError(
                f"{self._owner}: the server for {self._options.model!r} ended with exit code "
                f"{code} before it was healthy; {self._last_words()}"
            )

    def _too_slow(self) -> str:
        return (
            f"{self._owner}: the server for {self._options.model!r} was not healthy within "
            f"{self._options.start_timeout_s:g} s; raise serve.start_timeout_s; "
            f"{self._last_words()}"
        )

    def _last_words(self) -> str:
        lines = self._log.read_text(errors="replace").splitlines()[-_TAIL_LINES:]
        text = "\n".join(lines) or "(nothing)"
        return f"the last lines of {self._log}:\n{self.secret.hide(text)}"

    async def close(self) -> None:
        """End the server and its children and wait until they are gone; may be called twice."""
        process, self._guard = self._guard, None
        if process is not None:
            await asyncio.get_running_loop().run_in_executor(None, _end, process, self.pid)

    def abandon(self) -> None:
        """End the server and its children at once, from any thread; no event loop is needed."""
        process, self._guard = self._guard, None
        if process is None:
            return
        if self.pid:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
        _end(process, self.pid)


def _end(process: subprocess.Popen[bytes], pid: int) -> None:
    with process:  # closes the pipes, which alone would end the guard
        process.terminate()
        try:
            process.wait(_GRACE_S + 5)
        except subprocess.TimeoutExpired:
            process.kill()
        if pid:
            with suppress(ProcessLookupError):
                os.killpg(pid, signal.SIGKILL)


async def answers(session: aiohttp.ClientSession, url: str) -> bool:
    """Whether a GET of ``url`` succeeds."""
    try:
        async with session.get(url) as response:
            return response.status == 200
    except (aiohttp.ClientError, OSError):  # TimeoutError is an OSError
        return False


def _new_log() -> Path:
    with tempfile.NamedTemporaryFile(prefix="grm-judge-", suffix=".log", delete=False) as file:
        return Path(file.name)


def free_port(host: str = LOOPBACK) -> int:
    """A port of this machine that nobody listens on now."""
    with _listening(host, 0) as port:
        return port


def _check_free(host: str, port: int, owner: str) -> None:
    try:
        with _listening(host, port):
            return
    except OSError as error:
        raise EngineError(
            f"{owner}: serve: port {port} can not be used ({error.strerror}); choose another port, "
            f"or use what runs there with url: http://{host}:{port}"
        ) from None


@contextmanager
def _listening(host: str, port: int) -> Iterator[int]:
    with socket.socket() as listener:
        # a port whose last owner just left is free for a server
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        yield listener.getsockname()[1]
