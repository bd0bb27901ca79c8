"""A study goes on from the runs that were published, when the machine that had them is gone."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from grm_plugin.errors import ConfigError
from recipes.coscaling.chain import Chain
from recipes.coscaling.figures.__main__ import main
from recipes.coscaling.figures.published import published
from recipes.coscaling.plan import plan
from recipes.coscaling.study import stages
from tests.recipes.coscaling_files import written
from tests.recipes.scalar_rm_reports import a_training

ARMS = {"grm_k8": 8.0, "scalar": 1.0, "growing": 4.0, "checker": 0.0}


@pytest.fixture
def known(tmp_path: Path) -> Path:
    """The published runs of a study of two seeds and two scalar RMs."""
    for arm, costs in ARMS.items():
        for seed in (1, 2):
            written(tmp_path / "first", arm, seed, gain=0.1 + seed / 77, costs=costs)
    a_training(tmp_path / "first/scalar/1", [0.69, 0.4], "epochs")
    a_training(tmp_path / "first/scalar/base", [0.69, 0.3], "epochs")
    main(tmp_path / "first", tmp_path / "told.json")
    return tmp_path / "told_runs.json"


def told(path: Path) -> dict[str, object]:
    found: dict[str, object] = json.loads(path.read_text())
    return found


def test_published_runs_tell_the_same_figures_as_their_folder(known: Path, tmp_path: Path) -> None:
    main(tmp_path / "empty", tmp_path / "again.json", known=known)
    first, again = told(tmp_path / "told.json"), told(tmp_path / "again.json")
    assert json.dumps(again["missing"]) == json.dumps(first["missing"])
    assert again["scalar RMs"] == first["scalar RMs"]
    for name, one in first["arms"].items():  # type: ignore[attr-defined]
        value = again["arms"][name]["final"]["value"]  # type: ignore[index]
        assert value == pytest.approx(one["final"]["value"], rel=1e-5)
    assert published(tmp_path / "again_runs.json") is not None
    assert (tmp_path / "again_runs.json").read_text() == known.read_text()


def test_runs_of_another_folder_are_told_together_with_them(known: Path, tmp_path: Path) -> None:
    written(tmp_path / "second", "grm_k8", 3, gain=0.2, costs=8.0)
    main(tmp_path / "second", tmp_path / "both.json", known=known)
    both = told(tmp_path / "both.json")
    assert both["arms"]["grm_k8"]["seeds"] == 3  # type: ignore[index]
    assert both["missing"]["grm_k8"] == [4, 5]  # type: ignore[index]
    assert published(tmp_path / "both_runs.json").names == {
        ("grm_k8", 3),
        *((arm, seed) for arm in ARMS for seed in (1, 2)),
    }


def test_what_is_told_of_already_is_not_run_again(known: Path) -> None:
    chain = Chain(Path("out"), judge=Path("judge"), base=Path("base"), known=known)
    names = [stage.name for stage in stages(chain, plan())]
    assert "grm_k8 1" not in names and "truth grm_k8 2" not in names
    assert "grm_k8 3" in names and "grm_k4 1" in names
    assert "scalar RM base" not in names  # which no run asks
    assert "scalar RM 1" in names  # for seed 4 of scalar asks it
    assert str(known) in stages(chain, plan())[-1].command


def test_a_correlation_that_tells_nothing_stays_nothing(known: Path) -> None:
    runs = {(run.arm, run.seed): run for run in published(known).runs}
    assert all(math.isnan(one) for one in runs["checker", 1].correlation_R)
    assert runs["grm_k8", 1].correlation_R[0] == pytest.approx(0.6)


@pytest.mark.parametrize("text", ["", "{}", '{"runs": [{"arm": "x"}], "scalar RMs": {}}', "[1]"])
def test_a_file_of_no_runs_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / "runs.json").write_text(text)
    with pytest.raises(ConfigError, match=r"runs\.json"):
        published(tmp_path / "runs.json")
