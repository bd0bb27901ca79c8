"""Hinted sampling: the judge is told which response is best, and what it writes must not tell.

The hint is evidence on a response, so that a group is asked as ever: fingerprint, order and record
are those of the group without it, and it is left out again by :func:`unhinted`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from grm_plugin.engine import Limits
from grm_plugin.hookspecs import Register, hookimpl
from grm_plugin.options import Options, read_options
from grm_plugin.pipeline.sources import EvidenceSource, EvidenceSourceFactory
from grm_plugin.spct.examples import Datum, datum_of
from grm_plugin.spct.overlap import runs, words
from grm_plugin.types import Group

NAME = "hint"
"""How the evidence source is named in the configuration and in the origin of records."""
_SILENCE = (
    "Judge so, for reasons that stand in the text itself, and write as if nobody had told you."
)
BEST = f"This response is known to be the best one. {_SILENCE}"
RIGHT = f"This answer is known to be right. {_SILENCE}"
WRONG = f"This answer is known to be wrong. {_SILENCE}"
_RESPONSE = r"(?:response|answer)(?: (?:\d+|[a-h]))?"
_LABEL = r"(?:(?:response|answer) (?:\d+|[a-h])|best|which)"
_TELLING = re.compile(
    "|".join(
        rf"\b(?:{pattern})\b"
        for pattern in (
            *runs(_SILENCE, 5),  # words of the hint itself
            rf"{_RESPONSE}(?: which| that)?(?: is| was)?(?: already)? known (?:to be|as)(?: the)?"
            r" (?:best|better|right|correct|wrong|false)",
            r"(?:given|per|according to|based on|because of|thanks to|from) (?:the|this|that) hint",
            r"(?:the|this|that|a) (?:hint|note|instructions?)"
            r" (?:says?|said|states?|stated|tells?|told|indicates?|confirms?)"
            rf"(?: \w+){{0,3}} {_LABEL}",
            r"(?:we|i) (?:am|are|were|was|have been|had been) (?:told|informed)"
            rf"(?: \w+){{0,3}} {_LABEL}",
            rf"(?:told|stated|known|said) (?:beforehand|in advance)(?: \w+){{0,3}} {_LABEL}",
        )
    )
)
"""What tells of a hint, in words as :func:`grm_plugin.spct.overlap.words` has them."""
_HEADING = re.compile(r"\bevidence on (?:response|answer)\b")
"""The heading of evidence, which a datum without evidence has only by its hint."""


def hints_of(datum: Datum) -> tuple[str, ...]:
    """What is told of each response; of those that are not the best one, nothing.

    >>> hints_of(Datum(Group.of("2 + 2?", ["5", "4"]), 1))[0]
    ''
    """
    n = len(datum.group.responses)
    if n == 1:
        return (RIGHT if datum.label else WRONG,)
    return tuple(BEST if place == datum.label else "" for place in range(n))


def unhinted(shown: Group) -> Group:
    """What would have been shown without the hint."""
    without = tuple(map(_without, shown.evidence))
    return replace(shown, evidence=without if any(without) else ())


def _without(evidence: str) -> str:
    for hint in (BEST, RIGHT, WRONG):
        if evidence == hint or evidence.endswith(f"\n{hint}"):
            return evidence.removesuffix(hint).removesuffix("\n")
    return evidence


def tells_hint(text: str, *, evidence: bool = False) -> bool:
    """Whether a judgment says that it was told the label, which nobody could learn from.

    It knows usual ways to say so, not all of them.

    Args:
        text: the judgment.
        evidence: whether the datum has evidence of its own, which a judgment may speak of.

    >>> tells_hint("Response 2, which is known to be the best one, wins.")
    True
    >>> tells_hint("The evidence on response 1 shows a bug.", evidence=True)
    False
    """
    told = " ".join(words(text))
    return bool(_TELLING.search(told) or (not evidence and _HEADING.search(told)))


class HintSource:
    """Tells the judge the label of a group, as evidence on its responses."""

    async def start(self) -> None:
        """Nothing is needed."""

    async def facts(self, group: Group) -> Sequence[str]:
        """The hints.

        Raises:
            InputError: the group has no label.
        """
        return hints_of(datum_of(group))

    async def close(self) -> None:
        """Nothing was taken."""


def make_hint_source(options: Mapping[str, Any], limits: Limits) -> EvidenceSource:
    """A :class:`HintSource`; it has no options."""
    read_options(Options, f"evidence source {NAME!r}", options)
    return HintSource()


@hookimpl
def grm_register_evidence_sources(register: Register[EvidenceSourceFactory]) -> None:
    """Offer the hint, to those who give this module to a judge: it is no part of scoring."""
    register(NAME, make_hint_source)
