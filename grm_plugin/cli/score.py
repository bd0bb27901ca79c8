"""``grm score``: a file of groups in, a file of verdicts out; a killed run goes on where it was."""

from __future__ import annotations

from contextlib import closing, suppress
from pathlib import Path
from typing import Annotated

from typer import Argument, Exit, Option

from grm_plugin.cli.judge import JudgeSettings, takes_judge
from grm_plugin.cli.judging import judge
from grm_plugin.cli.output import Output, continued
from grm_plugin.cli.program import program
from grm_plugin.cli.restarting import restarted
from grm_plugin.cli.source import Source
from grm_plugin.cli.stdout import StandardOutput
from grm_plugin.cli.terminated import terminable
from grm_plugin.errors import ConfigError
from grm_plugin.grm import GRM
from grm_plugin.hosts.columns import Columns
from grm_plugin.hosts.inputs.opening import Input
from grm_plugin.hosts.messages import Reader, Thinking, UnseenParts
from grm_plugin.report.terminal import say

SOME_UNSCORED = 3
_STDOUT = {"-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"}


@takes_judge
def score(
    settings: JudgeSettings,
    source: Annotated[
        str,
        Argument(
            metavar="INPUT",
            help="Groups: a .jsonl, .json, .csv, .tsv or .parquet file, a folder that `datasets` "
            "saved, hub:owner/name[:split]; - is JSONL from stdin.",
        ),
    ],
    output: Annotated[
        str, Option("-o", "--output", metavar="OUT", help="JSONL file for verdicts; - is stdout.")
    ],
    limit: Annotated[int | None, Option(min=1, help="Judge only the first so many groups.")] = None,
    split: Annotated[str | None, Option(help="Split of a data set that has several.")] = None,
    columns: Annotated[
        list[str] | None,
        Option(help="Names in INPUT, such as prompt=question,responses=a+b; id= leaves one out."),
    ] = None,
    thinking: Annotated[
        Thinking,
        Option(help="Thinking of the responses: drop it, keep it, or only closed thoughts answer."),
    ] = "drop",
    unseen: Annotated[
        UnseenParts,
        Option(help="Parts that the judge can not see, such as images: refuse them, or tell once."),
    ] = "refuse",
    retry_unscored: Annotated[
        bool, Option("--retry-unscored", help="Judge all unscored groups in OUT again.")
    ] = False,
    restart: Annotated[
        bool, Option("--restart", help="Judge all groups again, and replace OUT at the end.")
    ] = False,
    append: Annotated[
        bool, Option("--append", help="OUT may hold verdicts of groups that are not in INPUT.")
    ] = False,
) -> None:
    """Score the groups of INPUT, one verdict a line, in the order of the input.

    A row is `{"prompt": text or messages, "responses": [text or messages, ...]}`, or has
    `completions`, one `completion`, `chosen` and `rejected`, or `messages` that end with a
    response. It may have `id`, `reference`, `principles`, `evidence` and `metadata`; other columns
    are kept with the verdict. An input is checked whole before the first token is spent.

    Run the same command again, and it goes on: what is in OUT is not judged again, except groups
    whose judgments were lost on the way (transport, timeout, a refusal of the server). A verdict
    that is made anew takes the place of the old one when the run ends, and not before the judge
    has answered; until then it waits in OUT.retry, with `--restart` in OUT.restart.

    A `budget` holds for all of OUT: what its verdicts cost counts, and those before them that were
    lost or replaced. Where it might not pay for the next group the run stops, and the same command
    with a larger budget goes on.

    Exit code: 0 all groups are scored, 3 some are unscored, 4 the budget is spent, 1 an error,
    130 interrupted, 143 terminated.
    """
    path = None if output in _STDOUT else Path(output)
    names = Columns.parse(columns or ())
    with terminable(), GRM(settings.load()) as grm:
        _check_paths(source, path, grm.config.record)
        reader = Reader(thinking, unseen, grm.config.thinking.marks)
        groups = Input(source, split=split, columns=names, reader=reader)
        rows = Source(groups, grm.check_group, limit)
        if path is None:
            out: Output = StandardOutput()
        elif restart:
            whole = limit is None and not append and rows.total is not None
            out = restarted(path, grm.config, whole=whole)
        else:
            out = continued(path, grm.config, unscored=retry_unscored)
        with closing(out):
            tally = judge(grm, rows, out, append=append)
    unscored = tally.unscored.total()
    if path:
        say(f"next: {program()} show {path}{' --unscored' if unscored else ''}")
    raise Exit(SOME_UNSCORED if unscored else 0)


def _check_paths(source: str, path: Path | None, record: Path | None) -> None:
    if path and source != "-" and _is_same(path, Path(source)):
        raise ConfigError(f"-o {path} is the input; choose another file")
    if path and Path(source).is_dir() and path.resolve().is_relative_to(Path(source).resolve()):
        raise ConfigError(f"-o {path} lies in the input {source}; choose another folder")
    if path and record and _is_same(path, record):
        raise ConfigError(f"-o {path} is the record, too; leave out the setting record")
    if record and source != "-" and _is_same(record, Path(source)):
        raise ConfigError(f"record: {record} is the input; choose another file")


def _is_same(path: Path, other: Path) -> bool:
    with suppress(OSError):  # whoever opens it says what is wrong
        return path.resolve() == other.resolve() or path.samefile(other)
    return False
