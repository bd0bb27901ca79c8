"""Ways of spreading samples over groups spend what they say, and nothing beats itself."""

from __future__ import annotations

import json
import random
from pathlib import Path
from types import ModuleType

import pytest

from grm_plugin.evaluation.resampling import Resampling
from grm_plugin.evaluation.scaling import Samples, draw_orders
from tests.evaluation.verdicts import noisy

np = pytest.importorskip("numpy")

GROUPS = 12


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
    import uneven_samples

    return uneven_samples


@pytest.fixture
def samples() -> Samples:
    rng = random.Random(0)
    return Samples.of([noisy(rng, n=4, k=64, skill=rng.uniform(0, 3)) for _ in range(GROUPS)])


def test_as_many_for_every_group_differ_in_nothing(script: ModuleType, samples: Samples) -> None:
    halves = list(script.in_halves(samples, draw_orders(64, 3, places=4)))
    even = {m: script.measured(halves, lambda _, m=m: np.full(GROUPS, m)) for m in range(2, 33, 2)}
    for key in script.MEASURES:
        assert script.difference(Resampling(GROUPS), even[8], even, key)[2:] == [0, 0, 0]
    errors = [float(even[m]["error of normalised"].mean()) for m in (2, 8, 32)]
    assert errors == sorted(errors, reverse=True)


def test_a_budget_is_spent_and_no_group_has_too_few_or_too_many(
    script: ModuleType, samples: Samples
) -> None:
    (half,) = script.in_halves(samples, draw_orders(64, 1, places=4))
    for gain in (script.noise, script.noise_over_spread, script.close_lead):
        drawn = script.shared(half, gain, 8, batch=6)
        assert drawn[:6].mean() == drawn[6:].mean() == 8
        assert drawn.min() >= script.FEWEST and drawn.max() <= script.CAP


def test_it_compares_every_way(script: ModuleType, samples: Samples) -> None:
    found = script.compared(samples, 4, 1, 6)
    assert found["groups"] == GROUPS and found["target noise"] > 0
    assert {*script.ways(6)} < found.keys()


def test_the_decision_tells_what_was_measured() -> None:
    root = Path(__file__).parents[2]
    saved = (root / "benchmarks" / "results" / "uneven_samples.json").read_text(encoding="utf-8")
    text = (root / "docs" / "decisions" / "0016-samples-end-early.md").read_text(encoding="utf-8")
    found = json.loads(saved)["N = 4"]
    told = {
        "`ranking`, 0.2": found["ranking, 0.2"],
        "budget, by noise": found["noise, 8"],
        "budget, by noise over spread": found["noise over spread, 8"],
        "`advantage`, 0.05": found["advantage, 0.05"],
        "`advantage`, 0.02": found["advantage, 0.02"],
    }
    for name, row in told.items():
        centred, normalised = row["error of centred"], row["error of normalised"]
        assert f"| uniform | {centred[1]:.2f} | {normalised[1]:.3f} |" in text
        assert f"| | {name} | {apart(centred, 2)} | {apart(normalised, 3)} |" in text


def apart(ends: list[float], digits: int) -> str:
    _, _, value, low, high = ends
    return f"{value:+.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"
