"""Stands in for ``trl grpo``: ``stand_in_training.py BEHAVIOUR --config RECIPE ...``.

It starts a child of its own, as a launcher of several ranks does, and writes down what it found.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.request
from pathlib import Path


def main() -> None:
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    with urllib.request.urlopen(f"{Path('url').read_text()}/health") as answer:
        healthy = answer.status == 200
    found = {
        "pids": [os.getpid(), child.pid],
        "argv": sys.argv[2:],
        "gpus": os.environ.get("CUDA_VISIBLE_DEVICES"),
        "healthy": healthy,
    }
    Path("training.tmp").write_text(json.dumps(found))
    Path("training.tmp").rename("training.json")
    match sys.argv[1]:
        case "fail":
            sys.exit(3)
        case "train":
            time.sleep(600)


if __name__ == "__main__":
    main()
