"""The reward of SPCT's online RL: +1 for a judgment that is right, -1 for every other.

There is no reward for the form: what can not be read is not right (section 5 of arXiv:2504.02495).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grm_plugin.engine import Draw
from grm_plugin.errors import InputError
from grm_plugin.pipeline.reading import Reader
from grm_plugin.spct.examples import correct
from grm_plugin.types import Failure, Judgment, Principle

RIGHT, WRONG = 1.0, -1.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one judgment earns, and what is to be watched about it.

    Args:
        reward: +1 where the judgment is right, else -1.
        failure: why it could not be read, a value of :class:`grm_plugin.types.Reason`; empty when
            it was.
        margin: points between the best and the second best score; None where there is one
            response, or none could be read.
        criteria: how many criteria it names; None where that could not be read.
        largest_weight: share of the heaviest criterion in all weights, 0..1; None where no weights
            are named.
    """

    reward: float
    failure: str = ""
    margin: float | None = None
    criteria: int | None = None
    largest_weight: float | None = None

    @property
    def right(self) -> bool:
        """Whether it is right (eq. 10)."""
        return self.reward > 0

    @property
    def readable(self) -> bool:
        """Whether scores could be read."""
        return not self.failure

    @property
    def tie(self) -> bool:
        """Whether several responses share the highest score; such a judgment is never right."""
        return self.margin == 0


def outcome(
    text: str,
    label: int,
    responses: int,
    reader: Reader,
    *,
    finished: bool = True,
    opened: bool = False,
) -> Outcome:
    """The reward of a judgment, read exactly as in scoring.

    Args:
        text: what the model wrote, thinking included.
        label: the place of the best response among those shown, from 0; of one response 1 where it
            is right and 0 where it is not.
        responses: how many were shown.
        reader: reads by the contract of the template that asked.
        finished: whether the model ended by itself; a text that was cut is not right.
        opened: whether the prompt ended inside a thought.

    Raises:
        InputError: the label is none of that many responses.
    """
    check_label(label, responses)
    draw = Draw(text, "stop" if finished else "length", opened=opened)
    unread = Judgment(0, tuple(range(responses)), 0, text, ())
    sample = reader.read(draw, unread, responses)
    if isinstance(sample, Failure):
        return Outcome(WRONG, failure=sample.reason)
    scores = [score for score in sample.scores if score is not None]
    return Outcome(
        RIGHT if correct(scores, label) else WRONG,
        margin=_margin(scores),
        criteria=len(sample.principles) or None,
        largest_weight=_largest_share(sample.principles),
    )


def check_label(label: int, responses: int) -> None:
    """Refuse a label that is none of that many responses.

    Raises:
        InputError: says what was expected.
    """
    known = range(max(2, responses))
    if responses < 1 or label not in known:
        expected = "0 or 1 for one response" if responses == 1 else f"a place in 0..{known[-1]}"
        raise InputError(f"label: expected {expected}, got {label} for {responses} responses")


def _margin(scores: Sequence[float]) -> float | None:
    if len(scores) < 2:
        return None
    first, second = sorted(scores, reverse=True)[:2]
    return first - second


def _largest_share(principles: Sequence[Principle]) -> float | None:
    weights = [one.weight for one in principles if one.weight]
    return max(weights) / sum(weights) if weights else None
