"""Rows that ended leave a batch, and what the others write does not depend on it."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from transformers import LlamaConfig, LlamaForCausalLM  # noqa: E402

from grm_plugin.local.whole import sample_whole  # noqa: E402

PROMPTS = [[5, 6, 7, 8, 9], [10], [11, 12, 13], [14, 3], [9, 9, 4, 4]]
COLD = 1e-6  # a temperature at which sampling is greedy


@pytest.fixture(scope="module")
def model() -> LlamaForCausalLM:
    size = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 256}
    torch.manual_seed(0)
    return LlamaForCausalLM(LlamaConfig(vocab_size=20, initializer_range=0.5, **size, **heads))


def alone(model: LlamaForCausalLM, prompt: list[int], ends: set[int], most: int) -> list[int]:
    """Greedy, token by token, without a cache."""
    written: list[int] = []
    while len(written) < most and not ends.intersection(written[-1:]):
        with torch.no_grad():
            logits = model(torch.tensor([prompt + written])).logits[0, -1]
        written.append(int(logits.argmax()))
    return written


def test_a_row_is_written_as_it_would_be_alone(model: LlamaForCausalLM) -> None:
    for ends in ({1}, {2, 7, 15}, set(range(3, 12))):
        drawn = sample_whole(model, PROMPTS, ends=ends, max_tokens=40, temperature=COLD)
        assert drawn == [alone(model, prompt, ends, 40) for prompt in PROMPTS]


def test_samples_follow_the_models_distribution(model: LlamaForCausalLM) -> None:
    torch.manual_seed(1)
    drawn = sample_whole(model, [[5]] * 4000, ends=set(), max_tokens=1)
    counts = torch.bincount(torch.tensor(drawn).squeeze(-1), minlength=20) / 4000
    with torch.no_grad():
        expected = model(torch.tensor([[5]])).logits[0, -1].softmax(-1)
    assert torch.allclose(counts, expected, atol=0.03)


def test_the_end_token_stays_and_the_limit_cuts(model: LlamaForCausalLM) -> None:
    torch.manual_seed(2)
    drawn = sample_whole(model, PROMPTS * 8, ends={4, 5, 6}, max_tokens=12)
    for tokens in drawn:
        assert tokens[-1] in {4, 5, 6} or len(tokens) == 12
        assert not {4, 5, 6}.intersection(tokens[:-1])
