"""Real training on the reference judge: a strong bias is noticed, and a clean run is quiet."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest

ONSET, STEPS = 5, 9


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[3] / "benchmarks"))
    import watch_training

    return watch_training


@pytest.mark.parametrize("onset", [None, ONSET])
def test_a_strong_bias_that_begins_in_the_judge_is_noticed_and_a_clean_run_is_quiet(
    script: ModuleType, tmp_path: Path, onset: int | None
) -> None:
    run = script.train(tmp_path, seed=1, steps=STEPS, onset=onset, start=5, k=1, for_a_word=4)
    steps = [alarm["step"] for alarm in run["alarms"]]
    if onset is None:
        assert steps == []
    else:
        assert ONSET <= min(steps) < STEPS
        assert "control judge" in run["alarms"][0]["said"]
        assert run["alarms_logged"][-1] == len(steps)
    assert run["gap_z"][0] is None, "unknown before the start is"
    assert all(one is not None for one in run["gap_z"][6:] + run["correlation"])
