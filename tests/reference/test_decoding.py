"""The fast sampler samples what transformers would, whatever else is in the batch."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

import grm_plugin.reference

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from grm_plugin.engine import Sampling  # noqa: E402
from grm_plugin.local.seeded import SeededSampler  # noqa: E402
from grm_plugin.reference.decoding import Decoder, suits  # noqa: E402
from grm_plugin.reference.making.generation import complete  # noqa: E402
from grm_plugin.reference.tasks.data import draw_example  # noqa: E402
from grm_plugin.reference.tokenizer import build_tokenizer  # noqa: E402

SHIPPED = Path(grm_plugin.reference.__file__).parent / "model"
TOKENIZER = build_tokenizer()
EOS = 2


DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]


@pytest.fixture(scope="module", params=DEVICES)
def model(request):
    torch.set_num_threads(1)
    return transformers.AutoModelForCausalLM.from_pretrained(SHIPPED).eval().to(request.param)


@pytest.fixture(scope="module")
def prompts():
    rng = random.Random(3)
    drawn = [draw_example(rng, "spct", responses=size).prompt for size in (1, 4, 2, 3)]
    return [one.ids for one in TOKENIZER.encode_batch(drawn)]


def sampled(model, prompts, seeds, steps=60, temperature=1.0):
    """Tokens of each row up to its end."""
    sampling = [Sampling(temperature, max_tokens=steps)] * len(prompts)
    rows = Decoder(model).generate(
        prompts,
        steps=steps,
        sampler=SeededSampler(sampling, seeds, model.device),
        ended=lambda written: (written == EOS).any(1),
    )
    return [row[: row.index(EOS)] if EOS in row else row for row in rows.tolist()]


def test_greedy_tokens_are_those_of_transformers(model, prompts):
    for prompt, tokens in zip(
        prompts, sampled(model, prompts, [0] * 4, temperature=0), strict=True
    ):
        out = model.generate(
            torch.tensor([prompt], device=model.device),
            max_new_tokens=60,
            do_sample=False,
            eos_token_id=EOS,
        )
        expected = out[0, len(prompt) :].tolist()
        assert tokens == (expected[: expected.index(EOS)] if EOS in expected else expected)


def test_every_token_has_the_probabilities_of_transformers(model, prompts):
    seen = []

    class Watching(SeededSampler):
        def choose(self, scores):
            seen.append(scores.log_softmax(-1)[0])
            return super().choose(scores)

    sampler = Watching([Sampling(1.0, max_tokens=30)] * 4, range(4), model.device)
    never = lambda written: torch.zeros_like(written[:, 0], dtype=torch.bool)  # noqa: E731
    rows = Decoder(model).generate(prompts, steps=30, sampler=sampler, ended=never)
    text = torch.tensor([prompts[0] + rows[0].tolist()], device=model.device)
    expected = model(text).logits[0, len(prompts[0]) - 1 : -1].log_softmax(-1)
    assert torch.allclose(torch.stack(seen), expected, atol=1e-3)


def test_a_row_that_ended_where_the_context_ends_waits_for_the_others(model, prompts):
    context = model.config.max_position_embeddings
    full = (prompts[1] * context)[: context - 1]
    first = torch.arange(10, device=model.device) == 0
    sampler = SeededSampler([Sampling(0.0, max_tokens=6)] * 10, [0] * 10, model.device)
    rows = Decoder(model).generate(
        [full, *[prompts[0]] * 9], steps=6, sampler=sampler, ended=lambda written: first
    )
    assert rows[1].tolist() == sampled(model, prompts[:1], [0], steps=6, temperature=0)[0]


def test_a_text_does_not_depend_on_what_else_is_in_its_batch(model, prompts):
    together = sampled(model, prompts * 3, range(12), steps=200)
    assert len({len(tokens) for tokens in together}) > 2  # some rows left the batch before others
    alone = [sampled(model, [prompts[i % 4]], [i], steps=200)[0] for i in range(12)]
    assert together == alone


def test_nothing_is_made_on_another_device_than_that_of_the_network(model, prompts):
    expected = sampled(model, prompts, range(4), steps=5)
    with torch.device("meta"):  # where whatever names no device ends, and computes nothing
        assert sampled(model, prompts, range(4), steps=5) == expected


def test_a_text_is_a_function_of_the_seed_and_the_place(model):
    prompt = TOKENIZER.decode([1], skip_special_tokens=True) + "[Query]\nName some words"
    first = complete(model, TOKENIZER, [prompt] * 6, temperature=1.0, seed=1)
    assert first == complete(model, TOKENIZER, [prompt] * 6, temperature=1.0, seed=1, batch=2)
    assert len({one.text for one in first}) > 1
    assert first != complete(model, TOKENIZER, [prompt] * 6, temperature=1.0, seed=2)


def test_a_network_of_another_make_is_left_to_transformers(model):
    shape = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1, "vocab_size": 99}
    shared = transformers.LlamaConfig(num_attention_heads=4, num_key_value_heads=2, **shape)
    assert suits(model)
    assert not suits(transformers.LlamaForCausalLM(shared))
    other = transformers.Qwen2Config(num_attention_heads=4, num_key_value_heads=4, **shape)
    assert not suits(transformers.Qwen2ForCausalLM(other))
