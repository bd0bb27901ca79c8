"""Which CUDA GPUs a process may use, without asking torch."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

_VISIBLE = "CUDA_VISIBLE_DEVICES"


def has_cuda_gpu(environment: Mapping[str, str] = os.environ, root: Path = Path("/")) -> bool:
    """Whether there is one, by the files of NVIDIA's driver.

    Importing torch for that would take seconds and hold memory on the GPU.

    Args:
        environment: where ``CUDA_VISIBLE_DEVICES`` may hide all of them.
        root: of the file system.
    """
    visible = environment.get(_VISIBLE)
    if visible is not None and visible.strip() in ("", "-1", "NoDevFiles"):
        return False
    if any((root / "dev").glob("nvidia[0-9]*")):  # inside a container only those it was given
        return True
    subsystem_for_linux = root / "usr/lib/wsl/lib"
    return (root / "dev/dxg").exists() and any(subsystem_for_linux.glob("libcuda.so*"))


def visible(gpus: Sequence[object]) -> dict[str, str]:
    """What a process that shall see only ``gpus`` has in its environment; nothing for none.

    >>> visible([6, 7])
    {'CUDA_VISIBLE_DEVICES': '6,7'}
    """
    return {_VISIBLE: ",".join(str(gpu) for gpu in gpus)} if gpus else {}
