"""How long ``grm report`` takes for many recorded verdicts, and how much memory.

``PYTHONPATH=. python benchmarks/report_of_verdicts.py``: the record of ``page_of_verdicts.py``, a
hundred thousand verdicts, is reported without and with the judge's health and the page, each time
in a process of its own, whose peak memory is that of Linux's ``VmHWM``: what ``wait`` tells begins
with the memory of the process that started it.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from machine import save
from page_of_verdicts import make_record

WAYS = {
    "tables": [],
    "tables and health": ["--health"],
    "tables and page": ["--html", "page.html"],
    "all": ["--health", "--html", "page.html"],
}
COMMAND = """
import pathlib, re
from grm_plugin.cli import main
try:
    main()
finally:
    status = pathlib.Path("/proc/self/status").read_text()
    pathlib.Path("peak.txt").write_text(re.search(r"VmHWM:\\s+(\\d+)", status)[1])
"""


def main() -> None:
    """Measure and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--verdicts", type=int, default=100_000)
    parser.add_argument("--samples", type=int, default=4)
    parser.add_argument("--record", type=Path, help="make it here, and keep it")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        record = options.record or Path(folder) / "verdicts.jsonl"
        if not record.exists():
            make_record(record, options.verdicts, options.samples)
        result = {
            "verdicts": options.verdicts,
            "samples": options.samples,
            "record MB": round(record.stat().st_size / 1e6),
            "ways": {way: reported(record, more, folder) for way, more in WAYS.items()},
        }
    print(result, "saved", save("report_of_verdicts", result, "numpy", "jinja2", "pydantic"))


def reported(record: Path, more: list[str], folder: str) -> dict[str, float]:
    """Run the command, and tell what it took."""
    command = [sys.executable, "-c", COMMAND, "report", str(record.absolute()), *more]
    start = time.perf_counter()
    pid = os.posix_spawn(
        "/bin/sh",
        ["sh", "-c", 'cd "$0" && exec "$@" > report.txt', folder, *command],
        dict(os.environ),
    )
    _, status, usage = os.wait4(pid, 0)
    if status:
        raise SystemExit(f"grm report {' '.join(more)} ended with {status}")
    return {
        "seconds": round(time.perf_counter() - start, 1),
        "processor seconds": round(usage.ru_utime + usage.ru_stime, 1),
        "peak MB": round(int((Path(folder) / "peak.txt").read_text()) / 1024),
    }


if __name__ == "__main__":
    main()
