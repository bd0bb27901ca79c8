"""Stands in for ``vllm serve``: ``stand_in_server.py BEHAVIOUR MODEL --host H --port P ...``.

It starts a child of its own, as vLLM does, and writes both process ids to the file ``told.json``.
Every start is a line with its process id in the file ``starts``, and one with its arguments in the
file ``served``; ``crash`` waits for ``fail``. A file ``sick`` makes its health checks fail, a file
``fail`` its start; what a file ``words`` holds is said where it fails. All these files are in the
folder that ``STAND_IN_FOLDER`` names, or where it was started.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps({"data": [{"id": sys.argv[2]}]}).encode()
        self.send_response(503 if Path("sick").exists() else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None: ...


def main() -> None:
    os.chdir(os.environ.get("STAND_IN_FOLDER", "."))
    behaviour = sys.argv[1]
    with Path("starts").open("a") as file:
        file.write(f"{os.getpid()}\n")
    if behaviour == "crash":
        while not Path("fail").exists():
            time.sleep(0.05)
    if behaviour == "fail" or Path("fail").exists():
        print("loading weights", "error: no such GPU, key " + os.environ.get("VLLM_API_KEY", ""))
        if Path("words").exists():
            print(Path("words").read_text())
        sys.exit(3)
    if behaviour == "stubborn":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    told = {"pids": [os.getpid(), child.pid], "argv": sys.argv[2:], "env": dict(os.environ)}
    Path(f"told.{os.getpid()}.tmp").write_text(json.dumps(told))
    Path(f"told.{os.getpid()}.tmp").rename("told.json")
    with Path("served").open("a") as file:
        file.write(" ".join(sys.argv[2:]) + "\n")
    if behaviour == "load":
        time.sleep(600)
    host, port = (sys.argv[sys.argv.index(name) + 1] for name in ("--host", "--port"))
    HTTPServer((host, int(port)), Handler).serve_forever()


if __name__ == "__main__":
    main()
