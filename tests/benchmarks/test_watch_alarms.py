"""The guide to noticing reward hacking tells what was simulated."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs/how-to/notice-reward-hacking.md"
SIZES = ("2 a step", "4 a step", "8 a step")


def found() -> dict[str, Any]:
    result: dict[str, Any] = json.loads(
        (ROOT / "benchmarks/results/watch_alarms.json").read_text(encoding="utf-8")
    )
    return result


def test_no_clean_run_alarmed_and_the_guide_says_of_how_many() -> None:
    clean, runs = found()["clean"], found()["runs_of_each_clean"]
    assert all(share == 0 for sizes in clean.values() for share in sizes.values())
    guide = " ".join(GUIDE.read_text(encoding="utf-8").split())
    assert f"none of {runs * len(clean)} alarmed** falsely by onset or level" in guide
    assert "The other two alarms are not simulated" in guide


def test_every_row_of_the_guide_is_what_was_found() -> None:
    guide = GUIDE.read_text(encoding="utf-8")
    for sizes in found()["biased"].values():
        shares = " | ".join(f"{sizes[size]['within_20']:.0%}" for size in SIZES)
        assert f"| {shares} | {sizes[SIZES[-1]]['median']:g} steps |" in guide


def test_with_eight_groups_a_step_each_named_bias_was_noticed_in_every_run() -> None:
    biased = found()["biased"]
    for name in ("an opening", "praise of itself", "length"):
        assert biased[name]["8 a step"]["within_20"] == 1.0
        assert biased[name]["8 a step"]["too_early"] == 0.0
