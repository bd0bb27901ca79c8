"""Files of runs become the figures and the pictures of the co-scaling study."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from grm_plugin.errors import ConfigError
from recipes.coscaling.figures.__main__ import main
from recipes.coscaling.figures.runs import read_run
from recipes.coscaling.plan import plan
from tests.recipes.coscaling_files import written
from tests.recipes.scalar_rm_reports import a_training


def test_runs_on_disk_become_figures_and_pictures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    costs = {"grm_k8": 8.0, "scalar": 1.0, "growing": 4.0, "checker": 0.0}
    for arm, gain in (("grm_k8", 0.3), ("scalar", 0.1), ("growing", 0.28), ("checker", 0.35)):
        for seed in (1, 2):
            written(tmp_path, arm, seed, gain=gain + seed / 100, costs=costs[arm])
    main(tmp_path)
    slopes = [
        read_run(tmp_path / f"runs/{arm}/1", tmp_path / f"truth/{arm}/1.json", edge=5, responses=8)
        .slope
        for arm in ("grm_k8", "checker")
    ]  # fmt: skip
    assert slopes == pytest.approx([0.4, 1.0])
    told = json.loads((tmp_path / "figures.json").read_text())
    claim = told["claims"][0]
    assert claim["name"] == "grm_k8 - scalar, equal steps"
    assert claim["found"]["value"] == pytest.approx(0.2)
    assert claim["holds"] is None
    assert claim["open"] == "so far 2 of 5 seeds of grm_k8"
    assert told["arms"]["scalar"]["megaflops"] == pytest.approx(1e9 / 128 / 1e6)
    assert told["arms"]["grm_k8"]["equal"]["flops"]["value"] == pytest.approx(0.4 + 0.315 / 2)
    assert {name: one["alarms"] for name, one in told["arms"].items()} == {
        "grm_k8": 0, "scalar": 1, "growing": 0, "checker": 0,
    }  # fmt: skip
    assert told["arms"]["grm_k8"]["correlation"]["value"] == pytest.approx(0.6)
    assert told["arms"]["checker"]["correlation"] is None
    assert told["exchange rates"]["grm_k8"] == pytest.approx({"flops": 8, "seconds": 8})
    assert "grm_k8_kl" not in told["missing"]  # it is cut
    assert told["missing"]["scalar_k4"] == [1, 2, 3, 4, 5] and told["missing"]["scalar"] == [
        3,
        4,
        5,
    ]
    assert (tmp_path / "figures.png").stat().st_size > 10_000
    assert (tmp_path / "figures_gap.png").exists()
    assert "not done yet: grm_k1 1, 2, 3, 4, 5" in capsys.readouterr().out


@pytest.mark.parametrize(("doubled", "flat"), [(0.397, True), (0.41, True), (0.38, False)])
def test_a_training_is_flat_where_twice_the_passes_gain_nothing(
    doubled: float, flat: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a_training(tmp_path / "scalar/1", [0.69, 0.5, 0.4, 0.4], "epochs")  # its rate fell to 0
    a_training(tmp_path / "scalar/doubled", [0.69, 0.5, 0.45, doubled], "epochs")
    main(tmp_path)
    told = json.loads((tmp_path / "figures.json").read_text())
    assert told["gained by twice the passes"] == pytest.approx(0.4 - doubled)
    assert ("NOT flat" in capsys.readouterr().out) is not flat


def test_nothing_is_told_at_equal_cost_of_an_arm_that_ended_before_it_cost_as_much(
    tmp_path: Path,
) -> None:
    for arm, cost in {"scalar": 1.0, "growing": 4.0, "grm_k8": 8.0}.items():
        written(tmp_path, arm, 1, gain=0.1, costs=cost)
    main(tmp_path)
    arms = json.loads((tmp_path / "figures.json").read_text())["arms"]
    told = {name: "flops" in one["equal"] for name, one in arms.items()}
    assert told == {"scalar": False, "growing": True, "grm_k8": True}


def test_a_cost_that_nobody_measured_is_told_as_none(tmp_path: Path) -> None:
    costs = {"scalar": 1.0, "growing": 4.0, "checker": 0.0, "openrlhf_scalar": 1.0}
    for arm, cost in costs.items():
        for seed in (1, 2):
            written(tmp_path, arm, seed, gain=0.1, costs=cost)
            log = tmp_path / "runs" / arm / str(seed) / "metrics.jsonl"
            if arm == "openrlhf_scalar":
                log.write_text(log.read_text().replace('"cpu_seconds"', '"clock"'))
    main(tmp_path)
    told = json.loads((tmp_path / "figures.json").read_text())
    assert told["arms"]["openrlhf_scalar"]["milliseconds"] is None
    assert {*told["arms"]["openrlhf_scalar"]["equal"]} == {"steps", "tokens"}
    assert {*told["arms"]["growing"]["equal"]} == {"steps", "flops", "tokens", "seconds"}
    assert told["exchange rates"]["openrlhf_scalar"] == {"flops": 1, "seconds": None}


def test_a_report_of_no_training_is_named(tmp_path: Path) -> None:
    a_training(tmp_path / "scalar/1", [0.5], "flat")
    (tmp_path / "scalar/1/report.json").write_text("{}")
    with pytest.raises(ConfigError, match="scalar/1"):
        main(tmp_path)


def test_a_study_of_which_nothing_is_done_says_what_is_missing(tmp_path: Path) -> None:
    main(tmp_path)
    told = json.loads((tmp_path / "figures.json").read_text())
    planned = {arm.name: arm.seeds for arm in plan().arms if not arm.cut}
    assert {name: len(seeds) for name, seeds in told["missing"].items()} == planned
    assert told["claims"] == []


@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        ("runs/grm_k8/1/metrics.jsonl", "{", "line of JSON a step"),
        ("runs/grm_k8/1/metrics.jsonl", '{"step": 8, "reward": 1}', "another run"),
        ("truth/grm_k8/1.json", "[]", "measured steps that rise"),
        ("truth/grm_k8/1.json", '[{"step": 2}, {"step": 1}]', "measured steps that rise"),
        ("truth/grm_k8/1.json", "7", "list of measured steps"),
    ],
)
def test_files_of_no_run_are_named(tmp_path: Path, file: str, text: str, says: str) -> None:
    written(tmp_path, "grm_k8", 1, gain=0.1, costs=8)
    (tmp_path / file).write_text(text)
    run, truth = tmp_path / "runs/grm_k8/1", tmp_path / "truth/grm_k8/1.json"
    with pytest.raises(ConfigError, match=says):
        read_run(run, truth, edge=5, responses=128)
