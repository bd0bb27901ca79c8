"""The settings of SPCT on the reference family, as TRL reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

trl = pytest.importorskip("trl")

from trl import ModelConfig, SFTConfig, TrlParser  # noqa: E402

from recipes.spct.sft import Rows  # noqa: E402

SFT = Path(__file__).parents[2] / "recipes/spct/reference/sft.yaml"


def test_trl_reads_every_key_of_fine_tuning(tmp_path: Path) -> None:
    arguments = ["--config", str(SFT), "--output_dir", str(tmp_path)]
    rows, training, model = TrlParser((Rows, SFTConfig, ModelConfig)).parse_args_and_config(
        arguments, fail_with_unknown_args=True
    )
    assert rows.too_long == "refuse"
    assert (training.learning_rate, training.max_length) == (3e-4, 2048)
    assert model.model_name_or_path == "out/spct/base"
