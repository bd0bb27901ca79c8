"""Models that cap the logits of attention (Gemma-2) are loaded so that they are capped."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, Gemma2Config

from grm_plugin.local.loading import load
from grm_plugin.local.options import LocalModelOptions
from tests.engines.tiny_models import save_judge


@pytest.fixture(scope="module")
def gemma(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Gemma-2 whose attention is sharp, and its cap low."""
    folder = tmp_path_factory.mktemp("gemma")
    tokenizer = AutoTokenizer.from_pretrained(save_judge(tmp_path_factory.mktemp("judge")))
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "head_dim": 8}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2, "query_pre_attn_scalar": 8}
    torch.manual_seed(0)
    config = Gemma2Config(vocab_size=len(tokenizer), attn_logit_softcapping=1.0, **sizes, **heads)
    model = AutoModelForCausalLM.from_config(config)
    for weight in model.parameters():
        weight.data *= 15 if weight.dim() == 2 else 1
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def logits(folder: Path, attention: str | None) -> torch.Tensor:
    options = LocalModelOptions(model=str(folder), device="cpu", attn_implementation=attention)
    model, _ = load(AutoModelForCausalLM, options, "engine 'transformers'")
    with torch.inference_mode():
        found: torch.Tensor = model(torch.arange(1, 20)[None]).logits
    return found


def test_capped_logits_are_capped_unless_another_attention_is_asked_for(gemma: Path) -> None:
    assert torch.equal(logits(gemma, None), logits(gemma, "eager"))
    assert (logits(gemma, "sdpa") - logits(gemma, "eager")).abs().max() > 0.1
