"""Judges the groups of an input that its output does not hold yet, and tells how it goes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager

from typer import Exit

from grm_plugin.cli.earlier import check_same_settings, mixed
from grm_plugin.cli.output import Output
from grm_plugin.cli.progress import Bar
from grm_plugin.cli.source import Source
from grm_plugin.cli.starting import start
from grm_plugin.errors import BudgetError, GRMError, InputError, quoted
from grm_plugin.grm import GRM
from grm_plugin.prompts.known import advice
from grm_plugin.report.tally import Tally, summary
from grm_plugin.report.terminal import err, say
from grm_plugin.types import Group

BUDGET_SPENT = 4


def judge(grm: GRM, rows: Source, out: Output, *, append: bool = False) -> Tally:
    """Judge what ``out`` does not hold yet, or is to hold anew; say how it went.

    Args:
        grm: the judge, started only where a group needs it.
        rows: the groups.
        out: where verdicts go.
        append: whether ``out`` may hold verdicts of groups that are not among ``rows``.

    Returns:
        A tally of all verdicts that ``out`` holds.

    Raises:
        Exit: the budget is spent, with code 4; what was judged is kept.
        InputError: ``out`` was made with other settings or of other groups, or a row is bad.
        GRMError: as :meth:`GRM.score_many`; what was judged is kept.
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
        raise mixed(out.places, strangers, rows.name)
    _check_drops_nothing(rows, out)
    bar = Bar(tally, rows.total)
    _judge(grm, _needing_a_judge(rows, out, append=append), out, bar)
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


def _check_drops_nothing(rows: Source, out: Output) -> None:
    dropped = out.drops(rows.whole()) if rows.total is not None else []
    if dropped:
        raise InputError(
            f"--restart would drop the verdicts of {len(dropped)} groups that are not in "
            f"{rows.name}, such as {quoted(dropped[0])}; --append keeps them, or choose another -o"
        )


def _needing_a_judge(rows: Source, out: Output, *, append: bool) -> Iterator[Group]:
    """The groups of the input without a verdict that stands.

    A stream can not be read ahead. But the verdicts of its groups stand in its order, so a group
    that is new while some are left shows that they are of another input.

    Raises:
        InputError: they are, and ``append`` does not allow for it.
    """
    earlier = out.earlier
    for group in rows.groups():
        if rows.total is None and not append and earlier.unasked and not earlier.knows(group):
            raise mixed(out.places, earlier.strangers([]), rows.name)
        if not earlier.has(group):
            yield group


def _judge(grm: GRM, groups: Iterator[Group], out: Output, bar: Bar) -> None:
    first = next(groups, None)
    if first is None:
        return
    with _telling_what_is_kept(bar.tally, out):
        _start(grm, out)
        with bar:
            for verdict in grm.score_many(itertools.chain([first], groups)):
                out.write(verdict)
                bar.add(verdict)


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
            f"lost on the way (transport, timeout or a refusal): {out.missing} groups; the same "
            "command judges them again"
        )
    if not whole:
        say(f"until then the new verdicts are in {out.places}, and nothing is replaced")
