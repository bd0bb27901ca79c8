"""From which checkpoint a run goes on, and that it is the same run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trl")

from trl import SFTConfig

from grm_plugin.errors import ConfigError
from grm_trl.resuming import going_on, last_checkpoint

ROWS = [{"input_ids": [1, 2]}]


def checkpoint(folder: Path, step: int, state: str | None = "{}") -> str:
    path = folder / f"checkpoint-{step}"
    path.mkdir(parents=True)
    if state is not None:
        (path / "trainer_state.json").write_text(state)
    return str(path)


def begun(folder: Path, base: str = "base", rows: Any = ROWS, **more: Any) -> str | None:
    config = SFTConfig(str(folder / "run"), use_cpu=True, bf16=False, report_to="none", **more)
    return going_on(config, base, rows, template="grm")


def test_a_checkpoint_that_a_kill_cut_is_told_and_the_one_before_it_taken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert last_checkpoint(tmp_path / "none") is None
    whole = checkpoint(tmp_path, 50)
    checkpoint(tmp_path, 100, '{"global_st')
    checkpoint(tmp_path, 150, None)
    assert last_checkpoint(tmp_path) == whole
    told = capsys.readouterr().err
    assert "checkpoint-100 was not saved to its end" in told and "checkpoint-150" in told


def test_more_steps_and_the_same_batch_in_smaller_pieces_go_on(tmp_path: Path) -> None:
    assert begun(tmp_path, per_device_train_batch_size=8) is None
    last = checkpoint(tmp_path / "run", 2)
    smaller: dict[str, Any] = {"per_device_train_batch_size": 4, "gradient_accumulation_steps": 2}
    assert begun(tmp_path, max_steps=9, logging_steps=3, **smaller) == last


@pytest.mark.parametrize(
    ("other", "telling"),
    [
        ({"rows": [{"input_ids": [1, 3]}]}, "data was"),
        ({"base": "another"}, "model_name_or_path was 'base', is 'another'"),
        ({"learning_rate": 1e-3}, "learning_rate was '2e-05', is '0.001'"),
    ],
)
def test_checkpoints_of_another_run_are_refused(
    tmp_path: Path, other: dict[str, Any], telling: str
) -> None:
    begun(tmp_path)
    begun(tmp_path, **other)  # without checkpoints nothing is lost
    begun(tmp_path)
    checkpoint(tmp_path / "run", 2)
    with pytest.raises(ConfigError, match=f"{telling}.*choose another output_dir"):
        begun(tmp_path, **other)
    assert begun(tmp_path)  # the refusal left what is there as it was


def test_other_weights_under_the_same_name_are_another_base(tmp_path: Path) -> None:
    base = tmp_path / "base"
    base.mkdir()
    (base / "model.safetensors").write_bytes(b"one")
    begun(tmp_path, base=str(base))
    checkpoint(tmp_path / "run", 2)
    (base / "model.safetensors").write_bytes(b"two")
    with pytest.raises(ConfigError, match="weights was"):
        begun(tmp_path, base=str(base))
