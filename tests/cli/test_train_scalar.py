"""``grm train scalar`` on tiny models: labels, votes of a judge, resume, bad input."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Ended
from tests.spct.scalar_data import group, judged, write, write_rows

torch = pytest.importorskip("torch")
pytest.importorskip("matplotlib")

Grm = Callable[..., Ended]
QUICK = (
    *("--learning-rate", "0.005", "--batch", "8", "--device-batch", "4", "--epochs", "6"),
    *("--warmup", "0", "--weight-decay", "0", "--save-every", "10", "--validation", "0.25"),
)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A language model of random weights."""
    torch.set_num_threads(1)
    from tests.engines.tiny_models import save_judge

    return save_judge(tmp_path_factory.mktemp("base"))


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    return write_rows(tmp_path / "rm.jsonl", map(group, range(80)))


@pytest.fixture
def record(tmp_path: Path) -> Path:
    return write(tmp_path / "verdicts.jsonl", map(judged, range(80)))


def train(grm: Grm, data: Path, base: Path, *more: object, out: str = "made") -> Ended:
    return grm("train", "scalar", data, "--base", base, "--out", out, *QUICK, *more)


def losses(folder: str = "made") -> list[float]:
    """Of held-out pairs, at each look."""
    lines = map(json.loads, Path(folder, "log.jsonl").read_text().splitlines())
    return [line["eval_loss"] for line in lines if "eval_loss" in line]


def test_the_loss_of_held_out_pairs_falls_and_the_better_response_scores_higher(
    grm: Grm, rows: Path, base: Path
) -> None:
    ended = train(grm, rows, base, "--save-every", "1", "--epochs", "3")
    assert ended.code == 0, ended.err
    report = json.loads(Path("made/report.json").read_text())
    assert min(losses()) < 0.3 < 0.5 < losses()[0]
    assert report["training"]["held_out_loss"] == min(losses())
    found = report["validation"]
    assert found["accuracy"]["value"] > 0.9 and found["groups"] == 20 and found["pairs"] == 40
    assert Path("made/calibration.png").read_bytes().startswith(b"\x89PNG")
    assert "of held-out pairs in their order" in ended.out
    assert not Path("made/checkpoints").exists()


def test_votes_of_a_judge_are_learned_as_shares(grm: Grm, record: Path, base: Path) -> None:
    ended = train(grm, record, base)
    assert ended.code == 0, ended.err
    noted = json.loads(Path("made/scalar.json").read_text())
    assert noted["judge"]["model"] == "one" and noted["spread"] > 0
    report = json.loads(Path("made/report.json").read_text())
    assert report["validation"]["accuracy"]["value"] > 0.8
    assert report["validation"]["calibration"]["ece"] < 0.15
