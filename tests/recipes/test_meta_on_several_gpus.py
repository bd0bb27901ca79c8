"""The stage `meta` of the recipes of real size: several processes train one meta RM."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from grm_plugin.spct.meta_data import MetaRow, as_line

pytest.importorskip("accelerate")

pytestmark = pytest.mark.trl


def rows(path: Path) -> Path:
    """Judgments of 16 groups whose text tells by a word whether they are right."""
    found = []
    for number in range(16):
        for sample in range(4):
            label, split = (number + sample) % 2, "validation" if number >= 12 else "train"
            text = f"la {number} be {'ba' if label else 'ka'}"
            found.append(MetaRow(text, label, 1.0, f"g{number}", 2, f"g{number}", split, sample))
    path.write_text("".join(map(as_line, found)), encoding="utf-8")
    return path


def test_two_processes_train_one_meta_rm_and_one_of_them_tells(tmp_path: Path) -> None:
    from tests.engines.tiny_models import save_judge

    out, base = tmp_path / "made", save_judge(tmp_path / "base")
    bin_ = Path(sys.executable).parent
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    options = ["--base", base, "--out", out, "--batch", "8", "--device-batch", "2", "--epochs", "1"]
    command = [*launch, bin_ / "grm", "train", "meta", rows(tmp_path / "meta.jsonl"), *options]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    ended = subprocess.run(list(map(str, command)), env=env, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr[-2000:]
    report = json.loads((out / "report.json").read_text())
    assert report["training"]["steps"] == 6  # 48 rows in steps of 8, over both
    assert len((out / "validation.jsonl").read_text().splitlines()) == 16
    assert (ended.stdout + ended.stderr).count("rating 16 held-out judgments") == 1
