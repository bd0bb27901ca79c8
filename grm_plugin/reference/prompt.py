"""The prompt that the reference judge reads: one template for training and for scoring."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from grm_plugin.prompts import Template, load_template
from grm_plugin.types import Group

TEMPLATE = Path(__file__).parent / "prompt.txt"
META_TEMPLATE = Path(__file__).parent / "meta_prompt.txt"
"""What the meta RM reads: a judgment where its judge wrote it, in words that it knows."""


def render_prompt(query: str, responses: Sequence[str]) -> str:
    """The query and its responses, in the order given, as the one user message of the judge.

    >>> print(render_prompt("Name some words", ["sunrise"]), end="")
    [Query]
    Name some words
    [Response 1]
    sunrise
    [Judgment]
    """
    prepared = _template().prepare(Group.of(query, responses))
    (message,) = prepared.render(range(len(responses)))
    return message.content


@lru_cache(maxsize=1)
def _template() -> Template:
    return load_template(TEMPLATE, "reference")
