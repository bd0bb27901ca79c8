"""``recipes/spct/merge_adapter.py`` on a tiny model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
peft = pytest.importorskip("peft")

from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig  # noqa: E402
from typer import BadParameter  # noqa: E402

from recipes.spct.merge_adapter import main  # noqa: E402
from tests.engines.tiny_models import save_judge  # noqa: E402


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    """An adapter with weights of its own, whose turns end with another token than its base."""
    base = save_judge(tmp_path / "base")
    lora = peft.LoraConfig(r=2, init_lora_weights=False, target_modules="all-linear")
    model = peft.get_peft_model(AutoModelForCausalLM.from_pretrained(base), lora)
    model.save_pretrained(tmp_path / "adapter")
    tokenizer: Any = AutoTokenizer.from_pretrained(base)
    tokenizer.eos_token = tokenizer.convert_ids_to_tokens(5)
    tokenizer.save_pretrained(tmp_path / "adapter")
    return tmp_path / "adapter"


def test_the_merged_model_says_what_base_and_adapter_say(adapter: Path, tmp_path: Path) -> None:
    main(adapter, tmp_path / "whole")
    ids = torch.arange(1, 9)[None]
    with torch.inference_mode():
        both = peft.AutoPeftModelForCausalLM.from_pretrained(adapter)(ids).logits
        base = AutoModelForCausalLM.from_pretrained(adapter.parent / "base")(ids).logits
        whole = AutoModelForCausalLM.from_pretrained(tmp_path / "whole")(ids).logits
    assert torch.allclose(whole, both, atol=1e-4)
    assert not torch.allclose(whole, base, atol=1e-2)


def test_it_ends_where_the_adapter_learnt_to_end(adapter: Path, tmp_path: Path) -> None:
    before = GenerationConfig.from_pretrained(adapter.parent / "base").eos_token_id
    main(adapter, tmp_path / "whole")
    ends = GenerationConfig.from_pretrained(tmp_path / "whole").eos_token_id
    assert ends == [5, *before] and 5 not in before
    assert AutoTokenizer.from_pretrained(tmp_path / "whole").eos_token_id == 5


def test_a_folder_without_an_adapter_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadParameter, match=r"expected a folder with adapter_config\.json"):
        main(tmp_path, tmp_path / "whole")
