"""``grm train reject``: the trajectories that are learned from, as rows of fine-tuning."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

from rich.table import Table as Lines
from typer import Argument, Option

from grm_plugin.errors import InputError, quoted
from grm_plugin.records import is_torn, read_verdicts
from grm_plugin.report.terminal import out, plain_table, printable, say
from grm_plugin.running.whole_file import writing
from grm_plugin.spct.prompting import Prompts
from grm_plugin.spct.rejecting import Ease, Fate, Rejection, Table, Trajectory, row_of
from grm_plugin.spct.trajectories import Sort, control_tokens, files_in

Files = list[tuple[Sort, Path]]


def reject(
    folder: Annotated[
        Path, Argument(metavar="DIR", help="Trajectories, as `grm train sample` wrote them.")
    ],
    to: Annotated[Path, Option("--out", help="JSONL file for rows of TRL's SFTTrainer.")],
    easy: Annotated[
        Path | None,
        Option(help="JSONL file for the groups that are too easy; default: DIR/easy.jsonl."),
    ] = None,
) -> None:
    """Keep the trajectories that are right, and write them as prompts and completions.

    Right is a judgment that scores the best response above every other, or a single one by its
    label; what can not be read is not right. A datum of which all trajectories without a hint are
    right is too easy: all of its trajectories are dropped, and `--easy` names it for
    `grm train rl-data`. The hint is not part of a stored prompt.

    So far these are the rules of the paper. Ours drop besides: a datum that may be too easy, as
    what came is right and some was lost on the way; a judgment that was not shown all responses;
    a hinted one that says that it was told (in one of the usual ways to say so: read some); and of
    right ones the same text about the same order, after the first.

    The table of what was kept and dropped, and why, is also in a file beside OUT that ends in
    `.table.json`.
    """
    files = list(files_in(folder))
    for _, path in files:
        if is_torn(path):
            say(f"warning: {path} ends within a line, which is left out; the lines before it count")
    ease, table = _ease(files), Table()
    if ease.unknown:
        say(
            f"warning: data that may be too easy, as some of their trajectories were lost: "
            f"{ease.unknown:,}; none of theirs is kept, and `grm train sample` draws them again"
        )
    prompts = Prompts(control_tokens(folder))
    with writing(to) as file:
        for one in _judged(files, ease, table):
            row = row_of(one, prompts.of(one.verdict, one.sample))
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
        if not table.total[Fate.KEPT]:
            raise InputError(f"{folder}: no trajectory is kept; {_why_none(table, files)}")
    _write(easy or folder / "easy.jsonl", ease.rows())
    _write(to.with_suffix(".table.json"), table.as_json())
    out.print(_shown(table))
    if why := table.why_unreadable:
        told = ", ".join(f"{count:,} {reason}" for reason, count in why.most_common())
        say(f"unreadable, by what was wrong: {told}")
    total = table.total
    say(f"{total[Fate.KEPT]:,} of {total.total():,} trajectories kept in {to}")


def _ease(files: Files) -> Ease:
    ease = Ease()
    for sort, path in files:
        for verdict in read_verdicts(path) if not sort.hinted else ():
            ease.add(verdict)
    return ease


def _judged(files: Files, ease: Ease, table: Table) -> Iterator[Trajectory]:
    """The trajectories that are kept; all are counted."""
    rejection = Rejection(ease)
    for sort, path in files:
        for verdict in read_verdicts(path):
            for one in rejection.of(verdict, hinted=sort.hinted):
                table.add(one)
                if one.fate is Fate.KEPT:
                    yield one


def _why_none(table: Table, files: Files) -> str:
    counts = ", ".join(f"{count:,} {fate}" for fate, count in table.total.most_common())
    told = f"of {table.total.total():,}: {counts or 'none'}"
    failures = (
        one for _, path in files for verdict in read_verdicts(path) for one in verdict.failures
    )
    first = next(failures, None)
    if first is None:
        return told
    return (
        f"{told}; the first that gave no scores: {first.reason}: {first.detail}; its text ends "
        f"{quoted(first.text[-80:])}"
    )


def _write(path: Path, rows: Iterable[dict[str, Any]]) -> None:
    with writing(path) as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _shown(table: Table) -> Lines:
    """A line for each subset and source, a column for each fate that occurs."""
    total = table.total
    fates = [fate for fate in Fate if total[fate] or fate is Fate.KEPT]
    columns = [f">{fate}" for fate in fates]
    lines = plain_table("subset", "source", *columns, ">all")
    for (subset, hinted), counts in sorted(table.counts.items()):
        numbers = [f"{counts[fate]:,}" for fate in fates]
        source = "hinted" if hinted else "plain"
        lines.add_row(printable(subset), source, *numbers, f"{counts.total():,}")
    lines.add_row("all", "", *[f"{total[fate]:,}" for fate in fates], f"{total.total():,}")
    return lines
