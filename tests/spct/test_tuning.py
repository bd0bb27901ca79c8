"""Rows of fine-tuning: which are read, how they are mixed, and as which tokens they are learned."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm_plugin.errors import ConfigError, InputError
from grm_plugin.hosts.inputs.opening import Input
from grm_plugin.spct.tuning import (
    Example,
    ExampleEncoder,
    Fitting,
    check_general,
    example_of,
    general_beside,
    read_examples,
    shuffled,
)
from grm_plugin.types import Message

CHAT = [{"role": "user", "content": "q"}]
ANSWER = [{"role": "assistant", "content": "a"}]


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": CHAT, "completion": ANSWER, "id": "x"},
        {"prompt": "q", "completion": "a"},
        {"messages": [*CHAT, *ANSWER]},
    ],
)
def test_an_example_is_a_prompt_and_its_answer(row: dict[str, Any]) -> None:
    assert example_of(row) == Example((Message("user", "q"),), "a")


@pytest.mark.parametrize(
    ("row", "telling"),
    [
        ({"text": "a"}, "expected prompt and completion, or messages, got 'text'"),
        ({"prompt": "q", "completion": " "}, "expected an answer, got an empty one"),
        ({"prompt": "q"}, "a last turn of the assistant"),
        ({"messages": [*ANSWER]}, "after one that asks"),
        ({"messages": [{"role": "user"}]}, "messages.0.content: expected a text"),
        ({"prompt": 1, "completion": "a"}, "prompt: expected a text or messages"),
    ],
)
def test_bad_rows_are_told_by_line(row: Any, telling: str, tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    good = {"prompt": "q", "completion": "a"}
    file.write_text("\n".join(map(json.dumps, (good, row, row))))
    with pytest.raises(InputError) as refused:
        list(read_examples(Input(str(file))))
    assert str(refused.value).count(telling) == 2
    assert "line 2: " in str(refused.value) and "line 3: " in str(refused.value)


@given(st.integers(1, 400), st.floats(0, 0.9))
def test_general_rows_make_up_their_share(number: int, share: float) -> None:
    general = general_beside(number, share)
    assert abs(general - share * (number + general)) <= 1
    check_general(general, number, share)


def test_general_rows_come_in_an_order_that_the_seed_decides() -> None:
    general = [Example((Message("user", "q"),), f"a{n}") for n in range(50)]
    assert shuffled(general, 1) == shuffled(iter(general), 1)
    assert shuffled(general, 1) != shuffled(general, 2)
    assert set(shuffled(general, 1)) == set(general)


def test_too_few_general_rows_and_a_share_that_is_none_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"takes 85 general rows, got 10 .* to 0.400 at most"):
        check_general(10, 15, 0.85)
    with pytest.raises(ConfigError, match="from 0 to below 1, got 1"):
        general_beside(15, 1)


@pytest.mark.parametrize(
    ("most", "too_long", "kept"), [(9, "refuse", 3), (5, "drop", 2), (None, "refuse", 3)]
)
def test_a_row_that_is_too_long_is_never_cut(most: int | None, too_long: Any, kept: int) -> None:
    rows = [{"input_ids": [1] * n, "labels": [1] * n} for n in (3, 5, 9)]
    fitting = Fitting(most)
    assert list(fitting.of(rows)) == rows[:kept]
    fitting.check(too_long)
    assert (fitting.rows, fitting.too_long, fitting.longest) == (3, 3 - kept, 9)


@pytest.mark.parametrize(("most", "too_long", "dropped"), [(4, "refuse", 2), (2, "drop", 3)])
def test_rows_that_do_not_fit_are_refused_unless_they_are_to_be_dropped(
    most: int, too_long: Any, dropped: int
) -> None:
    fitting = Fitting(most)
    list(fitting.of([{"input_ids": [1] * n, "labels": [1] * n} for n in (3, 5, 9)]))
    telling = f"{dropped} of 3 rows have more than {most} tokens, the longest has 9"
    with pytest.raises(ConfigError, match=telling):
        fitting.check(too_long)


torch = pytest.importorskip("torch")


async def learned_and_written(folder: Path, prompt: list[Message]) -> tuple[Any, list[int], str]:
    """What an example of the engine's own greedy answer is encoded as, and what the engine used."""
    from grm_plugin.engine import Limits, SampleRequest, Sampling
    from grm_plugin.engines.transformers import TransformersEngine

    engine = TransformersEngine({"model": str(folder)}, Limits(4, 120, 1))
    await engine.start()
    try:
        generator = engine._generator
        assert generator
        written: list[list[int]] = []
        generate = generator._generate

        def watched(rows: Any, ending: Any) -> Any:
            written.extend(outputs := generate(rows, ending))
            return outputs

        generator._generate = watched  # type: ignore[method-assign]
        request = SampleRequest(tuple(prompt), 1, 0, Sampling(0.0, 1.0, 200, ()), "group")
        (draw,) = await engine.sample(request)
        assert draw.finish_reason == "stop", draw  # type: ignore[union-attr]
        text = draw.text  # type: ignore[union-attr]
        ids = generator.encode(prompt)
        end = next(place for place, token in enumerate(written[0]) if token in generator.ends)
        encoder = ExampleEncoder(generator.tokenizer, "the model")
        return encoder.encode(Example(tuple(prompt), text)), [*ids, *written[0][: end + 1]], text
    finally:
        await engine.close()


async def test_what_is_learned_is_what_the_engine_is_asked_and_writes_with_its_end() -> None:
    from grm_plugin.reference.judge import MODEL
    from grm_plugin.reference.prompt import render_prompt
    from tests.spct.reference_data import rm_rows

    (row,) = rm_rows(1)
    prompt = [Message("user", render_prompt(row["prompt"], row["responses"]))]
    encoded, used, text = await learned_and_written(MODEL, prompt)
    assert "\\boxed{" in text
    assert encoded["input_ids"] == used
    learned = [label for label in encoded["labels"] if label != -100]
    assert encoded["labels"] == [*[-100] * (len(used) - len(learned)), *learned]
    assert learned[-1] == 2  # <|eos|>


async def test_the_token_that_ends_a_turn_of_a_chat_model_is_learned(tmp_path: Path) -> None:
    from tests.engines.tiny_models import tokenizer

    made = tokenizer()
    made.chat_template = "{% for m in messages %}<user> {{ m.content }} <assistant>{% endfor %}"
    encoder = ExampleEncoder(made, "the model")
    encoded = encoder.encode(Example((Message("user", "ba"),), "da"))
    assert encoded["input_ids"][-1] == made.convert_tokens_to_ids("<assistant>")


def test_a_model_without_chat_template_is_refused() -> None:
    from tests.engines.tiny_models import tokenizer

    with pytest.raises(ConfigError, match=r"the model has no chat template.*chat_template_path"):
        ExampleEncoder(tokenizer(chat=False), "the model")
