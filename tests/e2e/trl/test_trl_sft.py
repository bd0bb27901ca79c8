"""The recipe for SPCT's first stage, with TRL's own trainer on the embedded judge."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from safetensors.torch import load_file
from trl import ModelConfig, SFTConfig, TrlParser

from grm_plugin import GRM
from grm_plugin.errors import ConfigError
from grm_plugin.reference.judge import MODEL
from grm_plugin.reference.prompt import render_prompt
from grm_plugin.types import Group
from grm_trl.training import NaNError
from recipes.spct.sft import Rows, main
from tests.spct.reference_data import rm_rows

RECIPE = Path(__file__).parents[3] / "recipes/spct/reference/sft.yaml"
JUDGMENT = "Specific Criteria:\n1. exactly 2 items (weight 10)\nAnalysis:\nScores: \\boxed{9, 3}"


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """Rows as `grm train reject` writes them, with one judgment for all of them."""
    path = tmp_path / "sft.jsonl"
    with path.open("w") as file:
        for row in rm_rows(16):
            prompt = render_prompt(row["prompt"], row["responses"])
            turns = {
                "prompt": [{"role": "user", "content": prompt}],
                "completion": [{"role": "assistant", "content": JUDGMENT}],
                "id": row["id"],
                "order": [0, 1],
            }
            file.write(json.dumps(turns) + "\n")
    return path


def run(folder: Path, rows: Path, **more: Any) -> Path:
    """Run the recipe; the folder that it wrote."""
    settings = yaml.safe_load(RECIPE.read_text()) | {
        "model_name_or_path": str(MODEL),
        "data": str(rows),
        "output_dir": str(folder / "rft"),
        "per_device_train_batch_size": 8,
        "num_train_epochs": 1,
        "max_steps": 4,
        "save_steps": 2,
    }
    path = folder / "sft.yaml"
    path.write_text(yaml.safe_dump(settings | more))
    main(*TrlParser((Rows, SFTConfig, ModelConfig)).parse_args_and_config(["--config", str(path)]))
    return folder / "rft"


def metrics(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_the_recipe_learns_judgments_goes_on_after_a_stop_and_its_judge_judges(
    rows: Path, tmp_path: Path
) -> None:
    folder = run(tmp_path, rows, max_steps=2, learning_rate=1e-3, lr_scheduler_type="constant")
    assert [line["step"] for line in metrics(folder) if "loss" in line] == [1, 2]
    more = {"learning_rate": 1e-3, "lr_scheduler_type": "constant", "max_steps": 14}
    run(tmp_path, rows, **more)
    losses = {line["step"]: line["loss"] for line in metrics(folder) if "loss" in line}
    assert list(losses) == list(range(1, 15))  # no step was done twice
    assert losses[14] < losses[1] / 2
    (row,) = rm_rows(1)
    settings = {"name": "transformers", "model": str(folder)}
    with GRM(engine=settings, template="reference", k=1, temperature=0, max_tokens=200) as grm:
        verdict = grm.score(Group.of(row["prompt"], row["responses"]))
    assert verdict.judgments[0].text == JUDGMENT


def test_general_rows_are_mixed_in(
    rows: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    general = tmp_path / "general.jsonl"
    general.write_text(
        "".join(json.dumps({"prompt": f"q {n}", "completion": "a"}) + "\n" for n in range(99))
    )
    run(tmp_path, rows, max_steps=1, general=str(general), general_share=0.5)
    assert "16 rows of judgments, 16 general ones; 0 are too long" in capsys.readouterr().err


def test_general_rows_are_a_share_of_the_rows_that_are_left(
    rows: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    short = [json.dumps({"prompt": f"q {n}", "completion": "a"}) + "\n" for n in range(20)]
    rows.write_text(rows.read_text() + "".join(short))
    general = tmp_path / "general.jsonl"
    long = json.dumps({"prompt": "q " * 99, "completion": "a"}) + "\n"
    general.write_text(long * 20 + "".join(short) * 2)
    more = {"general": str(general), "general_share": 0.5, "too_long": "drop", "max_length": 50}
    run(tmp_path, rows, max_steps=1, **more)
    assert "20 rows of judgments, 20 general ones;" in capsys.readouterr().err


def test_a_share_of_general_rows_without_any_is_refused(rows: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"general_share: 0\.85 .* set general_share to 0"):
        run(tmp_path, rows, general_share=0.85)


@pytest.mark.parametrize("logging_steps", [1, 10])
def test_a_loss_that_is_nan_stops_the_run_and_the_last_checkpoint_is_whole(
    rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logging_steps: int
) -> None:
    from trl import SFTTrainer

    step, steps = SFTTrainer.training_step, 0

    def broken(self: Any, *arguments: Any, **more: Any) -> Any:
        nonlocal steps
        steps += 1
        loss = step(self, *arguments, **more)
        return loss * math.nan if steps == 4 else loss

    monkeypatch.setattr(SFTTrainer, "training_step", broken)
    with pytest.raises(NaNError, match=r"loss is nan at step 4.*go on from the last checkpoint"):
        run(tmp_path, rows, max_steps=6, logging_steps=logging_steps)
    assert not (tmp_path / "rft/checkpoint-4").exists()
    assert not (tmp_path / "rft/model.safetensors").exists()
    weights = load_file(tmp_path / "rft/checkpoint-2/model.safetensors")
    assert all(bool(torch.isfinite(one).all()) for one in weights.values())


def test_rows_that_are_too_long_and_a_model_without_chat_template_are_refused(
    rows: Path, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="15 of 16 rows have more than 64 tokens"):
        run(tmp_path, rows, max_length=64)
    bare = tmp_path / "bare"
    shutil.copytree(MODEL, bare)
    (bare / "chat_template.jinja").unlink()
    config = json.loads((bare / "tokenizer_config.json").read_text())
    config.pop("chat_template", None)
    (bare / "tokenizer_config.json").write_text(json.dumps(config))
    with pytest.raises(ConfigError, match=r"has no chat template.*chat_template_path"):
        run(tmp_path, rows, model_name_or_path=str(bare))
    template = str(MODEL / "chat_template.jinja")
    folder = run(
        tmp_path, rows, model_name_or_path=str(bare), chat_template_path=template, max_steps=1
    )
    assert (folder / "chat_template.jinja").read_text() == Path(template).read_text()
