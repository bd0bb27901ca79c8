"""``grm score``: a file of groups in, a file of verdicts out; a killed run goes on where it was."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Annotated

from typer import Argument, Exit, Option

from grm_plugin.cli.earlier import Earlier, Replacement, check_same_settings, drop_unscored
from grm_plugin.cli.judge import JudgeSettings, takes_judge
from grm_plugin.cli.progress import Bar
from grm_plugin.cli.source import Source
from grm_plugin.cli.stdout import StandardOutput
from grm_plugin.errors import BudgetError, ConfigError, GRMError
from grm_plugin.grm import GRM
from grm_plugin.hosts.messages import Reader, Thinking, UnseenParts
from grm_plugin.prompts.known import advice
from grm_plugin.report.tally import Tally, summary
from grm_plugin.report.terminal import err, say
from grm_plugin.running.recorder import Recorder
from grm_plugin.types import Group

SOME_UNSCORED = 3
BUDGET_SPENT = 4
Sink = Recorder | Replacement | StandardOutput


@takes_judge
def score(
    settings: JudgeSettings,
    source: Annotated[str, Argument(metavar="INPUT", help="JSONL file of groups; - is stdin.")],
    output: Annotated[
        str, Option("-o", "--output", metavar="OUT", help="JSONL file for verdicts; - is stdout.")
    ],
    limit: Annotated[int | None, Option(min=1, help="Judge only the first so many groups.")] = None,
    thinking: Annotated[
        Thinking,
        Option(help="Thinking of the responses: drop it, keep it, or only closed thoughts answer."),
    ] = "drop",
    unseen: Annotated[
        UnseenParts,
        Option(help="Parts that the judge can not see, such as images: refuse them, or tell once."),
    ] = "refuse",
    retry_unscored: Annotated[
        bool, Option("--retry-unscored", help="Judge the unscored groups in OUT again.")
    ] = False,
    restart: Annotated[
        bool, Option("--restart", help="Replace OUT, with the first verdict.")
    ] = False,
) -> None:
    """Score the groups of a JSONL file, one verdict a line, in the order of the input.

    A row is `{"prompt": text or messages, "responses": [text or messages, ...]}`, and may have
    `id`, `reference`, `principles`, `evidence` and `metadata`. A file is checked whole before the
    first token is spent.

    Run the same command again after a crash, and it goes on: what is in OUT is not judged again.
    With `--retry-unscored` the verdicts of groups judged again stand at the end of OUT.

    A `budget` holds for all of OUT: what its verdicts cost counts. Where it might not pay for the
    next group the run stops, and the same command with a larger budget goes on.

    Exit code: 0 all groups are scored, 3 some are unscored, 4 the budget is spent, 1 an error,
    130 interrupted.
    """
    path = None if output == "-" else Path(output)
    _check_paths(source, path)
    with GRM(settings.load()) as grm:
        rows = Source(source, grm.check_group, Reader(thinking, unseen), limit)
        if path and not restart:
            _prepare(path, grm, retry_unscored=retry_unscored)
        tally = _resume(grm, rows, path, restart=restart)
    unscored = tally.unscored.total()
    if unscored:
        say(f"unscored: {unscored} of {tally.groups} groups")
    if path:
        say(f"next: grm show {path}{' --unscored' if unscored else ''}")
    raise Exit(SOME_UNSCORED if unscored else 0)


def _check_paths(source: str, path: Path | None) -> None:
    if path and source != "-" and path.exists():
        with suppress(FileNotFoundError):  # whoever reads the input says that it is not there
            if path.samefile(source):
                raise ConfigError(f"-o {path} is the input; choose another file")


def _prepare(path: Path, grm: GRM, *, retry_unscored: bool) -> None:
    check_same_settings(path, grm.origin)
    if retry_unscored and path.is_file():
        say(f"unscored verdicts taken out of {path}, to judge again: {drop_unscored(path)}")


def _resume(grm: GRM, rows: Source, path: Path | None, *, restart: bool) -> Tally:
    """Judge what ``path`` does not hold yet, or everything."""
    earlier, tally = Earlier(None if restart else path), Tally()
    for verdict in earlier.verdicts():
        tally.add(verdict)
        grm.spend(verdict.cost)
    if tally.groups:
        say(f"verdicts in {path} already: {tally.groups}")
    fresh = (group for group in rows.groups() if not earlier.has(group))
    bar = Bar(tally, rows.total)
    first = next(fresh, None)
    if first is not None:
        with _telling_what_is_kept(tally, path, replaced=restart):
            _start(grm, None if restart else path)
            with closing(_sink(path, restart=restart)) as sink, bar:
                _judge(grm, itertools.chain([first], fresh), sink, bar)
    rows.finish()
    if earlier.strangers and rows.total is not None:
        say(f"warning: verdicts in {path} of groups that are not in the input: {earlier.strangers}")
    err.print(summary(tally, judged=bar.judged, seconds=bar.seconds))
    return tally


def _start(grm: GRM, path: Path | None) -> None:
    with err.status(f"starting the judge ({grm.config.engine.name})"):
        grm.start()
    if advised := advice(grm.engine.model, grm.template.name):
        say(f"warning: {advised}")
    if path:
        check_same_settings(path, grm.origin)


def _sink(path: Path | None, *, restart: bool) -> Sink:
    if path is None:
        return StandardOutput()
    return Replacement(path) if restart and path.is_file() else Recorder(path)


def _judge(grm: GRM, groups: Iterable[Group], sink: Sink, bar: Bar) -> None:
    for verdict in grm.score_many(groups):
        sink.write(verdict)
        bar.add(verdict)


@contextmanager
def _telling_what_is_kept(tally: Tally, path: Path | None, *, replaced: bool) -> Iterator[None]:
    try:
        yield
    except BudgetError as error:
        say(f"stopped: {error}")
        if path:
            say(
                f"verdicts kept in {path}: {tally.groups}; the same command goes on there, with a "
                "larger budget"
            )
        raise Exit(BUDGET_SPENT) from None
    except (GRMError, KeyboardInterrupt):
        if path and replaced and not tally.groups:
            say(f"{path} is as it was")
        elif path:
            say(f"verdicts kept in {path}: {tally.groups}; the same command goes on there")
        raise
