"""What of a rollout the judge is shown."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest

from grm_openrlhf.options import OpenRLHFOptions
from grm_openrlhf.reading import Reader, Rollout
from grm_openrlhf.settings import RunSettings
from grm_plugin.errors import InputError

SAMPLING = SimpleNamespace(temperature=1.0)


class Characters:
    def decode(self, tokens: list[int], *, skip_special_tokens: bool) -> str:
        return "".join(map(chr, tokens))


def read(
    text: str, *, label: Any = "", images: Any = None, run: Any = None, **options: Any
) -> Rollout:
    settings = RunSettings(config={"engine": "reference"}, **(run or {}))
    tokens = list(map(ord, text))
    output = {"observation_tokens": tokens, "action_ranges": [(0, len(tokens))], "images": images}
    reader = Reader(settings, OpenRLHFOptions(**options))
    return reader.read("Which animal?", label, SAMPLING, output, Characters())


def test_images_of_a_prompt_are_refused_by_name() -> None:
    with pytest.raises(InputError, match="a part 'image' that the judge can not see"):
        read("a cat", images=["cat.png"])


def test_prompts_with_other_images_are_other_prompts_where_they_are_told() -> None:
    cat, same, dog = (read("a", images=[name], unseen="tell") for name in ("cat", "cat", "dog"))
    assert cat.conversation == same.conversation != dog.conversation
    assert cat.conversation[-1].content.endswith(", not shown]\nWhich animal?")


def test_a_thought_that_was_cut_is_no_answer_where_thoughts_must_be_closed() -> None:
    assert read("perhaps a cat, and", thinking="closed").response == ""
    assert read("perhaps</think>a cat", thinking="closed").response == "a cat"


@pytest.mark.parametrize(
    ("label", "reference"), [("a cat", "a cat"), (None, None), (math.nan, None)]
)
def test_a_label_that_is_missing_is_no_reference(label: Any, reference: str | None) -> None:
    assert read("a", label=label, run={"label": "reference"}).reference == reference
