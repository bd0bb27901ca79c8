"""``grm train meta-data``: recorded judgments as training data of a meta RM."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from typer import Option

from grm_plugin.cli.training_options import LabelledRecords
from grm_plugin.errors import InputError
from grm_plugin.hosts.recorded import records_of
from grm_plugin.pipeline.rating import load_meta_template, meta_template_file
from grm_plugin.report.terminal import out, plain_table, say
from grm_plugin.running.whole_file import writing
from grm_plugin.spct.meta_data import BY, HELD_OUT_BY, STATISTICS, MetaTable, as_line, meta_rows
from grm_plugin.spct.splitting import Splitting


def meta_data(
    records: LabelledRecords,
    output: Annotated[Path, Option("--out", metavar="META", help="JSONL file for the rows.")],
    template: Annotated[
        str | None,
        Option(help="Name or file of what the meta RM is shown; default: the built-in template."),
    ] = None,
    by: Annotated[
        str | None,
        Option(
            help="Name in the metadata of what training must not show of validation: one value, or "
            "a list of which one that is held out is enough; default: the prompt."
        ),
    ] = None,
    validation: Annotated[
        float, Option(min=0.0, max=0.9, help="Share of these values that is held out.")
    ] = 0.1,
    seed: Annotated[int, Option(help="Decides which are held out.")] = 0,
) -> None:
    """Make training data of a meta RM from the judgments in RECORDS, right ones and wrong ones.

    A judgment is right where the labelled best response scores above every other one; a tie at the
    top is wrong. RECORDS are folders of `grm train sample`, of the first judge and of the trained
    one; hinted judgments are left out. Every judgment counts once. The split into training and
    validation goes by prompt, or by what `--by` names, and never by judgment. Where `--by` names a
    list, training shows no value that is held out; validation shows one, and may show others that
    training shows, too: every value that is held out takes the groups that show it from training.

    Nothing is balanced here: `grm train meta --balance` weighs rows.
    """
    files = list(itertools.chain.from_iterable(map(records_of, records)))
    splitting = Splitting(by, validation, seed)
    table = MetaTable()
    with writing(output) as file:
        file.writelines(
            map(as_line, meta_rows(files, load_meta_template(template), splitting, table))
        )
        if not table.rows:
            raise InputError(f"{_listed(files)}: expected judgments of whole groups, got none")
    with writing(output.with_suffix(STATISTICS)) as file:
        shown = meta_template_file(template).read_text(encoding="utf-8")
        known = {**table.as_json(), HELD_OUT_BY: by or "prompt", "template": shown}
        file.write(json.dumps(known, indent=2) + "\n")
    _tell(table)
    say(f"next: grm train meta {output} --base MODEL --out FOLDER")


def _listed(files: Sequence[Path]) -> str:
    return ", ".join(map(str, files))


def _tell(table: MetaTable) -> None:
    shown = plain_table("", ">judgments", ">right")
    for name in BY:
        for value, (number, share) in table.rates(name).items():
            label = f"{value:g}" if isinstance(value, float) else str(value)
            shown.add_row(f"{name} {label}", f"{number:,}", f"{share:.1%}")
    out.print(shown)
    groups = ", ".join(f"{len(found):,} for {split}" for split, found in table.groups.items())
    out.print(f"groups: {groups}; ties at the top: {table.ties:.1%} of judgments")
    if lost := _left_out(list(table.left_out.items())):
        out.print(f"left out: {lost}")


def _left_out(counts: Sequence[tuple[str, int]]) -> str:
    return ", ".join(f"{number:,} {why}" for why, number in counts if number)
