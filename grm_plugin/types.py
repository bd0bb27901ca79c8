"""The values that flow through the pipeline: a group goes in, a verdict comes out.

Axes: ``K`` samples of the judge, ``N`` responses of a group. Scores are the judge's points
(1..10 by default); rewards are what a trainer gets (0..1 by default).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from grm_plugin.moved import refuse_old_name

SURROGATE = re.compile("[\ud800-\udfff]")
"""Half of a character: no Unicode text. Judges and records get U+FFFD in its place."""
_PLAIN_ID = re.compile(r"[\w./:#@+-]{1,80}")
_LABEL = 80


def digest(text: str) -> str:
    """``text`` as 32 hex digits: what fingerprints and hashes of prompts and templates are."""
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


class Reason(StrEnum):
    """Why a sample was dropped. Counted per verdict, never turned into a score."""

    TRANSPORT = "transport"  # no usable answer: connection, HTTP status, garbage
    TIMEOUT = "timeout"  # a request, group or batch deadline passed
    REFUSED = "refused"  # the judge's server will not take our requests: key, model, parameters
    DECLINED = "declined"  # the judge, or its provider's filter, would not judge this text
    ONLY_THINKING = "only_thinking"  # the judge thought, and gave no answer beside it
    TRUNCATED = "truncated"  # the judge hit its token limit before it finished
    UNREADABLE = "unreadable"  # no answer in the contract's form, or several that differ
    WRONG_COUNT = "wrong_count"  # a readable answer with another number of scores than responses
    OUT_OF_RANGE = "out_of_range"  # a score outside the scale
    META = "meta"  # the meta RM gave no score for this judgment
    MISSING = "missing"  # the replay engine has no such sample on record


class Scale(NamedTuple):
    """The closed range of scores a template asks for, in points."""

    low: float
    high: float

    def to_unit(self, score: float) -> float:
        """Map ``score`` (points) to 0..1."""
        return (score - self.low) / (self.high - self.low)


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation; ``role`` is system, user, assistant or tool."""

    role: str
    content: str


@dataclass(frozen=True)
class Group:
    """One conversation and the N >= 1 responses to judge together.

    Args:
        conversation: the turns before the responses; the last one is usually the user's.
        responses: the N texts to judge, in the order rewards are given back.
        id: the caller's name for this group, shown in messages and records.
        reference: a known good answer, shown to the judge when the template has a place for it.
        principles: principles the judge must use besides its own.
        evidence: facts about each response (say, the outcome of running its code): N texts, or
            none at all.
        metadata: anything JSON; carried into records, never shown to the judge.
    """

    conversation: tuple[Message, ...]
    responses: tuple[str, ...]
    id: str = ""
    reference: str | None = None
    principles: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(
        cls, prompt: str | Sequence[Mapping[str, str]], responses: Sequence[str], **more: Any
    ) -> Group:
        """A group from a plain prompt or from chat messages ``[{"role", "content"}, ...]``.

        Raises:
            TypeError: ``responses`` is one text, or a turn has no role or content.
        """
        if isinstance(responses, str):
            raise TypeError("responses: expected several texts, got one; write [text]")
        turns = [{"role": "user", "content": prompt}] if isinstance(prompt, str) else prompt
        try:
            conversation = tuple(Message(turn["role"], turn["content"]) for turn in turns)
        except (KeyError, TypeError) as error:
            raise TypeError(
                f"prompt: expected turns with role and content, got {turns!r}"
            ) from error
        return cls(conversation, tuple(responses), **more)

    @cached_property
    def fingerprint(self) -> str:
        """Hex digest of all that the caller asked; seeds, resume and replay go by it."""
        asked = [
            [[turn.role, turn.content] for turn in self.conversation],
            self.responses,
            self.reference,
            self.principles,
            self.evidence,
        ]
        return digest(SURROGATE.sub("\ufffd", json.dumps(asked, default=repr, ensure_ascii=False)))

    @property
    def label(self) -> str:
        """How messages name this group: its id, else the start of its fingerprint.

        An id that is more than a word or two is quoted, and cut: callers choose ids.
        """
        name = self.id or self.fingerprint[:8]
        if _PLAIN_ID.fullmatch(name):
            return name
        shown = repr(name)
        return shown if len(shown) <= _LABEL else f"{shown[: _LABEL - 2]}…'"


@dataclass(frozen=True, slots=True)
class Principle:
    """A principle as the judge wrote it, for reports only.

    ``weight`` is the share the judge named for it (30 for "30 %", 3 for "weight 3"), or None.
    """

    text: str
    weight: float | None = None


@dataclass(frozen=True, slots=True)
class Token:
    """One token that the judge wrote, and what else it could have written there.

    ``logprob`` is the natural logarithm of its probability; ``top`` holds the likeliest texts at
    this place with theirs, the token itself among them.
    """

    text: str
    logprob: float
    top: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Judgment:
    """A parsed sample of the judge.

    Args:
        sample: its number k within its run, 0..K-1.
        order: ``order[shown position] = index in the group``; shorter than N when duplicates were
            merged or the group was split.
        seed: the seed of this draw.
        text: what the judge wrote.
        scores: N scores in the group's order (points); None for a response not shown.
        prompt_hash: hex digest of the messages the judge saw.
        principles: what could be read of the judge's principles.
        meta_score: the meta RM's logit, if one was asked.
        voted: whether this judgment was selected to vote.
        prompt_tokens, output_tokens, seconds: its cost (wall seconds of the request).
        run: which of the group's sub-groups it saw; 0 unless the group was split or paired.
        tokens: the tokens from the answer to the end of the text with their probabilities, when the
            contract asks for them.
        said: what the judge wrote in the rounds before, when it speaks more than once.
    """

    sample: int
    order: tuple[int, ...]
    seed: int
    text: str
    scores: tuple[float | None, ...]
    prompt_hash: str = ""
    principles: tuple[Principle, ...] = ()
    meta_score: float | None = None
    voted: bool = True
    prompt_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0
    run: int = 0
    tokens: tuple[Token, ...] = ()
    said: tuple[str, ...] = ()

    def failed(self, reason: Reason, detail: str) -> Failure:
        """This sample as one that is dropped, with its text and its cost."""
        return Failure(
            self.sample,
            self.order,
            self.seed,
            reason,
            detail,
            self.text,
            self.prompt_hash,
            self.prompt_tokens,
            self.output_tokens,
            self.seconds,
            self.run,
            self.said,
            self.tokens,
        )


@dataclass(frozen=True, slots=True)
class Failure:
    """A sample that gives no judgment: why, and whatever text came.

    ``tokens`` are there when it was read and only the selector had no answer for it.
    """

    sample: int
    order: tuple[int, ...]
    seed: int
    reason: Reason
    detail: str
    text: str = ""
    prompt_hash: str = ""
    prompt_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0
    run: int = 0
    said: tuple[str, ...] = ()
    tokens: tuple[Token, ...] = ()


Sample = Judgment | Failure


@dataclass(frozen=True, slots=True)
class Cost:
    """What a verdict cost: judge tokens in and out, wall seconds of the whole group."""

    prompt_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Verdict:
    """The rewards of one group and everything they came from.

    Args:
        group: what was asked.
        rewards: N rewards in the group's order, or None: the group is unscored. A None among them
            is a response that alone is unscored; ``unscored_responses`` says why.
        judgments: every readable sample, whether it voted or not.
        failures: every dropped sample.
        unscored: why there are no rewards; empty when there are.
        cost: tokens and seconds.
        origin: what produced it, for the record: engine, model, template hash, sampling, vote,
            select.
        shown: the group with what sources added to it (evidence, principles); None when nothing.
        unscored_responses: why single responses have no reward, by their index.
    """

    group: Group
    rewards: tuple[float | None, ...] | None
    judgments: tuple[Judgment, ...] = ()
    failures: tuple[Failure, ...] = ()
    unscored: str = ""
    cost: Cost = Cost()
    origin: Mapping[str, Any] = field(default_factory=dict)
    shown: Group | None = None
    unscored_responses: Mapping[int, str] = field(default_factory=dict)

    @property
    def scored(self) -> bool:
        """Whether this group has rewards."""
        return self.rewards is not None

    @property
    def known_rewards(self) -> tuple[float, ...]:
        """The rewards of the responses that have one."""
        return tuple(reward for reward in self.rewards or () if reward is not None)

    @property
    def failures_by_reason(self) -> dict[str, int]:
        """How many samples were dropped, by reason; only reasons that occurred."""
        counts: dict[str, int] = {}
        for failure in self.failures:
            counts[failure.reason] = counts.get(failure.reason, 0) + 1
        return counts


if not TYPE_CHECKING:  # checkers know the names that are there

    def __getattr__(name: str) -> Any:
        raise refuse_old_name(name, __name__, "grm_plugin.engine", ("Draw",))
