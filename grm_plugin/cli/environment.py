"""The checks of ``grm doctor`` that need no judge: Python, libraries, GPU, plug-ins."""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Literal

import grm_plugin
from grm_plugin.plugins import installed

EXTRAS = ("torch", "transformers", "vllm", "trl", "openrlhf")


@dataclass(frozen=True)
class Check:
    """One line of the report: what was found, and what to do about it."""

    status: Literal["ok", "warn", "fail"]
    detail: str
    fix: str = ""


def python() -> Check:
    """Which Python and which package run."""
    ours = Path(grm_plugin.__file__).parent
    here = f"{platform.python_version()} at {sys.executable}"
    return Check("ok", f"{here}; grm-plugin {grm_plugin.__version__} at {ours}")


def extras() -> Check:
    """Which optional libraries are installed."""
    found = {name: _version(name) for name in EXTRAS}
    there = ", ".join(f"{name} {number}" for name, number in found.items() if number)
    missing = ", ".join(name for name, number in found.items() if not number)
    return Check("ok", f"{there or 'none'}; not installed: {missing or 'none'}")


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""


def gpu() -> Check:
    """Which GPUs torch can use."""
    if not _version("torch"):
        return Check("ok", "not looked at: torch is not installed")
    import torch

    if not torch.cuda.is_available():
        return Check("ok", "none that torch can use; a judge in this process runs on the CPU")
    devices = map(torch.cuda.get_device_properties, range(torch.cuda.device_count()))
    return Check("ok", ", ".join(f"{one.name} {one.total_memory >> 30} GiB" for one in devices))


def plugins_load() -> Check:
    """Whether every plug-in loads."""
    ours = ("built in", "grm-plugin ")  # the adapters are announced by our own distribution
    found = installed()
    if found.broken:
        broken = "; ".join(f"{one.name!r} ({one.source}): {one.problem}" for one in found.broken)
        fix = "repair or uninstall them; a broken plug-in offers nothing"
        return Check("warn", f"broken: {broken}", fix)
    third = [f"{p.name} ({p.source})" for p in found.plugins if not p.source.startswith(ours)]
    return Check("ok", f"all load; besides the built-in ones: {', '.join(third) or 'none'}")
