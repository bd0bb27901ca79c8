"""Which prompts ``recipes/spct/grpo.py`` trains on, on a tiny tokenizer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trl")

from datasets import Dataset
from transformers import AutoTokenizer
from trl import GRPOConfig

from grm_plugin.errors import ConfigError
from recipes.spct.grpo import fitting
from tests.engines.tiny_models import save_judge

ROWS = Dataset.from_list(
    [{"prompt": [{"role": "user", "content": "la " * n}], "label": n} for n in (2, 20, 60)]
)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return AutoTokenizer.from_pretrained(save_judge(tmp_path_factory.mktemp("judge")))


def settings(folder: Path, **more: Any) -> GRPOConfig:
    given = {"use_vllm": True, "max_completion_length": 16, "vllm_max_model_length": 56} | more
    return GRPOConfig(output_dir=str(folder), use_cpu=True, bf16=False, **given)


def test_prompts_that_leave_no_room_for_a_judgment_are_left_out_and_counted(
    tokenizer: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = fitting(ROWS, settings(tmp_path), tokenizer, None)
    assert kept["label"] == [2, 20]
    assert "1 of 3 prompts are over 40 tokens: left out" in "".join(capsys.readouterr())


def test_without_a_limit_all_are_taken(tokenizer: Any, tmp_path: Path) -> None:
    for more in ({"use_vllm": False}, {"vllm_max_model_length": None}):
        assert fitting(ROWS, settings(tmp_path, **more), tokenizer, None) is ROWS


@pytest.mark.parametrize(("use_vllm", "context"), [(False, 56), (True, 56), (True, 999)])
def test_the_models_own_context_counts_whoever_draws(
    tokenizer: Any, tmp_path: Path, use_vllm: bool, context: int
) -> None:
    kept = fitting(ROWS, settings(tmp_path, use_vllm=use_vllm), tokenizer, context)
    assert kept["label"] == [2, 20]


def test_no_prompt_that_fits_is_an_error_with_what_to_do(tokenizer: Any, tmp_path: Path) -> None:
    short = settings(tmp_path, vllm_max_model_length=17)
    with pytest.raises(ConfigError, match=r"none of 3 prompts has 1 tokens or fewer.*raise the"):
        fitting(ROWS, short, tokenizer, None)
