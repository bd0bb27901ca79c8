"""Runs one command and makes sure that it ends with whoever started it.

Run as a script, by path, with the standard library alone:
``python -I guard.py GRACE_S FD COMMAND``. The starter holds the other end of this process's
standard input. When that end closes, for whatever reason and be it SIGKILL, or when SIGTERM comes,
the command and all its children get SIGTERM and after ``GRACE_S`` seconds SIGKILL. The command's
process id is written to the open file descriptor ``FD`` first. The command writes where this
process would.

On Linux the command gets SIGTERM also when this process itself is killed: Ray does that to the
children of a worker that it ends.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from types import FrameType

_PR_SET_PDEATHSIG = 1  # of linux/prctl.h
_C = ctypes.CDLL(None)  # loaded before there is a child that may only make system calls


def main(grace_s: float, told: int, command: list[str]) -> int:
    """Exit code of ``command``, once it and its children are gone."""
    # an argument list without a shell; what it runs is the user's own configuration
    child = subprocess.Popen(  # noqa: S603
        command,
        stdin=subprocess.DEVNULL,
        process_group=0,
        preexec_fn=_end_with_parent if sys.platform == "linux" else None,
    )
    os.write(told, f"{child.pid}\n".encode())
    os.close(told)

    def end(signum: int, frame: FrameType | None) -> None:
        _signal_group(child.pid, signal.SIGTERM)
        killer = threading.Timer(grace_s, _signal_group, (child.pid, signal.SIGKILL))
        killer.daemon = True
        killer.start()

    signal.signal(signal.SIGTERM, end)
    threading.Thread(target=_end_with_starter, daemon=True).start()
    code = child.wait()
    _signal_group(child.pid, signal.SIGKILL)  # what the command left behind
    return code if code >= 0 else 128 - code


def _end_with_parent() -> None:
    _C.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _end_with_starter() -> None:
    # not through sys.stdin: its lock, held by this thread, would spoil a clean exit
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _signal_group(group: int, signum: int) -> None:
    with suppress(ProcessLookupError):  # all of them are gone already
        os.killpg(group, signum)


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]))
