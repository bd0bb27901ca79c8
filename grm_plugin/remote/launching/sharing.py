"""One judge server for all processes of a user on a machine: the first one starts it."""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import json
import os
import secrets
import stat
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from grm_plugin.errors import EngineError
from grm_plugin.remote.launching.health import answers
from grm_plugin.remote.launching.lasting import LastingServer
from grm_plugin.remote.launching.launch import ServeOptions, ServerProcess
from grm_plugin.remote.secret import Secret

_POLL_S = 0.25
_SILENCE_S = 60.0
_left: list[LastingServer] = []
"""Servers that outlived who started them; they end with this process."""


def own_server(options: ServeOptions, secret: Secret, owner: str) -> SharedServer | LastingServer:
    """A server to start: for all processes that ask for the same, or for this engine alone."""
    if options.shared:
        return SharedServer(options, secret, owner)
    return LastingServer(ServerProcess(options, secret, owner))


class SharedServer:
    """A server that whoever comes first starts, and everybody else with the same options uses.

    It ends with the process that started it, at the latest; the others are told then.

    Args:
        options: what to start.
        secret: the key the server shall ask for; without one it is made up, so that only
            processes of this user can use the server.
        owner: how messages call the part.
    """

    def __init__(self, options: ServeOptions, secret: Secret, owner: str) -> None:
        self._options, self._owner = options, owner
        self.secret = secret
        self._place: Place | None = None
        self._process: LastingServer | None = None
        self._starter = 0

    async def start(self) -> str:
        """The URL of the server once it is healthy.

        Raises:
            EngineError: it can not be started, here or where it was tried, or took too long.
        """
        self._place = place = Place(_folder(self._owner) / _name(self._options))
        patience, waited = Patience(self._options.start_timeout_s), False
        while not place.take():
            waited = True
            if url := await self._joined(place):
                return url
            if patience.ends(place.read()):
                raise EngineError(self._too_slow(place))
            await asyncio.sleep(_POLL_S)
        if waited and (error := place.read().get("error")):
            place.leave()
            raise EngineError(f"{error} (tried by another process of this machine)")
        return await self._started(place)

    async def _joined(self, place: Place) -> str:
        """The URL of a server that somebody else started; empty while there is none."""
        told = place.read()
        if "url" not in told:
            return ""
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session:
            if not await answers(session, f"{told['url']}/health"):
                return ""
        self._starter = told["pid"]
        self.secret = Secret(told["key"])
        return str(told["url"])

    async def _started(self, place: Place) -> str:
        self.secret = self.secret if self.secret.value else Secret(secrets.token_urlsafe(32))
        told = {"pid": os.getpid(), "key": self.secret.value}
        self._process = LastingServer(
            ServerProcess(self._options, self.secret, self._owner),
            lambda url: place.write({"url": url, **told} if url else {}),
        )
        place.write({})
        try:
            return await self._process.start()
        except BaseException as error:  # also cancellation: the next one may try
            place.write({"error": str(error)} if isinstance(error, EngineError) else {})
            await self.close()
            raise

    def _too_slow(self, place: Place) -> str:
        return (
            f"{self._owner}: the server for {self._options.model!r} that another process starts, "
            f"or has started, was not healthy within {self._options.start_timeout_s:g} s, or "
            f"silent for {_SILENCE_S:g} s; end the process that holds {place.file}, or raise "
            "serve.start_timeout_s"
        )

    @property
    def pid(self) -> int:
        """The server's process id; 0 where another process started it."""
        return self._process.pid if self._process else 0

    def loss(self) -> str:
        """Why the server is gone for good; empty while it should be there, or will be again."""
        if self._process:
            return self._process.loss()
        if not (self._place and self._starter) or not self._place.take():
            return ""
        self._place.leave()
        return (
            f"the judge server of this machine ended with process {self._starter}, which had "
            "started it; start this process again, or run a server of its own with `vllm serve` "
            "and name it with url"
        )

    async def close(self) -> None:
        """End the server if it was started here; may be called twice."""
        process, self._process = self._process, None
        if process and self._place:
            await process.close()
            if "url" in self._place.read():  # an error is for those who wait
                self._place.write({})
            self._place.leave()

    def abandon(self) -> None:
        """Leave the server to this process, for whoever uses it: it ends with the process."""
        if self._process:
            _left.append(self._process)
        self._process = None


class Patience:
    """How long a server of another process is waited for: to load, or to answer again.

    Args:
        start_timeout_s: for one that loads.
    """

    def __init__(self, start_timeout_s: float) -> None:
        self._until = time.monotonic() + start_timeout_s
        self._silent_since: float | None = None

    def ends(self, told: Mapping[str, Any]) -> bool:
        """Whether it is time to give up, after a try that met silence.

        Args:
            told: what stands at its place now. What a process that is gone left there says
                nothing about the one that starts now.
        """
        now = time.monotonic()
        if not (told.get("url") and _lives(told.get("pid"))):
            self._silent_since = None
        elif self._silent_since is None:  # it has been healthy: no need for much patience
            self._silent_since = now
        silent_s = 0.0 if self._silent_since is None else now - self._silent_since
        return now > self._until or silent_s > _SILENCE_S


def _lives(pid: Any) -> bool:
    try:
        os.kill(int(pid), 0)
    except (TypeError, ValueError, OverflowError, OSError):  # OSError: gone, or somebody else's now
        return False
    return True


@dataclass
class Place:
    """A file that tells where the server is, held by whoever started it.

    The lock goes away with the process that holds it, however that ends.

    Args:
        file: in a folder that only this user can write.
    """

    file: Path
    _held: int | None = field(default=None, init=False)

    def take(self) -> bool:
        """Hold it from now on; False when somebody else does, in this process or another."""
        handle = os.open(self.file.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            return False
        self._held = handle
        return True

    def leave(self) -> None:
        """Let somebody else hold it."""
        held, self._held = self._held, None
        if held is not None:
            fcntl.flock(held, fcntl.LOCK_UN)  # a child of ours may have the descriptor, too
            os.close(held)

    def read(self) -> dict[str, Any]:
        """What is told; empty when that is nothing."""
        try:
            told = json.loads(self.file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return told if isinstance(told, dict) else {}

    def write(self, told: dict[str, Any]) -> None:
        """Tell everybody, whole or not at all."""
        handle, name = tempfile.mkstemp(dir=self.file.parent)  # readable by this user alone
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(told, file)
        Path(name).replace(self.file)


def _folder(owner: str) -> Path:
    """A folder of this machine that only this user can read and write."""
    base = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())
    folder = (base if base.is_dir() else Path(tempfile.gettempdir())) / f"grm-plugin-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise EngineError(
            f"{owner}: serve.shared: expected {folder} to be a folder of this user alone; "
            "remove it, or set XDG_RUNTIME_DIR"
        )
    return folder


def _name(options: ServeOptions) -> str:
    said = options.model_dump_json(exclude={"log", "start_timeout_s", "shared"})
    if isinstance(options.shared, str):
        said += options.shared
    return f"judge-{hashlib.blake2b(said.encode(), digest_size=8).hexdigest()}.json"
