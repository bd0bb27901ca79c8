"""Active parameters: what a token is multiplied with, by the layers of the models themselves."""

from __future__ import annotations

from typing import Any

import pytest

from grm_plugin.local import parameters

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

SMALL = {
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "vocab_size": 50,
}


def multiplied(model: Any) -> int:
    """The parameters of all linear layers and norms, counted by layer."""
    layers = [one for one in model.modules() if not list(one.children())]
    counted = [one for one in layers if not isinstance(one, torch.nn.Embedding)]
    return sum(one.numel() for layer in counted for one in layer.parameters(recurse=False))


@pytest.mark.parametrize("tied", [True, False])
def test_the_table_of_embeddings_counts_once_and_only_as_the_output(tied: bool) -> None:
    config = transformers.LlamaConfig(**SMALL, tie_word_embeddings=tied)
    model = transformers.LlamaForCausalLM(config)
    assert parameters.active_parameters(model) == multiplied(model)
    assert parameters.flops_per_token(model) == 2 * multiplied(model)


def test_a_classifier_has_no_output_over_the_vocabulary() -> None:
    config = transformers.LlamaConfig(**SMALL, num_labels=1)
    model = transformers.LlamaForSequenceClassification(config)
    assert parameters.active_parameters(model) == multiplied(model)


def test_of_experts_only_those_count_that_a_token_is_sent_to() -> None:
    experts = {"num_local_experts": 8, "num_experts_per_tok": 2}
    model = transformers.MixtralForCausalLM(transformers.MixtralConfig(**SMALL, **experts))
    unused = (
        sum(one.numel() for name, one in model.named_parameters() if ".experts." in name) * 6 / 8
    )
    table = model.get_input_embeddings().weight.numel()
    everything = sum(one.numel() for one in model.parameters())
    assert parameters.active_parameters(model) == everything - table - unused
    assert unused == 6 * 2 * 3 * 16 * 24
