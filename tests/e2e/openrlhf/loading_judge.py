"""Stands in for ``vllm serve``: a judge whose first start is quick, and every later one is not.

``loading_judge.py MODEL --host H --port P`` scores what it is shown. From its second start on it
loads for LOADS_S seconds. Every start is a line with its process id in the file ``starts`` of the
folder STAND_IN_FOLDER.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from grm_plugin.remote.launching.launch import ServeOptions
from tests.e2e.openrlhf.judge_process import ROOT, judging
from tests.engines.judge_server import JudgeServer

STARTS = "starts"


def loading(folder: Path, load_s: float) -> ServeOptions:
    """What starts it."""
    env = {
        "STAND_IN_FOLDER": str(folder),
        "LOADS_S": str(load_s),
        "PYTHONPATH": os.pathsep.join([str(ROOT), *filter(None, sys.path)]),
    }
    command = (sys.executable, "-m", __name__)
    return ServeOptions(model="judge", command=command, env=env)


def pids(folder: Path) -> list[int]:
    """Of every server that was started so far."""
    return [int(line) for line in (folder / STARTS).read_text().splitlines()]


def kill(folder: Path) -> None:
    """As the kernel does when memory is short; the one that was started last."""
    os.kill(pids(folder)[-1], signal.SIGKILL)


def main() -> None:
    folder = Path(os.environ["STAND_IN_FOLDER"])
    first = not (folder / STARTS).exists()
    with (folder / STARTS).open("a") as file:
        file.write(f"{os.getpid()}\n")
    time.sleep(0 if first else float(os.environ["LOADS_S"]))
    host, port = (sys.argv[sys.argv.index(name) + 1] for name in ("--host", "--port"))
    server = JudgeServer(otherwise=judging(0.0))
    server.host, server.port = host, int(port)
    with server.running():
        signal.pause()


if __name__ == "__main__":
    main()
