"""``grm train rl-data``: labelled groups in, prompts for online RL out."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from typer import Argument, Option

from grm_plugin.config import GRMConfig
from grm_plugin.errors import InputError
from grm_plugin.hosts.columns import Columns
from grm_plugin.hosts.inputs.opening import Input
from grm_plugin.report.terminal import out, plain_table, say
from grm_plugin.running.whole_file import writing
from grm_plugin.spct.asking import SINGLE, Asking
from grm_plugin.spct.easy import Easy
from grm_plugin.spct.examples import Datum, subset_of
from grm_plugin.spct.labelled import LabelledInput
from grm_plugin.spct.rl_rows import RLRow, rl_rows
from grm_plugin.spct.trajectories import control_tokens


def rl_data(
    source: Annotated[
        str, Argument(metavar="RM", help="Labelled groups, in any form that `grm score` reads.")
    ],
    output: Annotated[Path, Option("--out", help="JSONL file for the prompts.")],
    config: Annotated[
        Path | None, Option(help="Judge settings: their template and contract count.")
    ] = None,
    template: Annotated[str | None, Option(help="Name or file of the prompt.")] = None,
    single: Annotated[
        str, Option(help="The prompt for a single response, which is scored 0 or 1.")
    ] = SINGLE,
    easy: Annotated[
        Path | None, Option(help="Too-easy groups, which are left out: of `grm train reject`.")
    ] = None,
    trajectories: Annotated[
        Path | None,
        Option(
            metavar="DIR",
            help="Folder of `grm train sample`, for the control tokens of its judge.",
        ),
    ] = None,
    orders: Annotated[
        int, Option(min=1, max=64, help="Shuffled orders of the responses of each group.")
    ] = 1,
    seed: Annotated[int, Option(help="Decides the orders.")] = 0,
    limit: Annotated[int | None, Option(min=1, help="Only so many data, from the first.")] = None,
    split: Annotated[str | None, Option(help="Split of a data set that has several.")] = None,
    columns: Annotated[
        list[str] | None, Option(help="Names in RM, such as prompt=question; repeatable.")
    ] = None,
) -> None:
    """Render the labelled groups of RM as prompts for online RL.

    A row is `{"prompt": messages, "order": [...], "label": place of the best response among those
    shown (0 or 1 for a single one), "responses": N, "subset": ..., "id": ..., "template_hash": ...,
    "target": ...}`. TRL takes the file as it is, with `grm_trl.OutcomeReward`; OpenRLHF with
    `--data.input_key prompt --data.label_key target`.

    Prompts are those of scoring: `--config` brings the nonce of the judge, and `--trajectories` the
    control tokens of its tokenizer, if they are unusual.
    """
    settings = {} if template is None else {"template": template}
    control = control_tokens(trajectories) if trajectories else []
    asking = Asking.of(GRMConfig.load(config, **settings), single=single, control=control)
    asking.check_sources()
    labelled = LabelledInput(Input(source, split=split, columns=Columns.parse(columns or ())))
    data = [datum for _, datum in labelled.data(asking.check)][:limit]
    kept = Easy.read(easy).others(data) if easy else data
    if not kept:
        raise InputError(f"{source}: none of its {len(data)} groups is left to train on")
    rows = list(rl_rows(kept, asking, orders=orders, seed=seed))
    _write(output, rows)
    _tell(data, kept, rows)
    say(f"{len(rows)} prompts in {output}")


def _write(path: Path, rows: Iterable[RLRow]) -> None:
    with writing(path) as file:
        file.writelines(json.dumps(row.as_json(), ensure_ascii=False) + "\n" for row in rows)


def _tell(data: Iterable[Datum], kept: Iterable[Datum], rows: Iterable[RLRow]) -> None:
    given, left = (Counter(subset_of(one.group) for one in some) for some in (data, kept))
    prompts = Counter(row.subset for row in rows)
    table = plain_table("subset", ">groups", ">too easy", ">prompts")
    for subset in sorted(given):
        easy = given[subset] - left[subset]
        table.add_row(subset, str(given[subset]), str(easy), str(prompts[subset]))
    out.print(table)
