"""A soak of the reward server: 100,000 calls, callers that misbehave, judges that are killed.

``python benchmarks/soak.py``: the long form of ``tests/faults/test_soak.py``, which fails where a
call is lost or gets wrong rewards, or where memory grows. Callers, two judges and the server share
the cores of the machine. It takes some minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from machine import save

ROOT = Path(__file__).parents[1]
TEST = "tests/faults/test_soak.py"


def main() -> None:
    """Run it, save and print what it found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--note", default="", help="what else the machine did")
    note = parser.parse_args().note
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-m", "faults", "-q", "-s", TEST],
        cwd=ROOT,
        env=os.environ | {"FAULTS": "long"},
        stdout=subprocess.PIPE,
        text=True,
    )
    if run.returncode:
        sys.exit(run.stdout)
    found = json.loads(next(line for line in run.stdout.splitlines() if line.startswith("{")))
    print(save("soak", {**found, "note": note}, "fastapi", "uvicorn", "h11", "aiohttp").read_text())


if __name__ == "__main__":
    main()
