"""Judges the groups of a source into an output, which may hold some of their verdicts already."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from typer import Exit

from grm_plugin.cli.earlier import OTHER, check_same_settings, mixed
from grm_plugin.cli.output import Output
from grm_plugin.cli.progress import Bar
from grm_plugin.cli.source import Source
from grm_plugin.cli.starting import start
from grm_plugin.config import GRMConfig
from grm_plugin.errors import BudgetError, GRMError, InputError, quoted
from grm_plugin.grm import GRM
from grm_plugin.hosts.counting import Tally
from grm_plugin.prompts.known import advice
from grm_plugin.report.tally import summary
from grm_plugin.report.terminal import err, say
from grm_plugin.types import LOST, Group, Verdict

BUDGET_SPENT = 4
_DOUBTFUL = 16


def judge(
    grm: GRM,
    rows: Source,
    out: Output,
    *,
    append: bool = False,
    started: Callable[[], None] | None = None,
    other: str = OTHER,
) -> Tally:
    """Judge what ``out`` does not hold yet, or is to hold anew; what it cost counts as spent.

    Args:
        grm: the judge, which is started only where something is to be judged.
        rows: the groups.
        out: where their verdicts go.
        append: verdicts of other groups may stand there, too.
        started: called when the judge has been started, before it is asked anything.
        other: what to do where verdicts of other groups stand there.

    Returns:
        All verdicts of the output, those before this run included.

    Raises:
        InputError: a row is bad; or the output holds verdicts of other settings, or other groups.
        GRMError: the judge is dead, refuses us, or can not be started.
        Exit: the budget is spent; what was judged is kept.
    """
    tally = Tally()
    for verdict in out.standing():
        tally.add(verdict)
    grm.spend(out.earlier.spent)
    if tally.groups or out.earlier.to_replace:
        again = f", to judge again: {out.earlier.to_replace}" if out.earlier.to_replace else ""
        say(f"verdicts in {out.places} already: {tally.groups}{again}")
    check_same_settings(out.places, out.origin, grm.origin, out.advice)
    strangers = out.earlier.strangers(rows.whole()) if rows.total is not None else []
    if strangers and not append and out.earlier.lacks(rows.groups()):
        raise mixed(out.places, strangers, rows.name, other)
    _check_drops_nothing(rows, out)
    bar = Bar(tally, rows.total)
    _judge(grm, _needing_a_judge(rows, out, other, append=append), out, bar, started)
    rows.finish()
    for verdict in out.unasked():
        tally.add(verdict)
    whole = out.finish()
    if strangers:
        say(
            f"warning: verdicts in {out.places} of groups that are not in the input: "
            f"{len(strangers)}"
        )
    err.print(summary(tally, judged=bar.judged, seconds=bar.seconds))
    _tell_unscored(tally, out, whole=whole)
    return tally


def once_greedy(config: GRMConfig) -> GRMConfig:
    """The same judge, asked once at temperature 0; said for people."""
    say("one greedy judgment of each group:")
    return config.but(
        k=1, temperature=0.0, select="all", stop="fixed", permutations=None, min_valid=None
    )


def _check_drops_nothing(rows: Source, out: Output) -> None:
    dropped = out.drops(rows.whole()) if rows.total is not None else []
    if dropped:
        raise InputError(
            f"--restart would drop the verdicts of {len(dropped)} groups that are not in "
            f"{rows.name}, such as {quoted(dropped[0])}; --append keeps them, or choose another -o"
        )


def _needing_a_judge(rows: Source, out: Output, other: str, *, append: bool) -> Iterator[Group]:
    """The groups of the input without a verdict that stands.

    A stream can not be read ahead. But the verdicts of its groups stand in its order, so a group
    that is new while some are left shows that they are of another input.

    Raises:
        InputError: they are, and ``append`` does not allow for it.
    """
    earlier = out.earlier
    for group in rows.groups():
        if rows.total is None and not append and earlier.unasked and not earlier.knows(group):
            raise mixed(out.places, earlier.strangers([]), rows.name, other)
        if not earlier.has(group):
            yield group


def _judge(
    grm: GRM,
    groups: Iterator[Group],
    out: Output,
    bar: Bar,
    started: Callable[[], None] | None,
) -> None:
    first, doubted = next(groups, None), False
    if first is None:
        return
    with _telling_what_is_kept(bar.tally, out):
        _start(grm, out)
        if started:
            started()
        with bar:
            for verdict in grm.score_many(itertools.chain([first], groups)):
                out.write(verdict)
                bar.add(verdict)
                doubted = doubted or _doubt(bar.tally, verdict)


def _doubt(tally: Tally, verdict: Verdict) -> bool:
    """Say that nothing of the judge can be read, once it has written a few texts; whether it did.

    Texts that were lost on the way tell nothing about the judge.
    """
    unreadable = sum(count for reason, count in tally.dropped.items() if reason not in LOST)
    read = [one for one in verdict.failures if one.reason not in LOST]
    if tally.valid or unreadable < _DOUBTFUL or not read:
        return False
    example = read[0]
    say(
        f"warning: none of the first {unreadable} judgments can be read; the last is "
        f"{example.reason}: {example.detail}; it ends {quoted(example.text[-80:])}"
    )
    return True


def _start(grm: GRM, out: Output) -> None:
    start(grm)
    if advised := advice(grm.engine.model, grm.template.name):
        say(f"warning: {advised}")
    check_same_settings(out.places, out.origin, grm.origin, out.advice)


@contextmanager
def _telling_what_is_kept(tally: Tally, out: Output) -> Iterator[None]:
    try:
        yield
    except BudgetError as error:
        say(f"stopped: {error}")
        if out.places:
            say(
                f"verdicts kept in {out.places}: {tally.groups}; the same command goes on there, "
                "with a larger budget"
            )
        raise Exit(BUDGET_SPENT) from None
    except (GRMError, KeyboardInterrupt):
        if out.places:
            say(f"verdicts kept in {out.places}: {tally.groups}; the same command goes on there")
        raise


def _tell_unscored(tally: Tally, out: Output, *, whole: bool) -> None:
    if unscored := tally.unscored.total():
        say(f"unscored: {unscored} of {tally.groups} groups")
    if out.missing and out.places:
        say(
            f"lost on the way (transport, timeout or a refusal): {out.missing} groups; the last: "
            f"{out.why_missing}; the same command judges them again"
        )
    if not whole:
        say(f"until then the new verdicts are in {out.places}, and nothing is replaced")
