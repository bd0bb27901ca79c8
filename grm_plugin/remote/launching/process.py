"""A command that ends with this process, together with everything it started."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from pathlib import Path

from grm_plugin.remote.launching import guard

GRACE_S = 10.0
_PATIENCE_S = 5.0  # beyond the grace, for the guard itself


def program(command: Sequence[str]) -> list[str] | None:
    """``command`` with the path of its program; None where there is no such program.

    The one beside this interpreter comes first: its environment may not be activated.
    """
    name, *rest = command
    found = shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)
    return None if found is None else [found, *rest]


class GuardedProcess:
    """A running command under our guard, in a process group of its own.

    It ends at ``close`` or ``abandon``, and in any case with this process, also by SIGKILL. Making
    one blocks until the command has its process id.

    Args:
        argv: the program, by its path, and its arguments.
        env: its whole environment.
        log: file for its output, written anew; None: it writes where this process does.
        grace_s: seconds between SIGTERM and SIGKILL.
    """

    def __init__(
        self,
        argv: Sequence[str],
        env: Mapping[str, str],
        log: Path | None = None,
        *,
        grace_s: float | None = None,
    ) -> None:
        self._grace_s = GRACE_S if grace_s is None else grace_s
        told, tell = os.pipe()
        guarded = [sys.executable, "-I", guard.__file__, str(self._grace_s), str(tell), *argv]
        with os.fdopen(told) as said, log.open("wb") if log else nullcontext() as output:
            try:
                # an argument list without a shell; what it runs is the user's own configuration
                self._guard = subprocess.Popen(  # noqa: S603
                    guarded,
                    env=dict(env),
                    stdin=subprocess.PIPE,
                    stdout=output,
                    stderr=output,
                    pass_fds=(tell,),
                    start_new_session=True,
                )
            finally:
                os.close(tell)
            self.pid = int(said.readline() or 0)

    @property
    def code(self) -> int | None:
        """Its exit code, 128 and the signal's number where one ended it; None while it runs."""
        code = self._guard.poll()
        return 128 - code if code is not None and code < 0 else code

    async def wait(self) -> int:
        """Its exit code, once it and its children are gone."""
        code = await asyncio.get_running_loop().run_in_executor(None, self._guard.wait)
        return 128 - code if code < 0 else code

    async def close(self) -> None:
        """End it and its children and wait until they are gone; may be called twice."""
        await asyncio.get_running_loop().run_in_executor(None, self.end)

    def abandon(self) -> None:
        """End it and its children at once, from any thread; no event loop is needed."""
        if self.code is None:
            self._kill()
        self.end()

    def end(self) -> None:
        """As :meth:`close`, for who has no event loop, or may not give it back meanwhile."""
        with self._guard:  # closes the pipe, which alone would end the guard
            self._guard.terminate()
            try:
                self._guard.wait(self._grace_s + _PATIENCE_S)
            except subprocess.TimeoutExpired:
                self._guard.kill()
                self._guard.wait()
        if self._guard.returncode < 0:  # a guard that ended by itself has left nothing behind
            self._kill()

    def _kill(self) -> None:
        if self.pid:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
