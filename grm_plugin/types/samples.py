"""What comes back of the judge: a judgment that could be read, or why a sample gives none."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


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


LOST = frozenset({Reason.TRANSPORT, Reason.TIMEOUT, Reason.REFUSED})
"""Reasons that tell nothing about the judge's answer: it was lost on the way, or not begun."""


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
        weight: how much its vote counts beside the others of its run, above 0 where it votes; only
            ratios count, and equal weights are a plain vote.
        prompt_tokens, output_tokens, seconds: its cost (wall seconds of the request).
        cached_tokens: those of the prompt that the server had cached; None: it does not tell.
        money: the same in US dollars, the meta RM's rating included; None: the price is not known.
        flops: that the judge took for it; None: its size is not known.
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
    money: float | None = None
    cached_tokens: int | None = None
    weight: float = 1.0
    flops: float | None = None

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
            self.money,
            self.cached_tokens,
            self.flops,
        )


@dataclass(frozen=True, slots=True)
class Failure:
    """A sample that gives no judgment: why, whatever text came, and what it cost.

    ``tokens`` are there when it was read and only the selector had no answer for it. ``money`` is
    None where nobody told what it cost: a request that failed may have been billed.
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
    money: float | None = None
    cached_tokens: int | None = None
    flops: float | None = None


Sample = Judgment | Failure


def is_weight(weight: float, *, voted: bool) -> bool:
    """Whether a judgment may carry ``weight``: finite, not below 0, and above it to vote."""
    try:
        return math.isfinite(weight) and (weight > 0 if voted else weight >= 0)
    except TypeError:
        return False
