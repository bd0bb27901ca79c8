"""What a rollout of the host says to the judge."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from grm_openrlhf.options import OpenRLHFOptions
from grm_openrlhf.settings import RunSettings
from grm_plugin.hosts import messages
from grm_plugin.hosts.values import is_missing
from grm_plugin.types import Message


class Tokenizer(Protocol):
    """What is used of the host's tokenizer."""

    @property
    def all_special_ids(self) -> Sequence[int]:
        """Tokens that are no text, by the tokenizer's own account."""

    @property
    def added_tokens_decoder(self) -> Mapping[int, Any]:
        """Tokens that were added, each with ``special``: whether it is no text."""

    @property
    def eos_token_id(self) -> int | None:
        """What ends a response."""

    @property
    def pad_token_id(self) -> int | None:
        """What fills up a batch."""

    def decode(self, token_ids: Sequence[int], *, skip_special_tokens: bool) -> str:
        """The text of some tokens."""


@dataclass(frozen=True, slots=True)
class Rollout:
    """One response and what it answers.

    ``training`` is False for an evaluation: see :class:`Reader`.
    """

    conversation: tuple[Message, ...]
    response: str
    reference: str | None
    training: bool


class Reader:
    """Reads rollouts of one run.

    A rollout counts as training when it was drawn at the training temperature; the host says no
    more about it, and the launcher sees to it that evaluations have another one.
    """

    def __init__(self, settings: RunSettings, options: OpenRLHFOptions) -> None:
        self._settings = settings
        marks = settings.judge_config().thinking.marks
        self._messages = messages.Reader(options.thinking, options.unseen, marks)

    def is_training(self, sampling: Any) -> bool:
        """Whether a rollout with these sampling parameters is trained on."""
        return bool(sampling.temperature == self._settings.temperature)

    def read(
        self,
        prompt: str,
        label: Any,
        sampling: Any,
        output: Mapping[str, Any],
        tokenizer: Tokenizer,
    ) -> Rollout:
        """The rollout behind one result of the host's executor.

        Args:
            prompt: the prompt as the policy saw it, chat template and all.
            label: as the launcher arranged it.
            sampling: the host's sampling parameters.
            output: tokens, and the ranges of them that the policy wrote; the last one is judged.
            tokenizer: the policy's.

        Raises:
            InputError: the input column holds no prompts, or there is what the judge can not see.
        """
        tokens: Sequence[int] = ()
        if output["action_ranges"]:
            start, end = output["action_ranges"][-1]
            tokens = output["observation_tokens"][start:end]
        asked = label if self._settings.label == "conversation" else prompt
        conversation = self._messages.conversation(asked)
        return Rollout(
            conversation=self._messages.beside(conversation, "image", output.get("images")),
            response=self._response(tokens, tokenizer, prompt),
            reference=self._reference(label),
            training=self.is_training(sampling),
        )

    def _response(self, tokens: Sequence[int], tokenizer: Tokenizer, prompt: str) -> str:
        """The text of ``tokens``; special ones go last, since some families think between such."""
        tokens = _without_end(tokens, (tokenizer.eos_token_id, tokenizer.pad_token_id))
        text = tokenizer.decode(tokens, skip_special_tokens=False)
        special = sorted(_special(tokens, tokenizer), key=len, reverse=True)
        response = self._messages.response(text, prompt)
        return re.sub("|".join(map(re.escape, special)), "", response) if special else response

    def _reference(self, label: Any) -> str | None:
        if self._settings.label != "reference":
            return None
        return None if is_missing(label) else str(label)


def _without_end(tokens: Sequence[int], ends: Sequence[int | None]) -> Sequence[int]:
    count = len(tokens)
    while count and tokens[count - 1] in ends:
        count -= 1
    return tokens[:count]


def _special(tokens: Sequence[int], tokenizer: Tokenizer) -> list[str]:
    """The texts of the special tokens among ``tokens``: what ``skip_special_tokens`` skips."""
    added = tokenizer.added_tokens_decoder
    known = {*tokenizer.all_special_ids, *(one for one in added if added[one].special)}
    found = known.intersection(tokens)
    return [tokenizer.decode([one], skip_special_tokens=False) for one in found]
