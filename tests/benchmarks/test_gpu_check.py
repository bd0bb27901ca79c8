"""The check of a GPU runs here in its small form, on the processor."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest

torch = pytest.importorskip("torch")

FOLDER = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(FOLDER))
    import gpu_check

    return gpu_check


def test_it_measures_saves_and_prints_a_table(tmp_path: Path) -> None:
    command = [sys.executable, str(FOLDER / "gpu_check.py"), "--small", "--only", "parity"]
    run = subprocess.run([*command, "--out", str(tmp_path)], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert "4 of 4 greedy texts are those of the processor" in run.stdout
    found = json.loads((tmp_path / "gpu_check.json").read_text())
    assert found["device"] == "cpu"
    assert found["parts"]["parity"]["same"] == 4
    assert found["parts"]["parity"]["peak GB"] > 0


def test_our_engine_and_bare_generation_are_timed_on_a_judge_of_random_weights(
    script: ModuleType,
) -> None:
    found = script.run(script.Part("engine", ("engine", "tiny"), 120), "cpu", 120)
    assert "of bare generate" in found["told"]
    assert found["share"] > 0


def test_a_part_that_fails_or_takes_too_long_is_told_and_the_others_go_on(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake = tmp_path / "parts.py"
    fake.write_text(
        "import json, sys, time\n"
        "if sys.argv[1] == 'slow': time.sleep(60)\n"
        "if sys.argv[1] == 'bad': sys.exit('no such GPU')\n"
        "open(sys.argv[-1], 'w').write(json.dumps({'told': 'fine'}))\n"
    )
    monkeypatch.setattr(script, "PARTS", fake)
    most = {"slow": 0.5, "bad": 30.0, "good": 30.0}
    parts = [script.Part(name, (name,), most_s) for name, most_s in most.items()]
    found = script.measured(parts, "cpu", time.monotonic() + 60)
    _, slow, bad, good = script.table(found)
    assert "FAILED: not done within 0 s" in slow
    assert "FAILED: no such GPU" in bad
    assert "fine" in good
    late = script.measured(parts, "cpu", time.monotonic())
    assert {one["failed"] for one in late.values()} == {"no time left"}


@pytest.mark.parametrize(("shape", "billions"), [("1.5B", 1.54), ("7B", 7.62)])
def test_the_shapes_are_as_large_as_they_say(
    shape: str, billions: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(FOLDER))
    from shapes import config_of
    from transformers import AutoModelForCausalLM

    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config_of(shape))
    assert sum(one.numel() for one in model.parameters()) / 1e9 == pytest.approx(billions, abs=0.01)
