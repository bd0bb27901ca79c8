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
from grm_plugin.hosts.recorded import EVAL, PHASE, STEP, TRAIN, records_of
from grm_plugin.records import read_verdicts
from grm_plugin.report.terminal import out, say
from grm_plugin.types import Verdict


def show(
    record: Annotated[
        Path,
        Argument(
            metavar="OUT",
            help="JSONL file of verdicts, a folder of them, or the start of their names.",
        ),
    ],
    id_: Annotated[str | None, Option("--id", help="The verdicts of this group.")] = None,
    line: Annotated[int | None, Option(min=1, help="The verdict in this line of those.")] = None,
    unscored: Annotated[bool, Option("--unscored", help="Every unscored verdict.")] = False,
    lowest: Annotated[
        int | None, Option(min=1, help="So many verdicts with the lowest reward of any response.")
    ] = None,
    samples: Annotated[
        str | None,
        Option("--samples", metavar="0,3|all", help="Samples to print in full, by number."),
    ] = None,
    step: Annotated[
        int | None, Option(min=0, help="Only verdicts of this step of a training run.")
    ] = None,
    train: Annotated[bool, Option("--train", help="Only verdicts that were trained on.")] = False,
    eval_: Annotated[bool, Option("--eval", help="Only verdicts of evaluations.")] = False,
) -> None:
    """Show a verdict: rewards, scores, critiques, what failed, what it cost.

    Without an option it is the first verdict. A training run has a record for each of its
    processes, and OUT is what their names have in common. Two judgments are printed in full: the
    one whose scores are nearest to what all of them say on average, and the one farthest from it.
    """
    if sum(choice not in (None, False) for choice in (id_, line, unscored, lowest)) > 1:
        raise BadParameter("choose one of --id, --line, --unscored, --lowest")
    if train and eval_:
        raise BadParameter("choose one of --train, --eval")
    in_full = _samples(samples)
    shown = 0
    phase = TRAIN if train else EVAL if eval_ else None
    verdicts = _of(
        itertools.chain.from_iterable(map(read_verdicts, records_of(record))), step, phase
    )
    for verdict in _chosen(verdicts, id_, line, unscored, lowest):
        shown += 1
        out.print(view(verdict, in_full))
    if shown:
        return
    among = _among(step, phase)
    if unscored:
        say(f"no verdict in {record}{among} is unscored")
        return
    raise InputError(f"{record} has no such verdict{among}: {_asked(id_, line)}")


def _of(verdicts: Iterable[Verdict], step: int | None, phase: str | None) -> Iterator[Verdict]:
    """Those of a step and of a phase, where these are asked for."""
    wanted = {name: one for name, one in ((STEP, step), (PHASE, phase)) if one is not None}
    for verdict in verdicts:
        if all(verdict.group.metadata.get(name) == one for name, one in wanted.items()):
            yield verdict


def _among(step: int | None, phase: str | None) -> str:
    told = [f"of step {step}"] if step is not None else []
    return "".join(f" {one}" for one in [*told, *([f"of phase {phase}"] if phase else [])])


def _samples(text: str | None) -> set[int] | None:
    """The samples to print in full; None for the two that tell most, empty for all."""
    if text is None:
        return None
    try:
        return set() if text == "all" else {int(item) for item in text.split(",")}
    except ValueError:
        raise BadParameter(
            f"--samples: expected numbers such as 0,3 or all, got {quoted(text)}"
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
    return f"there is no line {line}" if line else "there is none"
