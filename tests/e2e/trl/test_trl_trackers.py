"""What stands in the trackers' own files after a real run: every number and the table, readable."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from docs.metrics import described_in_trl
from grm_plugin.plugins import Plugins
from grm_trl import GRMReward
from tests.e2e.trl.test_trl_trainers import rows, train

Row = dict[str, Any]
STEPS = 2


def of_tensorboard(folder: Path) -> tuple[set[str], list[Row]]:
    reading = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    found = reading.EventAccumulator(str(folder / "tensorboard"))
    found.Reload()
    names = found.Tags()["scalars"]
    assert all(len(found.Scalars(name)) == STEPS for name in names if "/grm/" in name)
    return set(names), []


def of_trackio(folder: Path) -> tuple[set[str], list[Row]]:
    from trackio.utils import TRACKIO_DIR  # where it writes was settled when it was imported

    names, tables = set[str](), list[Row]()
    database = Path(TRACKIO_DIR) / f"{folder.name}.db"
    for (text,) in sqlite3.connect(database).execute("select metrics from metrics"):
        logged = json.loads(text)
        names |= logged.keys()
        tables += logged.get("completions", {}).get("_value", [])
    return names, tables


def of_wandb(folder: Path) -> tuple[set[str], list[Row]]:
    found: list[Row] = []
    for file in folder.glob("wandb/latest-run/files/media/table/*.json"):
        table = json.loads(file.read_text())
        found += [dict(zip(table["columns"], row, strict=True)) for row in table["data"]]
    return set(), found


@pytest.mark.parametrize(
    ("tracker", "read"),
    [("tensorboard", of_tensorboard), ("trackio", of_trackio), ("wandb", of_wandb)],
)
def test_a_tracker_holds_every_number_and_the_table_and_complains_of_nothing(
    tracker: str,
    read: Callable[[Path], tuple[set[str], list[Row]]],
    tiny_model: Path,
    tmp_path: Path,
    judge: Plugins,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path))
    monkeypatch.setenv("TENSORBOARD_LOGGING_DIR", str(tmp_path / "tensorboard"))
    pytest.importorskip(tracker)
    monkeypatch.setattr(logging.getLogger("transformers"), "propagate", True)
    reward = GRMReward(engine="shown", k=2, plugins=judge)
    more = {"num_generations": 4, "max_completion_length": 5, "log_completions": True}
    more |= {"report_to": [tracker], "project": tmp_path.name, "num_completions_to_print": 0}
    train("trl", "GRPO", tiny_model, tmp_path, reward, rows(), **more)
    names, table = read(tmp_path)
    if names:
        logged = {name.removeprefix("train/grm/") for name in names if "train/grm/" in name}
        assert {"reward_mean", "valid_rate", "place_gap", "length_correlation"} <= logged
        assert logged <= described_in_trl()
    if table:
        assert {row["grm_place"] for row in table} == {"1/4", "2/4", "3/4", "4/4"}
        assert all(len(row["grm_votes"].split()) == 2 for row in table)
        assert "grm_critique" in table[0] and "advantage" in table[0]
    assert names or table
    assert "grm/" not in caplog.text
