"""The checks of ``grm doctor`` that need no judge: Python, libraries, GPU, plug-ins."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Literal

from packaging.requirements import Requirement

import grm_plugin
from grm_plugin.plugins import installed

EXTRAS = ("torch", "transformers", "vllm", "trl", "openrlhf", "flash-attn", "ray", "litellm")
NEWEST_PYTHON = (3, 13)


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
    said = f"{here}; grm-plugin {grm_plugin.__version__} at {ours}"
    if sys.version_info[:2] > NEWEST_PYTHON:
        newest = ".".join(map(str, NEWEST_PYTHON))
        return Check("warn", said, f"untested: this package was run with Python up to {newest}")
    return Check("ok", said)


def extras() -> Check:
    """Which optional libraries are installed, and whether this package was run with them."""
    found = {name: _version(name) for name in EXTRAS}
    there = ", ".join(f"{name} {number}" for name, number in found.items() if number)
    missing = ", ".join(name for name, number in found.items() if not number)
    said = f"{there or 'none'}; not installed: {missing or 'none'}"
    if lacking := left_to_people(found):
        return Check("warn", said, lacking)
    if unlike := untested(found, requires("grm-plugin") or []):
        fix = f"untested: {'; '.join(unlike)}; install what fits if something fails"
        return Check("warn", said, fix)
    return Check("ok", said)


def left_to_people(found: Mapping[str, str]) -> str:
    """What the extra ``openrlhf`` does not bring, since it goes by the CUDA of the machine.

    >>> left_to_people({"openrlhf": "0.11.2", "vllm": ""})[:28]
    'openrlhf rolls out with vllm'
    """
    if found.get("openrlhf") and not found.get("vllm"):
        return (
            "openrlhf rolls out with vllm, which no extra of ours brings beside it; "
            "install the vllm that fits your CUDA"
        )
    return ""


def untested(found: Mapping[str, str], required: Iterable[str]) -> list[str]:
    """Which of the installed libraries are outside the ranges that this package was run with.

    Args:
        found: versions by name; empty where it is not installed.
        required: requirements of this package, as its metadata has them.

    >>> untested({"trl": "1.9.0"}, ["trl<1.17,>=1.14.2; extra == 'trl'"])
    ['trl 1.9.0 (run with <1.17,>=1.14.2)']
    """
    ranges = {one.name: one.specifier for one in map(Requirement, required)}
    return [
        f"{name} {number} (run with {ranges[name]})"
        for name, number in found.items()
        if number and name in ranges and not ranges[name].contains(number, prereleases=True)
    ]


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
