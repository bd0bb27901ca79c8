"""``grm show``: a recorded verdict as a person reads it."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from typer import Argument, BadParameter, Option

from grm_plugin.cli.page import Html, write_html
from grm_plugin.cli.recorded_verdicts import HELP, STDIN, phase_of, some, told, verdicts_in
from grm_plugin.cli.verdict import view
from grm_plugin.errors import InputError, quoted
from grm_plugin.report.terminal import out, say
from grm_plugin.types import Verdict


def _renamed(value: str | None) -> None:
    if value is not None:
        raise BadParameter(
            f"the samples to print are --samples {value} now; everywhere else -k is how many "
            "samples a judge draws"
        )


@dataclass(frozen=True)
class Choice:
    """Which verdicts to show, by at most one of these; the first one by none."""

    id: str | None = None
    line: int | None = None
    unscored: bool = False
    lowest: int | None = None
    highest: int | None = None

    @property
    def made(self) -> int:
        """How many of them were asked for."""
        asked = (self.id, self.line, self.unscored, self.lowest, self.highest)
        return sum(one not in (None, False) for one in asked)

    def of(self, verdicts: Iterator[Verdict]) -> Iterable[Verdict]:
        """Those that are chosen, read one at a time."""
        if self.id is not None:
            return (verdict for verdict in verdicts if verdict.group.id == self.id)
        if self.unscored:
            return (verdict for verdict in verdicts if not verdict.scored)
        scored = (verdict for verdict in verdicts if verdict.known_rewards)
        if self.lowest is not None:
            return heapq.nsmallest(self.lowest, scored, key=lambda one: min(one.known_rewards))
        if self.highest is not None:
            return heapq.nlargest(self.highest, scored, key=lambda one: max(one.known_rewards))
        return itertools.islice(verdicts, (self.line or 1) - 1, self.line or 1)

    def __str__(self) -> str:
        if self.id is not None:
            return f"no group has the id {quoted(self.id)}"
        return f"there is no line {self.line}" if self.line else "there is none"


def show(
    record: Annotated[Path, Argument(metavar="OUT", help=HELP)],
    id_: Annotated[str | None, Option("--id", help="The verdicts of this group.")] = None,
    line: Annotated[int | None, Option(min=1, help="The verdict in this line of those.")] = None,
    unscored: Annotated[bool, Option("--unscored", help="Every unscored verdict.")] = False,
    lowest: Annotated[
        int | None, Option(min=1, help="So many verdicts with the lowest reward of any response.")
    ] = None,
    highest: Annotated[
        int | None, Option(min=1, help="So many verdicts with the highest reward of any response.")
    ] = None,
    samples: Annotated[
        str | None,
        Option(metavar="0,3|all", help="Samples to print in full, by number, dropped ones too."),
    ] = None,
    k: Annotated[str | None, Option("--k", "-k", hidden=True, callback=_renamed)] = None,
    step: Annotated[
        int | None, Option(min=0, help="Only verdicts of this step of a training run.")
    ] = None,
    train: Annotated[bool, Option("--train", help="Only verdicts that were trained on.")] = False,
    eval_: Annotated[bool, Option("--eval", help="Only verdicts of evaluations.")] = False,
    html: Html = None,
) -> None:
    """Show a verdict: rewards, scores, critiques, what failed, what it cost.

    Without an option it is the first verdict, and in a page all of them. A training run has a
    record for each of its processes, and OUT is what their names have in common. Two judgments are
    printed in full: the one whose scores are nearest to what all of them say on average, and the
    one farthest from it.
    """
    choice = Choice(id_, line, unscored, lowest, highest)
    if choice.made > 1:
        raise BadParameter("choose one of --id, --line, --unscored, --lowest, --highest")
    wanted, phase = _numbers(samples), phase_of(train=train, evaluation=eval_)
    name = "standard input" if record == STDIN else record.name or str(record)
    verdicts = verdicts_in([record], step, phase)
    chosen = some(choice.of(verdicts) if choice.made or html is None else verdicts)
    if chosen is None and unscored:
        say(f"no verdict in {record}{told(step, phase)} is unscored")
    elif chosen is None:
        raise InputError(f"{record} has no such verdict{told(step, phase)}: {choice}")
    elif html is not None:
        write_html(html, chosen, title=name)
    else:
        for verdict in chosen:
            out.print(view(verdict, wanted))


def _numbers(text: str | None) -> set[int] | None:
    """The samples to print in full; None for the two that tell most, empty for all."""
    if text is None:
        return None
    try:
        return set() if text == "all" else {int(item) for item in text.split(",")}
    except ValueError:
        raise BadParameter(
            f"--samples: expected numbers such as 0,3 or all, got {quoted(text)}"
        ) from None
