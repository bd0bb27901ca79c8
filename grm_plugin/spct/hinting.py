"""Hinted sampling: the judge is told which response is best, and what it writes must not tell.

The hint is evidence on a response, so that a group is asked as ever: fingerprint, order and record
are those of the group without it, and it is left out again by :func:`unhinted`.
"""

from __future__ import annotations

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
_TELLING = {
    "evidence on response",
    *(run for hint in (BEST, RIGHT, WRONG) for run in runs(hint, 5)),
}
"""Words in a row that tell of a hint: five of its own, and the heading of evidence."""


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


def tells_hint(text: str) -> bool:
    """Whether a judgment repeats that it was told, which nobody could learn from.

    >>> tells_hint("Response 2, which is known to be the best one, wins.")
    True
    """
    told = f" {' '.join(words(text))} "
    return any(f" {run} " in told for run in _TELLING)


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
