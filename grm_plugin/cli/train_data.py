"""``grm train data``: other data as RM data, and what RM data are like before money is spent."""

from __future__ import annotations

import functools
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from rich.table import Table
from typer import Argument, Exit, Option, Typer

from grm_plugin.errors import InputError
from grm_plugin.hosts.columns import Columns
from grm_plugin.hosts.inputs.opening import Input
from grm_plugin.report.terminal import out, plain_table, printable, say
from grm_plugin.running.whole_file import writing
from grm_plugin.spct.converting import (
    Converter,
    Dropped,
    converted,
    from_pair,
    from_ratings,
    from_strengths,
    from_verified,
)
from grm_plugin.spct.examples import Datum, row_of
from grm_plugin.spct.labelled import BadRows, LabelledInput
from grm_plugin.spct.overlap import WORDS, Benchmark
from grm_plugin.spct.profile import Profile, Repetitions

FOUND = 3
_SHOWN = 20
Form = Literal["chosen-rejected", "ratings", "strengths", "verified"]
_SPLIT = Option(help="Split of a data set that has several.")
_COLUMNS = Option(help="Names in the input, such as prompt=question; repeatable.")

data = Typer(help="RM data: convert it from other forms, check it.", no_args_is_help=True)


@data.command()
def convert(
    source: Annotated[str, Argument(metavar="IN", help="A file, folder or hub:owner/name.")],
    form: Annotated[Form, Option("--from", help="What its rows are.")],
    to: Annotated[Path, Option("--out", help="JSONL file for the RM data.")],
    rating: Annotated[
        str | None, Option(help="Name of the rating, where `--from ratings` has several.")
    ] = None,
    together: Annotated[
        bool, Option("--groups", help="Of verified answers make groups with just one right.")
    ] = False,
    split: Annotated[str | None, _SPLIT] = None,
    subset: Annotated[str | None, Option(help="Name of a subset for rows without one.")] = None,
) -> None:
    """Write other preference data as RM data: one group a line, with its label.

    `chosen-rejected`: a prompt, a chosen and a rejected response. `ratings`: several responses,
    each rated, in one of the ways of UltraFeedback. `strengths`: two responses and a number from
    -3 (the first is better) to 3, as in HelpSteer. `verified`: answers that are right or wrong.

    `id`, `subset`, `source`, `reference`, `principles` and images are kept, and other columns join
    the metadata, where `--cluster` finds them.

    A row that names no single best response (a tie, strength 0) is dropped and counted; a row of
    another form is an error.
    """
    counts: Counter[str] = Counter()
    rows = Input(source, split=split)
    with writing(to) as file:
        for found in _converted(rows, _converter(form, rating, together)):
            if isinstance(found, Datum):
                file.write(json.dumps(_in(subset, row_of(found)), ensure_ascii=False) + "\n")
            counts[found.why if isinstance(found, Dropped) else ""] += 1
        if not counts[""]:
            raise InputError(f"{rows.label} gives no data; {_why(counts)}")
    out.print(_kept_and_dropped(counts))
    say(f"next: grm train data check {to}")


def _converter(form: Form, rating: str | None, together: bool) -> Converter:
    converters: dict[Form, Converter] = {
        "chosen-rejected": from_pair,
        "ratings": functools.partial(from_ratings, rating=rating),
        "strengths": from_strengths,
        "verified": functools.partial(from_verified, together=together),
    }
    return converters[form]


def _converted(rows: Input, converter: Converter) -> Iterator[Datum | Dropped]:
    """What the rows say; all bad ones are told at the end."""
    bad = BadRows(rows.label)
    for place, row in rows.rows():
        try:
            yield from converted(row, converter)
        except InputError as error:
            bad.add(InputError(f"{rows.label}, {place}: {error}"))
    bad.tell()


def _in(subset: str | None, row: dict[str, Any]) -> dict[str, Any]:
    return row if subset is None else {"subset": subset, **row}


def _kept_and_dropped(counts: Counter[str]) -> Table:
    table = plain_table("", ">", "", head=False)
    table.add_row("kept", f"{counts['']:,}", "")
    for why, count in counts.most_common():
        if why:
            table.add_row("dropped", f"{count:,}", printable(why))
    return table


def _why(counts: Counter[str]) -> str:
    told = [f"{count} times {why}" for why, count in counts.most_common() if why]
    return f"dropped: {'; '.join(told)}" if told else "expected a row at least"


@data.command()
def check(
    source: Annotated[str, Argument(metavar="RM", help="RM data: any input with labels.")],
    against: Annotated[
        list[str] | None,
        Option(help="A benchmark, any input of groups, to look for in the data; repeatable."),
    ] = None,
    against_split: Annotated[
        str | None, Option(help="Split of a benchmark that has several.")
    ] = None,
    against_columns: Annotated[
        list[str] | None,
        Option(help="Names in the benchmarks, such as prompt=question; repeatable."),
    ] = None,
    ngram: Annotated[
        int, Option(min=4, help="Words in a row that make two texts the same.")
    ] = WORDS,
    drop: Annotated[
        Path | None, Option("--drop", metavar="OUT", help="Write the data without what is wrong.")
    ] = None,
    report: Annotated[Path | None, Option("--json", help="Write all counts and findings.")] = None,
    split: Annotated[str | None, _SPLIT] = None,
    columns: Annotated[list[str] | None, _COLUMNS] = None,
) -> None:
    """Say what RM data are like, and find what should not be trained on.

    A row is a group with its label: `best` (an index from 0 on) or `ratings` (one maximum) of N
    responses, `chosen` and `rejected`, or `correct` (0 or 1) of one response. Rows that are none,
    or have two maxima, are errors and told by line.

    Found are data that are there twice, data with two labels, and texts that share so many words
    in a row with a benchmark. A shorter benchmark text is looked for within others from 8 words on,
    and from 4 on as a whole. In scripts without spaces a character counts as a word.

    `--drop` writes the data without them; of those that are there twice the first stays, of those
    with two labels none.

    Exit code: 0 nothing was found or it was dropped, 3 something was found, 1 an error.
    """
    rows = LabelledInput(Input(source, split=split, columns=Columns.parse(columns or ())))
    benchmark = Benchmark(ngram)
    for name in against or ():
        named = Columns.parse(against_columns or ())
        _take_in(benchmark, Input(name, split=against_split, columns=named))
    profile, findings = _looked_at(rows, benchmark)
    out.print(_described(profile))
    _tell(findings)
    if report:
        with writing(report) as file:
            file.write(json.dumps(_as_json(profile, findings), indent=1) + "\n")
    if drop:
        kept = _write_without(rows, {place for place, _, _ in findings}, drop)
        say(f"{kept:,} of {profile.data:,} data written to {drop}")
    raise Exit(FOUND if findings and not drop else 0)


def _take_in(benchmark: Benchmark, rows: Input) -> None:
    unseen, number = benchmark.unseen, 0
    for number, group in enumerate(rows.groups(), start=1):
        benchmark.add(f"{rows.label}, group {number}", group)
    if unseen := benchmark.unseen - unseen:
        say(
            f"warning: {rows.label}: {unseen:,} of {number:,} groups have hardly any words, and "
            "can not be looked for"
        )


Finding = tuple[str, str, str]
"""Where it is, of which kind it is, and what it says."""


def _looked_at(rows: LabelledInput, benchmark: Benchmark) -> tuple[Profile, list[Finding]]:
    profile, seen, findings = Profile(), Repetitions(), list[Finding]()
    for place, datum in rows.data():
        profile.add(datum)
        if repeated := seen.add(place, datum):
            kind = "two labels" if repeated.conflict else "there twice"
            findings.append((place, kind, f"as in {repeated.earlier}"))
            if repeated.conflict:
                findings.append((repeated.earlier, kind, f"as in {place}"))
        if overlap := benchmark.overlap(datum.group):
            told = f"{overlap.where} has words of {overlap.benchmark}: {overlap.run}"
            findings.append((place, "in a benchmark", told))
    if not profile.data:
        raise InputError(f"{rows.label} holds no data")
    return profile, list(dict.fromkeys(findings))


def _described(profile: Profile) -> Table:
    table = plain_table("", ">", "", head=False)
    table.add_row("data", f"{profile.data:,}", "")
    for n, labels in sorted(profile.labels.items()):
        name = "right or wrong" if n == 1 else "best, by place"
        told = ", ".join(f"{label}: {labels[label]:,}" for label in range(max(n, 2)))
        table.add_row(f"N = {n}", f"{labels.total():,}", f"{name} {told}")
    for name, count in profile.subsets.most_common(_SHOWN):
        table.add_row("subset", f"{count:,}", printable(name))
    for what in ("prompt_words", "response_words"):
        found = profile.as_json()[what]
        longest = f"words in the median, {found['longest']:,} at most"
        table.add_row(what.removesuffix("_words"), f"{found['median']:g}", longest)
    return table


def _tell(findings: list[Finding]) -> None:
    for kind, count in Counter(kind for _, kind, _ in findings).items():
        say(f"{kind}: {count:,}")
        shown = [one for one in findings if one[1] == kind][:_SHOWN]
        for place, _, what in shown:
            say(f"  {place}: {what}")
        if count > len(shown):
            say(f"  and {count - len(shown):,} more; --json FILE has all of them")


def _as_json(profile: Profile, findings: list[Finding]) -> dict[str, Any]:
    told = [{"place": place, "kind": kind, "what": what} for place, kind, what in findings]
    return {**profile.as_json(), "findings": told}


def _write_without(rows: LabelledInput, places: set[str], path: Path) -> int:
    kept = 0
    with writing(path) as file:
        for place, datum in rows.data():
            if place not in places:
                file.write(json.dumps(row_of(datum), ensure_ascii=False) + "\n")
                kept += 1
    return kept
