"""The page about inputs: made from the table of rows that a contract test runs through every door."""

from __future__ import annotations

import json
from typing import Any

from grm_plugin.errors import InputError
from grm_plugin.hosts.columns import PARTS
from grm_plugin.hosts.messages import Reader
from grm_plugin.hosts.rows import group_of
from tests.hosts.shapes import ACCEPTED, REFUSED, Accepted, Refused

_LONGEST = 240
_INTRO = f"""\
# Inputs

One reader reads rows for all doors: `grm score`, `POST /v1/score`, the TRL adapter, and what was asked in
OpenRLHF's protocol. What one accepts, all accept, as the same group; what is refused is refused by row and key.
How to use it: [Score your own data](../how-to/score-your-own-data.md).

| input of `grm score` | what it is |
|---|---|
| `rows.jsonl`, any other name, `-` | one JSON object a line |
| `rows.json` | a JSON array of objects, or lines |
| `rows.csv`, `rows.tsv` | a header and rows; lists and messages are JSON in a cell; an empty cell is a missing value |
| `rows.jsonl.gz`, `.json.gz`, `.csv.gz`, `.tsv.gz` | the same, compressed |
| `rows.parquet` | rows, read a batch at a time (extra `data`) |
| a folder | what `save_to_disk` of `datasets` made, or files that its `load_dataset` takes (extra `data`) |
| `hub:owner/name` | a data set of the hub, also as `hub:owner/name:split` or `:config:split` (extra `data`) |

The keys of a row are {", ".join(f"`{part}`" for part in PARTS)}. Whatever else a row holds joins the metadata
of its group, in records and never before the judge. `--columns prompt=question,responses=a+b` names the columns of an input;
`--columns id=` leaves a key out. A line, an item or a cell may have 64 MB, a value 32 levels, an integer about 3,900 digits.
"""


def inputs_page() -> str:
    """What every door makes of rows, and which rows every door refuses."""
    accepted = "\n".join(map(_accepted, ACCEPTED))
    refused = "\n".join(map(_refused, REFUSED))
    return (
        f"{_INTRO}\n## What is accepted\n\n| what | row | what the judge reads |\n|---|---|---|\n"
        f"{accepted}\n\n## What is refused\n\n| what | row | error |\n|---|---|---|\n{refused}\n"
    )


def _accepted(case: Accepted) -> str:
    turns = "<br>".join(f"{role}: {_code(content)}" for role, content in case.conversation)
    responses = "<br>".join(f"response: {_code(one)}" for one in case.responses)
    more = "".join(f"<br>{name}: {_code(value)}" for name, value in (case.more or {}).items())
    told = " (`unseen: tell`)" * (case.unseen == "tell")
    return f"| {case.name}{told} | {_code(case.row)} | {turns}<br>{responses}{more} |"


def _refused(case: Refused) -> str:
    try:
        group_of(case.row, Reader())
    except InputError as error:
        return f"| {case.name} | {_code(case.row)} | {_code(str(error))} |"
    raise AssertionError(f"{case.name} is accepted")


def _code(value: Any) -> str:
    text = json.dumps(value)
    shown = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    return "``" + shown.replace("|", "\\|") + "``"
