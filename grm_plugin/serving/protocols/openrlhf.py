"""OpenRLHF's HTTP protocol for rewards, as ``SingleTurnAgentExecutor`` speaks it.

Read from ``openrlhf/utils/agent.py`` of 0.11.2: a POST carries one sample, in three lists of one.
``query`` is the whole text, prompt and response with all special tokens; ``prompts`` is the
chat-templated prompt; ``labels`` whatever the label column holds. Rewards and scores come back as
lists. A call that fails is tried five times, a second apart, with 180 s for each.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Hashable, Sequence
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from grm_plugin.errors import InputError, quoted
from grm_plugin.hosts.messages import Reader
from grm_plugin.hosts.values import check_depth, is_missing, optional_text
from grm_plugin.serving.callers import Caller
from grm_plugin.serving.gathering import Arrival, digest_of
from grm_plugin.serving.scoring import Answer
from grm_plugin.serving.settings import ServingSettings

# Enough of a text to find where a cut prompt begins, and how many places are looked at.
_HEAD = 32
_PLACES = 16
_ID_LENGTH = 1000  # ids are remembered when texts are not


class RewardCall(BaseModel):
    """Body of ``POST /get_reward``: lists of equal length, one entry a sample.

    The last four are additions of ours; with ``group_ids`` there must be ``group_sizes``.
    """

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={
            "examples": [
                {
                    "query": ["<|user|>2 + 2?<|assistant|>4<|im_end|>"],
                    "prompts": ["<|user|>2 + 2?<|assistant|>"],
                    "labels": ["4"],
                    "group_ids": ["prompt 17"],
                    "group_sizes": [8],
                    "sample_indices": [0],
                    "steps": [3],
                }
            ]
        },
    )

    query: list[str] = Field(
        fail_fast=True, description="prompt and response, with all special tokens"
    )
    prompts: list[str] = Field(fail_fast=True, description="what each query begins with")
    labels: list[Any] | None = Field(
        None, description="by the setting `label`: ignored, reference answers, or conversations"
    )
    group_ids: list[Annotated[str, Field(min_length=1, max_length=_ID_LENGTH)]] | None = Field(
        None,
        fail_fast=True,
        description="which group each sample is of: unique in a run, or in a step of steps",
    )
    group_sizes: list[int] | None = Field(
        None, fail_fast=True, description="samples of each one's group"
    )
    sample_indices: list[int] | None = Field(
        None, fail_fast=True, description="place of each in its group"
    )
    steps: list[int] | None = Field(
        None, fail_fast=True, description="the step that each one's group id is of"
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for name in ("prompts", "labels", "group_ids", "group_sizes", "sample_indices", "steps"):
            values = getattr(self, name)
            if values is not None and len(values) != len(self.query):
                raise ValueError(
                    f"{name}: expected one for each of {len(self.query)} queries, got {len(values)}"
                )
        if (self.group_ids is None) != (self.group_sizes is None):
            raise ValueError("expected group_ids and group_sizes together, got only one of them")
        for name in ("sample_indices", "steps"):
            if getattr(self, name) is not None and self.group_sizes is None:
                raise ValueError(f"{name}: expected group_ids and group_sizes beside them")
        sizes = self.group_sizes or ()
        for size, index in zip(sizes, self.sample_indices or [0] * len(sizes), strict=True):
            if size < 1 or not 0 <= index < size:
                raise ValueError(f"expected 0 <= sample index < group size, got {index} and {size}")
        return self


class RewardAnswer(BaseModel):
    """Answer of ``/get_reward``: a finite number for every sample, and the same names always."""

    rewards: list[float] = Field(description="0..1 with the default vote")
    scores: list[float] = Field(
        description="what to filter by: the same, but `unscored_score` in groups without a reward"
    )
    extra_logs: dict[str, list[float]] | None = Field(
        None, description="what to log beside each reward; left out by the setting `extra_logs`"
    )

    @classmethod
    def of(cls, answers: Sequence[Answer], *, logs: bool) -> Self:
        """The answer to a call with these responses; ``logs``: with ``extra_logs``."""
        names = answers[0].logs if answers else {}
        shown = {name: [one.logs[name] for one in answers] for name in names}
        return cls(
            rewards=[one.reward for one in answers],
            scores=[one.score for one in answers],
            extra_logs=shown if logs else None,
        )


def arrivals(
    call: RewardCall, caller: Caller, settings: ServingSettings, reader: Reader
) -> list[Arrival]:
    """The responses of ``call`` by ``caller``, each with the group it belongs to.

    Raises:
        InputError: a query does not begin with its prompt, or a label is not what it should be.
    """
    labels = call.labels or [None] * len(call.query)
    check_depth(labels, ("labels",))
    texts = [
        reader.response(response_of(query, prompt, settings.end_marks), prompt)
        for query, prompt in zip(call.query, call.prompts, strict=True)
    ]
    where = "labels" if settings.label == "conversation" else "prompts"
    asked = _conversations(labels) if where == "labels" else call.prompts
    groups = _groups(call, labels, settings.group_size)
    return [
        Arrival(
            group=key,
            size=size,
            conversation=reader.conversation(asked[i], at=(where, i)),
            response=texts[i],
            caller=caller,
            reference=_reference(labels[i], i) if settings.label == "reference" else None,
            index=call.sample_indices[i] if call.sample_indices else None,
            name=_name(call, i),
        )
        for i, (key, size) in enumerate(groups)
    ]


def _name(call: RewardCall, i: int) -> str:
    """What messages and records call the group of a sample, empty where it has no id."""
    if call.group_ids is None:
        return ""
    return call.group_ids[i] if call.steps is None else f"step {call.steps[i]}, {call.group_ids[i]}"


def _groups(
    call: RewardCall, labels: Sequence[Any], group_size: int | None
) -> list[tuple[Hashable, int]]:
    """Key and size of each sample's group."""
    if call.group_ids is not None and call.group_sizes is not None:
        return [(("id", _name(call, i)), size) for i, size in enumerate(call.group_sizes)]
    asked = [
        digest_of(json.dumps([prompt, label], sort_keys=True))
        for prompt, label in zip(call.prompts, labels, strict=True)
    ]
    if group_size is not None:
        return [(("asked", one), group_size) for one in asked]
    here, sizes = object(), Counter(asked)  # groups of this call alone
    return [((here, one), sizes[one]) for one in asked]


def _conversations(labels: Sequence[Any]) -> Sequence[Any]:
    if any(is_missing(label) or not label for label in labels):
        raise InputError(
            "labels: expected what was asked, since label is set to conversation, got nothing; "
            "name the prompts' own column as OpenRLHF's label key"
        )
    return labels


def _reference(label: Any, place: int) -> str | None:
    return optional_text(label, f"labels.{place}, since label is set to reference")


def response_of(query: str, prompt: str, end_marks: Sequence[str]) -> str:
    """What ``query`` holds after ``prompt``, without the special tokens that end it.

    Decoding may have changed white space, and OpenRLHF cuts the start off a prompt that is too
    long; both are allowed for.

    Raises:
        InputError: ``query`` does not begin with ``prompt``.

    >>> response_of("<user>2 + 2?<bot> 4</s>", "<user>2 + 2?<bot>", ["</s>"])
    ' 4'
    """
    response = _after(prompt, query)
    if response is None:
        response = _after_cut(prompt, query)
    if response is None:
        raise InputError(
            f"expected a query that begins with its prompt {quoted(prompt)}, got {quoted(query)}"
        )
    return _without_end(response, end_marks)


def _after(prompt: str, query: str) -> str | None:
    """The rest of ``query`` behind ``prompt``, taken apart by white space at most, or None."""
    if query.startswith(prompt):
        return query[len(prompt) :]
    at = 0
    for character in prompt:
        if character.isspace():
            continue
        while query[at : at + 1].isspace():
            at += 1
        if query[at : at + 1] != character:
            return None
        at += 1
    return query[at:].lstrip() if prompt[-1:].isspace() else query[at:]


def _after_cut(prompt: str, query: str) -> str | None:
    """The rest of ``query`` behind the end of ``prompt`` that it begins with, or None."""
    start = 0
    for _ in range(_PLACES):
        start = prompt.find(query[:_HEAD], start + 1)
        if start < 0 or len(query) < _HEAD:
            return None
        if query.startswith(prompt[start:]):
            return query[len(prompt) - start :]
    return None


def _without_end(response: str, end_marks: Sequence[str]) -> str:
    kept = end = len(response)
    while True:
        while response[end - 1 : end].isspace():
            end -= 1
        mark = next((mark for mark in end_marks if response.endswith(mark, 0, end)), "")
        if not mark:
            return response[:kept]
        kept = end = end - len(mark)
