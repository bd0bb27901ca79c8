"""The tokenizer round-trips any text, and the shipped files encode prompts as training did."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm_plugin.reference.tasks.data import draw_example
from grm_plugin.reference.tasks.words import SPLITS, compounds
from grm_plugin.reference.tokenizer import SPECIAL, build_tokenizer, save_tokenizer, vocabulary

TOKENIZER = build_tokenizer()
# Names of special tokens are among what hypothesis finds in our code and draws.
plain = st.text(st.characters(exclude_categories=["Cs"])).filter(
    lambda text: not any(name in text for name in SPECIAL)
)


@given(plain)
def test_any_unicode_text_that_names_no_special_token_round_trips_exactly(text):
    assert TOKENIZER.decode(TOKENIZER.encode(text).ids) == text


@pytest.mark.parametrize(
    "text", ["", " ", "\n\n", " a  b ", "▁Ġ\u200b", "\r\n\t", "été 你好 🙂", "\\boxed{7}"]
)
def test_blanks_and_strange_marks_round_trip(text):
    assert TOKENIZER.decode(TOKENIZER.encode(text).ids) == text


@given(st.integers(0, 2**32), st.sampled_from(SPLITS), st.integers(1, 8))
def test_prompt_and_judgment_encode_to_the_sum_of_their_parts(seed, split, responses):
    one = draw_example(random.Random(seed), split, responses=responses)
    judgment = TOKENIZER.encode(one.judgment, add_special_tokens=False).ids
    assert (
        TOKENIZER.encode(one.prompt + one.judgment).ids
        == TOKENIZER.encode(one.prompt).ids + judgment
    )


@pytest.mark.parametrize("frame", ["list: {}", "sunset, {}", "include {} ", "1. start with {}"])
def test_a_content_word_is_its_two_pieces_wherever_it_stands(frame):
    for word, (first, second) in compounds().items():
        assert {first, second} <= set(_tokens(frame.format(word)))


def test_no_prompt_or_judgment_falls_back_to_bytes():
    known = {*vocabulary(), *SPECIAL}
    rng = random.Random(4)
    for split in SPLITS:
        for _ in range(100):
            one = draw_example(rng, split, responses=2)
            assert set(_tokens(one.prompt + one.judgment)) <= known


def test_numbers_and_headings_are_single_tokens():
    assert _tokens("Scores: \\boxed{10, 3}")[1:] == ["Scores: \\boxed{", "10", ", ", "3", "}"]


def test_the_chat_template_encodes_a_prompt_as_training_does(tmp_path):
    transformers = pytest.importorskip("transformers")
    save_tokenizer(tmp_path)
    loaded = transformers.AutoTokenizer.from_pretrained(tmp_path)
    prompt = draw_example(random.Random(1), "heldout", responses=3).prompt
    chat = [{"role": "user", "content": prompt}]
    asked = loaded.apply_chat_template(chat, add_generation_prompt=True, return_dict=True)
    assert asked["input_ids"] == TOKENIZER.encode(prompt).ids == loaded(prompt)["input_ids"]
    assert loaded.decode(asked["input_ids"], skip_special_tokens=True) == prompt


def _tokens(text):
    ids = TOKENIZER.encode(text).ids
    return [TOKENIZER.decode([one], skip_special_tokens=False) for one in ids]
