"""The growing key-value cache holds exactly what the cache of transformers holds."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")

from transformers import DynamicCache, Gemma2Config, Gemma2ForCausalLM, LlamaForCausalLM  # noqa: E402
from transformers.cache_utils import DynamicSlidingWindowLayer  # noqa: E402

from grm_plugin.local.cache import CACHE_ARGUMENT, SPARE, GrowingLayer, growing_cache  # noqa: E402
from tests.engines.tiny_models import config  # noqa: E402


def test_appended_states_come_back_in_order_past_every_growth():
    ours, theirs = GrowingLayer(), DynamicCache().layer_class_to_replicate()
    for tokens in (5, SPARE, 1, 1, 2 * SPARE, 1):
        keys, values = torch.randn(2, 3, tokens, 4), torch.randn(2, 3, tokens, 4)
        mine, expected = ours.update(keys, values), theirs.update(keys, values)
        assert all(map(torch.equal, mine, expected))
        assert ours.get_seq_length() == theirs.get_seq_length()


def test_generation_writes_the_same_tokens_as_with_the_usual_cache():
    torch.manual_seed(0)
    model = LlamaForCausalLM(config()).eval()
    prompts, mask = torch.randint(6, 40, (3, 9)), torch.ones(3, 9, dtype=torch.long)
    mask[0, :4] = 0
    plain = {"attention_mask": mask, "max_new_tokens": SPARE + 20, "do_sample": False}
    ours = model.generate(prompts, **{CACHE_ARGUMENT: growing_cache(model)}, **plain)
    assert torch.equal(ours, model.generate(prompts, **plain))


def test_layers_with_a_window_stay_what_transformers_made_them():
    shape = Gemma2Config(
        vocab_size=50, hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=2, num_key_value_heads=1, head_dim=16, sliding_window=16,
    )  # fmt: skip
    torch.manual_seed(0)
    model = Gemma2ForCausalLM(shape).eval()
    cache = growing_cache(model)
    kinds = {type(layer) for layer in cache.layers}
    assert kinds == {GrowingLayer, DynamicSlidingWindowLayer}
    prompts = torch.randint(6, 40, (2, 9))
    plain = {"max_new_tokens": 40, "do_sample": False, "attention_mask": torch.ones_like(prompts)}
    ours = model.generate(prompts, **{CACHE_ARGUMENT: cache}, **plain)
    assert torch.equal(ours, model.generate(prompts, **plain))
