"""The columns that TRL's completions table shows beside each response."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grm_plugin.errors import on_one_line
from grm_plugin.hosts import counting
from grm_plugin.hosts.scalar_telling import decided, scored
from grm_plugin.hosts.telling import nearest, said_of_each
from grm_plugin.types import Judgment, Principle, Verdict

MAX_TEXT = 400  # characters of a cell: the table stays readable, and the record has all

MAX_VOTES = 8  # votes of a cell


@dataclass(frozen=True, slots=True)
class _Shown:
    """A verdict and the judgment that is shown of it, read once for all responses."""

    verdict: Verdict
    judgment: Judgment | None
    said: Mapping[int, Sequence[str]]

    @classmethod
    def of(cls, verdict: Verdict) -> _Shown:
        found = nearest(verdict)
        return cls(verdict, found, said_of_each(found) if found else {})


def columns(verdict: Verdict, names: Sequence[str]) -> list[dict[str, str]]:
    """What the completions table shows beside each response of a verdict's group.

    Args:
        verdict: of one group.
        names: of :data:`CELLS`.
    """
    shown = _Shown.of(verdict)
    responses = range(len(verdict.group.responses))
    return [{name: _cell(CELLS[name](shown, n)) for name in names} for n in responses]


def _critique(shown: _Shown, n: int) -> str:
    """Why the response has no reward, or what the judgment says of it: no word about another.

    Of a group that a scalar RM decided there is no judgment, and its score in place of one.
    """
    verdict = shown.verdict
    if why := verdict.unscored or verdict.unscored_responses.get(n, ""):
        return f"no reward: {why}"
    if verdict.scalar and not verdict.scalar.judged:
        return f"{decided(verdict.scalar)}; {scored(verdict.scalar, n)}"
    return " ".join(shown.said.get(n, ()))


def _place(shown: _Shown, n: int) -> str:
    """At which place of how many the judgment saw the response."""
    order = shown.judgment.order if shown.judgment else ()
    return f"{order.index(n) + 1}/{len(order)}" if n in order else ""


def _votes(shown: _Shown, n: int) -> str:
    votes = [f"{vote:g}" for vote in counting.votes(counting.voters(shown.verdict), n)]
    return " ".join([*votes[:MAX_VOTES], *["…"] * (len(votes) > MAX_VOTES)])


def _principles(shown: _Shown, n: int) -> str:
    return "; ".join(map(_principle, shown.judgment.principles)) if shown.judgment else ""


def _principle(principle: Principle) -> str:
    weight = "" if principle.weight is None else f" ({principle.weight:g})"
    return principle.text + weight


def _cell(text: str) -> str:
    """One line of at most :data:`MAX_TEXT` characters that can not control a terminal."""
    line = on_one_line(" ".join(text.split()))
    return line if len(line) <= MAX_TEXT else f"{line[: MAX_TEXT - 1]}…"


CELLS = {
    "critique": _critique,
    "place": _place,
    "votes": _votes,
    "principles": _principles,
}
"""How the cell of each column comes from what is shown of a verdict, and a response."""
