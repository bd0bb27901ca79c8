"""Where and when something was measured; written beside every result."""

from __future__ import annotations

import json
import os
import platform
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def conditions(*packages: str) -> dict[str, Any]:
    """Date, processor, cores and versions."""
    return {
        "date": date.today().isoformat(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in ("grm-plugin", *packages)},
    }


def save(name: str, result: dict[str, Any], *packages: str, folder: Path = RESULTS) -> Path:
    """Write ``<name>.json`` in ``folder``: what was measured, and on what."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.json"
    text = json.dumps({"conditions": conditions(*packages), **result}, indent=1)
    path.write_text(text + "\n", encoding="utf-8")
    return path


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
