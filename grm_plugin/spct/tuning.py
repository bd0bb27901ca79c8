"""Rows of supervised fine-tuning, as exactly the tokens that the judge is asked with and writes."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from grm_plugin.errors import ConfigError, InputError, quoted
from grm_plugin.hosts.inputs.opening import Input
from grm_plugin.hosts.values import refused
from grm_plugin.local.chat import ChatEncoder
from grm_plugin.spct.labelled import BadRows
from grm_plugin.types import Message

TooLong = Literal["refuse", "drop"]
_IGNORED = -100


@dataclass(frozen=True, slots=True)
class Example:
    """What is asked, and the answer that is learned.

    Args:
        prompt: the turns before the answer.
        answer: the last turn of the assistant.
    """

    prompt: tuple[Message, ...]
    answer: str


def example_of(row: object) -> Example:
    """The example of a row: ``prompt`` and ``completion``, or ``messages`` that end with an answer.

    Raises:
        InputError: names the key, what was expected and what came.

    >>> example_of({"prompt": "2 + 2?", "completion": "4"}).answer
    '4'
    """
    if not isinstance(row, Mapping):
        raise InputError(f"expected a JSON object, got {quoted(row)}")
    turns = [*_turns(row, "prompt", "user"), *_turns(row, "completion", "assistant")]
    if not turns:
        turns = _turns(row, "messages", "user")
    if not turns:
        there = ", ".join(map(quoted, list(row)[:16])) or "an empty object"
        raise InputError(f"expected prompt and completion, or messages, got {there}")
    if len(turns) < 2 or turns[-1].role != "assistant":
        raise InputError(
            "expected a last turn of the assistant after one that asks, got turns of "
            f"{', '.join(turn.role for turn in turns)}"
        )
    if not turns[-1].content.strip():
        raise InputError("expected an answer, got an empty one")
    return Example(tuple(turns[:-1]), turns[-1].content)


def _turns(row: Mapping[str, Any], key: str, role: str) -> list[Message]:
    value = row.get(key)
    if value is None:
        return []
    if isinstance(value, str):
        return [Message(role, value)]
    if not isinstance(value, list | tuple):
        raise refused((key,), "a text or messages", value)
    return [_turn(one, (key, place)) for place, one in enumerate(value)]


def _turn(value: Any, at: tuple[str | int, ...]) -> Message:
    if not isinstance(value, Mapping) or not isinstance(value.get("role"), str):
        raise refused(at, "a message with role and content", value)
    if not isinstance(value.get("content"), str):
        raise refused((*at, "content"), "a text", value.get("content"))
    return Message(value["role"], value["content"])


def read_examples(rows: Input) -> Iterator[Example]:
    """The examples of an input; all bad rows are told at the end.

    Raises:
        InputError: rows are bad, or there is none.
    """
    bad, number = BadRows(rows.label), 0
    for place, row in rows.rows():
        number += 1
        try:
            yield example_of(row)
        except InputError as error:
            bad.add(InputError(f"{rows.label}, {place}: {error}"))
    bad.tell()
    if not number:
        raise InputError(f"{rows.label} holds no rows")


def general_beside(examples: int, share: float) -> int:
    """How many general rows there are beside ``examples`` when they are ``share`` of all.

    Args:
        examples: rows of judgments, all of which are taken.
        share: 0..1, below 1.

    Raises:
        ConfigError: the share is none.

    >>> general_beside(15, 0.85)
    85
    """
    if not 0 <= share < 1:
        raise ConfigError(f"general_share: expected a share from 0 to below 1, got {share}")
    return round(examples * share / (1 - share))


def check_general(got: int, examples: int, share: float) -> None:
    """Refuse fewer general rows than their share of all takes.

    Args:
        got: general rows that fit.
        examples: rows of judgments that fit.
        share: 0..1, below 1.

    Raises:
        ConfigError: says which share they could be.
    """
    wanted = general_beside(examples, share)
    if got < wanted:
        raise ConfigError(
            f"general_share: {share:g} beside {examples:,} rows takes {wanted:,} general rows, got "
            f"{got:,} that fit; bring more, or set general_share to {got / (examples + got):.3f} "
            "at most"
        )


def shuffled(general: Iterable[Example], seed: int) -> list[Example]:
    """``general`` in an order that the seed decides."""
    found = list(general)
    random.Random(seed).shuffle(found)
    return found


class ExampleEncoder:
    """Encodes examples as the ``transformers`` engine asks and what a judge then writes.

    The loss is on the answer and on the token that ends it, and on nothing else.

    Args:
        tokenizer: of transformers, with a chat template.
        owner: how messages call the model.

    Raises:
        ConfigError: there is no chat template, or nothing that ends an answer.
    """

    def __init__(self, tokenizer: Any, owner: str) -> None:
        if not getattr(tokenizer, "chat_template", None):
            raise ConfigError(
                f"{owner} has no chat template, so prompts of messages can not be rendered; name a "
                "file with one as chat_template_path, which is saved with the judge"
            )
        self._tokenizer, self._chat = tokenizer, ChatEncoder(tokenizer, owner=owner)
        ends = [*self._chat.template.ends(), tokenizer.eos_token_id]
        self._end = next((end for end in ends if end is not None), None)
        if self._end is None:
            raise ConfigError(
                f"{owner} has no token that ends an answer: neither an eos_token nor one in its "
                "chat template; set eos_token"
            )

    def encode(self, example: Example) -> dict[str, list[int]]:
        """Token ids, and the labels of the loss for each of them."""
        prompt = self._chat.encode(example.prompt)
        answer = self._tokenizer(example.answer, add_special_tokens=False).input_ids
        learned = [*answer, self._end]
        return {
            "input_ids": [*prompt, *learned],
            "labels": [*[_IGNORED] * len(prompt), *learned],
        }


@dataclass
class Fitting:
    """Passes on the encoded rows that fit, and counts; no row is ever cut.

    Args:
        max_length: tokens of a row; None: any number.
        rows: so many came.
        too_long: so many of them do not fit.
        longest: tokens of the longest of all.
    """

    max_length: int | None
    rows: int = 0
    too_long: int = 0
    longest: int = 0

    def of(self, rows: Iterable[dict[str, list[int]]]) -> Iterator[dict[str, list[int]]]:
        """Those of ``rows`` that fit."""
        for row in rows:
            length = len(row["input_ids"])
            self.rows, self.longest = self.rows + 1, max(self.longest, length)
            if self.max_length is None or length <= self.max_length:
                yield row
            else:
                self.too_long += 1

    def check(self, too_long: TooLong) -> None:
        """Look at what came.

        Args:
            too_long: whether rows that do not fit are to be dropped.

        Raises:
            ConfigError: some do not fit and are not to be dropped, or none fits.
        """
        if self.too_long and (too_long == "refuse" or self.too_long == self.rows):
            raise ConfigError(
                f"max_length: {self.too_long:,} of {self.rows:,} rows have more than "
                f"{self.max_length} tokens, the longest has {self.longest}, and a row that is cut "
                "would lose its scores; raise max_length, or set too_long to drop"
            )
