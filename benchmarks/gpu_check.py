"""Is this installation right and fast? One command, under eight minutes, nothing to download.

``python benchmarks/gpu_check.py`` on a machine with one GPU; it needs ``grm-plugin[trl]``, and
measures vLLM where that is installed. Where there is no GPU, or with ``--small``, the same code
runs in a small form on the processor.

- Parity: the reference judge writes greedily on the GPU, in batches, what it writes on the
  processor, one text after another.
- Engines: judges of the shapes of Qwen2.5-1.5B and -7B with random weights; how long our
  ``transformers`` engine takes beside bare ``generate``, and our ``server`` engine beside raw
  requests to the same ``vllm serve``.
- GRPO: steps of TRL with ``GRMReward`` and the reference judge beside steps with a plain function.

Each part runs in a process of its own and may fail alone. A table comes last, and everything is in
``gpu_check.json``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from machine import RESULTS, save

PARTS = Path(__file__).with_name("gpu_parts.py")
PACKAGES = ("torch", "transformers", "trl", "vllm")
MOST_S = 460.0


class Part(NamedTuple):
    """One measurement: what it is called, its arguments, and the seconds it may take."""

    name: str
    arguments: tuple[str, ...]
    most_s: float


def main() -> None:
    """Run all parts, save, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--small", action="store_true", help="the small form, on the processor")
    parser.add_argument("--only", nargs="+", default=[], help="parts by name: parity grpo ...")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the JSON file")
    parser.add_argument("--seconds", type=float, default=MOST_S, help="in all")
    parser.add_argument("--note", default="", help="what else the machine did")
    options = parser.parse_args()
    device = "cpu" if options.small else device_here()
    chosen = [one for one in parts(device) if not options.only or one.name in options.only]
    result: dict[str, Any] = {"device": device, "gpu": gpu_name(device), "note": options.note}
    result["parts"] = measured(chosen, device, time.monotonic() + options.seconds)
    path = save("gpu_check", result, *PACKAGES, folder=options.out)
    print("\n".join(table(result["parts"])))
    print("saved", path)
    sys.exit(any("failed" in one for one in result["parts"].values()))


def parts(device: str) -> list[Part]:
    """What there is to measure, the most telling first."""
    shapes = ("1.5B", "7B") if device == "cuda" else ("tiny",)
    found = [Part("parity", ("parity",), 90)]
    found += [Part(f"transformers {one}", ("engine", one), 120) for one in shapes]
    if find_spec("trl"):
        found.append(Part("grpo", ("grpo",), 120))
    if find_spec("vllm"):
        found += [Part(f"vllm {one}", ("server", one), 180) for one in shapes]
    return found


def measured(chosen: Sequence[Part], device: str, until: float) -> dict[str, Any]:
    """What each part found, or why it did not."""
    found: dict[str, Any] = {}
    for part in chosen:
        left = until - time.monotonic()
        print(f"{part.name} ...", flush=True)
        found[part.name] = (
            run(part, device, min(left, part.most_s)) if left > 10 else {"failed": "no time left"}
        )
    return found


def run(part: Part, device: str, most_s: float) -> dict[str, Any]:
    """One part in a process of its own; what it found is in a file, what it says is kept."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        out, log = Path(folder) / "found.json", Path(folder) / "log"
        command = [sys.executable, str(PARTS), *part.arguments, "--device", device, "--out", out]
        with log.open("w") as said:
            try:
                subprocess.run(command, stdout=said, stderr=said, timeout=most_s, env=here())
            except subprocess.TimeoutExpired:
                return {"failed": f"not done within {most_s:.0f} s"}
        if not out.exists():
            said_last = log.read_text(errors="replace").strip().splitlines()[-1:]
            return {"failed": "".join(said_last) or "it said nothing"}
        found = json.loads(out.read_text())
    return {**found, "took s": round(time.monotonic() - started, 1)}


def here() -> dict[str, str]:
    """This environment, with this checkout in front and no hub."""
    root = Path(__file__).parents[1]
    paths = [str(root), str(root / "adapters"), os.environ.get("PYTHONPATH", "")]
    path = os.pathsep.join(filter(None, paths))
    return {**os.environ, "PYTHONPATH": path, "HF_HUB_OFFLINE": "1"}


def table(found: dict[str, Any]) -> Iterator[str]:
    """Lines of the table: a part, its figure, its memory, its seconds."""
    yield f"{'part':20}  {'figure':58}  {'peak GB':>8}  {'took s':>7}"
    for name, one in found.items():
        told = f"FAILED: {one['failed']}" if "failed" in one else one["told"]
        yield f"{name:20}  {told:58}  {one.get('peak GB', ''):>8}  {one.get('took s', ''):>7}"


def device_here() -> str:
    """``cuda`` where torch finds a GPU."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def gpu_name(device: str) -> str | None:
    """The GPU's own name."""
    import torch

    return torch.cuda.get_device_name(0) if device == "cuda" else None


if __name__ == "__main__":
    main()
