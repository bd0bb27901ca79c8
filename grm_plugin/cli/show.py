"""``grm show``: a recorded verdict as a person reads it."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

from typer import Argument, BadParameter, Option

from grm_plugin.cli.verdict import view
from grm_plugin.errors import InputError, quoted
from grm_plugin.records import read_verdicts
from grm_plugin.report.terminal import out, say
from grm_plugin.types import Verdict


def show(
    record: Annotated[Path, Argument(metavar="OUT", help="JSONL file of verdicts.")],
    id_: Annotated[str | None, Option("--id", help="The verdicts of this group.")] = None,
    line: Annotated[int | None, Option(min=1, help="The verdict in this line.")] = None,
    unscored: Annotated[bool, Option("--unscored", help="Every unscored verdict.")] = False,
    lowest: Annotated[
        int | None, Option(min=1, help="So many verdicts with the lowest reward of any response.")
    ] = None,
    k: Annotated[
        str | None,
        Option("--k", metavar="0,3|all", help="Samples to print in full, by number."),
    ] = None,
) -> None:
    """Show a verdict: rewards, scores, critiques, what failed, what it cost.

    Without an option it is the first verdict. Two judgments are printed in full: the one whose
    scores are nearest to what all of them say on average, and the one farthest from it.
    """
    if sum(choice not in (None, False) for choice in (id_, line, unscored, lowest)) > 1:
        raise BadParameter("choose one of --id, --line, --unscored, --lowest")
    samples = _samples(k)
    shown = 0
    for verdict in _chosen(read_verdicts(record), id_, line, unscored, lowest):
        shown += 1
        out.print(view(verdict, samples))
    if shown:
        return
    if unscored:
        say(f"no verdict in {record} is unscored")
        return
    raise InputError(f"{record} has no such verdict: {_asked(id_, line)}")


def _samples(text: str | None) -> set[int] | None:
    """The samples to print in full; None for the two that tell most, empty for all."""
    if text is None:
        return None
    try:
        return set() if text == "all" else {int(item) for item in text.split(",")}
    except ValueError:
        raise BadParameter(
            f"--k: expected numbers such as 0,3 or all, got {quoted(text)}"
        ) from None


def _chosen(
    verdicts: Iterator[Verdict],
    name: str | None,
    line: int | None,
    unscored: bool,
    lowest: int | None,
) -> Iterable[Verdict]:
    if name is not None:
        return (verdict for verdict in verdicts if verdict.group.id == name)
    if unscored:
        return (verdict for verdict in verdicts if not verdict.scored)
    if lowest is not None:
        return heapq.nsmallest(
            lowest, (one for one in verdicts if one.known_rewards), key=_lowest_reward
        )
    return itertools.islice(verdicts, (line or 1) - 1, line or 1)


def _lowest_reward(verdict: Verdict) -> float:
    return min(verdict.known_rewards, default=0.0)


def _asked(name: str | None, line: int | None) -> str:
    if name is not None:
        return f"no group has the id {name!r}"
    return f"there is no line {line}" if line else "it holds none"
