"""What a rollout of the host says to the judge."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from grm_openrlhf.framing import Frame
from grm_openrlhf.options import OpenRLHFOptions
from grm_openrlhf.settings import RunSettings
from grm_plugin.hosts import messages
from grm_plugin.hosts.labels import defused, turn_of
from grm_plugin.hosts.values import optional_text
from grm_plugin.types import Message

_POLICY, _ENVIRONMENT = "assistant", "environment"


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
        self._settings, self._history = settings, options.history
        self._frame: Frame | None = None
        self._framed_by: Tokenizer | None = None
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
            output: tokens, and the ranges of them that the policy wrote.
            tokenizer: the policy's.

        Raises:
            InputError: the input column holds no prompts, the label column no references, or there
                is what the judge can not see.
        """
        frame = self._frame_of(tokenizer)
        asked, where = label, "label"
        if self._settings.label != "conversation":
            asked, where = (frame and frame.turns(prompt)) or prompt, "prompt"
        conversation = self._messages.conversation(asked, at=(where,))
        return Rollout(
            conversation=self._messages.beside(conversation, "image", output.get("images")),
            response=self._response(output, tokenizer, prompt),
            reference=self._reference(label),
            training=self.is_training(sampling),
        )

    def _frame_of(self, tokenizer: Tokenizer) -> Frame | None:
        if self._framed_by is not tokenizer:
            self._frame, self._framed_by = Frame.of(tokenizer), tokenizer
        return self._frame

    def _response(self, output: Mapping[str, Any], tokenizer: Tokenizer, prompt: str) -> str:
        """What the policy wrote; with the turns before the last one where these count.

        Siblings part ways with their first turn, so turns are part of the response and not of the
        conversation that a group has in common.
        """
        tokens, turns = output["observation_tokens"], list[tuple[str, str]]()
        before, last = prompt, None
        for start, end in output["action_ranges"]:
            if last is not None:
                before = tokenizer.decode(tokens[last:start], skip_special_tokens=False)
                feedback = self._feedback(before, tokens[last:start], tokenizer)
                turns.append((_ENVIRONMENT, feedback))
            turns.append((_POLICY, self._action(tokens[start:end], tokenizer, before)))
            last = end
        if len(turns) > 1 and self._history == "all":
            return "\n".join(f"{turn_of(who)} {text}" for who, text in turns)
        return turns[-1][1] if turns else ""

    def _action(self, tokens: Sequence[int], tokenizer: Tokenizer, before: str) -> str:
        """The text of ``tokens``; special ones go last, since some families think between such."""
        tokens = _without_end(tokens, (tokenizer.eos_token_id, tokenizer.pad_token_id))
        text = tokenizer.decode(tokens, skip_special_tokens=False)
        text = _without(_special(tokens, tokenizer), self._messages.response(text, before))
        return defused(text)  # again: without a special token it may read otherwise

    def _feedback(self, text: str, tokens: Sequence[int], tokenizer: Tokenizer) -> str:
        """What the environment answered, without a chat template."""
        if frame := self._frame_of(tokenizer):
            end = tokenizer.eos_token_id
            ends = "" if end is None else tokenizer.decode([end], skip_special_tokens=False)
            text = frame.plain(text, ends)
        return defused(_without(_special(tokens, tokenizer), text).strip())

    def _reference(self, label: Any) -> str | None:
        if self._settings.label != "reference":
            return None
        return optional_text(label, "label")


def _without_end(tokens: Sequence[int], ends: Sequence[int | None]) -> Sequence[int]:
    count = len(tokens)
    while count and tokens[count - 1] in ends:
        count -= 1
    return tokens[:count]


def _without(texts: Sequence[str], text: str) -> str:
    longest_first = sorted(texts, key=len, reverse=True)
    return re.sub("|".join(map(re.escape, longest_first)), "", text) if texts else text


def _special(tokens: Sequence[int], tokenizer: Tokenizer) -> list[str]:
    """The texts of the special tokens among ``tokens``: what ``skip_special_tokens`` skips."""
    added = tokenizer.added_tokens_decoder
    known = {*tokenizer.all_special_ids, *(one for one in added if added[one].special)}
    found = known.intersection(tokens)
    return [tokenizer.decode([one], skip_special_tokens=False) for one in found]
