"""The columns that TRL's completions table shows beside each response."""

from __future__ import annotations

from collections.abc import Sequence

from grm_plugin.errors import on_one_line
from grm_plugin.hosts import counting
from grm_plugin.hosts.telling import nearest, said_of
from grm_plugin.types import Judgment, Principle, Verdict

MAX_TEXT = 400  # characters of a cell: the table stays readable, and the record has all

MAX_VOTES = 8  # votes of a cell


def columns(verdict: Verdict, names: Sequence[str]) -> list[dict[str, str]]:
    """What the completions table shows beside each response of a verdict's group.

    Args:
        verdict: of one group.
        names: of :data:`CELLS`.
    """
    shown = nearest(verdict)
    responses = range(len(verdict.group.responses))
    return [{name: _cell(CELLS[name](verdict, shown, n)) for name in names} for n in responses]


def _critique(verdict: Verdict, shown: Judgment | None, n: int) -> str:
    """Why the response has no reward, or what the judgment says of it: no word about another."""
    why = verdict.unscored or verdict.unscored_responses.get(n, "")
    said = " ".join(said_of(shown, n)) if shown else ""
    return f"no reward: {why}" if why else said


def _place(verdict: Verdict, shown: Judgment | None, n: int) -> str:
    """At which place of how many the judgment saw the response."""
    if shown is None or n not in shown.order:
        return ""
    return f"{shown.order.index(n) + 1}/{len(shown.order)}"


def _votes(verdict: Verdict, shown: Judgment | None, n: int) -> str:
    votes = [f"{vote:g}" for vote in counting.votes(counting.voters(verdict), n)]
    return " ".join([*votes[:MAX_VOTES], *["…"] * (len(votes) > MAX_VOTES)])


def _principles(verdict: Verdict, shown: Judgment | None, n: int) -> str:
    return "; ".join(map(_principle, shown.principles)) if shown else ""


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
"""How the cell of each column comes from a verdict, the judgment that is shown, and a response."""
