from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from grm_plugin.remote.launching.gpus import has_cuda_gpu


def _files(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ((), False),
        (("dev/null", "usr/bin/nvidia-smi"), False),
        (("dev/nvidiactl", "dev/nvidia-uvm"), False),
        (("dev/nvidiactl", "dev/nvidia3"), True),
        (("dev/dxg",), False),
        (("dev/dxg", "usr/lib/wsl/lib/libcuda.so.1"), True),
    ],
)
def test_a_gpu_is_found_by_the_files_of_its_driver(
    tmp_path: Path, files: tuple[str, ...], found: bool
) -> None:
    assert has_cuda_gpu({}, _files(tmp_path, *files)) is found


@pytest.mark.parametrize(("visible", "found"), [("", False), ("-1", False), ("0", True)])
def test_a_gpu_that_is_hidden_from_this_process_is_none(
    tmp_path: Path, visible: str, found: bool
) -> None:
    root = _files(tmp_path, "dev/nvidia0")
    assert has_cuda_gpu({"CUDA_VISIBLE_DEVICES": visible}, root) is found


def test_finding_the_default_judge_imports_no_torch() -> None:
    code = (
        "import sys, warnings; warnings.simplefilter('ignore')\n"
        "from grm_plugin import GRMConfig\n"
        "from grm_plugin.pipeline.default import with_judge\nwith_judge(GRMConfig(k=4))\n"
        "assert not {'torch', 'numpy', 'transformers'} & set(sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
