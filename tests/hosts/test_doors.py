"""All doors make the same group of a row, or refuse it by the same key."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any

import pytest

from grm_plugin.errors import GRMError, InputError
from grm_plugin.types import SURROGATE, Group, Message
from tests.hosts import doors
from tests.hosts.shapes import ACCEPTED, REFUSED, Accepted, Refused

Ask = Callable[[bytes], Group]
FILES: dict[str, doors.Door] = {
    "lines": doors.lines,
    "compressed": doors.compressed,
    "array": doors.array,
    "cells": doors.cells,
    "parquet": doors.parquet,
    "saved": doors.saved,
}
# a cell knows texts only: of these rows it holds what is one
TEXTS_IN_CELLS = {
    "what else a group may have",
    "prompt a number",
    "no turns",
    "texts for turns",
    "completion null",
    "reference a list",
    "id an object",
    "a column of its own with NaN in it",
}
# of columns that have types, and lists whose items are of one
UNLIKE_ITEMS = {
    "content parts",
    "thinking beside the content, or as a part",
    "an empty response, and null as an assistant writes it",
    "an image, where it is told that the judge can not see it",
    "an image beside the messages",
    "a response NaN",
    "a response a number",
}
# in a file of Unicode text, and as a row that has columns
NO_TEXT, NO_ROW = "half a character", "no object"
CAN_NOT_HOLD = {
    "cells": {NO_TEXT, NO_ROW},
    "parquet": {*UNLIKE_ITEMS, NO_TEXT, NO_ROW},
    "saved": {*UNLIKE_ITEMS, NO_TEXT, NO_ROW},
}
OF_A_CALL = {"prompt", "id", "reference", "principles", "evidence", "image", "images"}


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[str, Ask]]:
    with doors.server("refuse") as refusing, doors.server("tell") as telling:
        yield {"refuse": refusing, "tell": telling}


def cases(*tables: tuple[Any, ...]) -> Any:
    every = [case for table in tables for case in table]
    return pytest.mark.parametrize("case", every, ids=[case.name for case in every])


def in_files(
    table: tuple[Any, ...], *, held: bool = True, but: Collection[tuple[str, str]] = ()
) -> Any:
    """Every case of a table with every file that can hold its row, or that can not."""
    pairs = [
        pytest.param(door, case, id=f"{door}-{case.name}")
        for case in table
        for door in FILES
        if (case.name not in CAN_NOT_HOLD.get(door, ())) == held and (door, case.name) not in but
    ]
    return pytest.mark.parametrize(("door", "case"), pairs)


def asked(case: Accepted) -> tuple[Message, ...]:
    return tuple(Message(*turn) for turn in case.conversation)


def expected(case: Accepted) -> Group:
    return Group(asked(case), tuple(case.responses), **(case.more or {}))


def is_of_a_call(row: Any) -> bool:
    """Whether a trainer could hand a row over as prompts, completions and columns."""
    forms = [key for key in ("responses", "completions", "completion") if key in row]
    others = row.keys() - OF_A_CALL - set(forms) if isinstance(row, dict) else row
    several = forms != [] and (forms[0] == "completion" or isinstance(row[forms[0]], list))
    return "prompt" in row and len(forms) == 1 and several and not others


def as_a_call(key: str) -> str:
    """Where a key of a row stands in a call: columns have names, rows numbers."""
    if re.match("reference|id|principles|evidence", key):
        return "column "
    key = re.sub(r"^prompt", "prompts.0", key)
    return re.sub(r"^completion\b|^responses(?=:)", "completions.0", key).replace(
        "responses", "completions"
    )


OF_CALLS = tuple(case for case in ACCEPTED if is_of_a_call(case.row))
REFUSED_OF_CALLS = tuple(
    case for case in REFUSED if is_of_a_call(case.row) and case.row.get("responses") != []
)
PROMPTS = tuple(case for case in REFUSED if case.key.startswith("prompt") and len(case.row) == 2)


@in_files(ACCEPTED)
def test_every_file_holds_what_is_accepted(door: str, case: Accepted, tmp_path: Path) -> None:
    found = FILES[door](case.row, case.unseen, tmp_path)
    group = expected(case)
    assert (found.conversation, found.responses) == (group.conversation, group.responses)
    if door != "cells" or case.name not in TEXTS_IN_CELLS:
        assert found.fingerprint == group.fingerprint
    if door != "cells":
        assert (found.id, found.metadata) == (group.id, group.metadata)


@cases(ACCEPTED)
def test_the_server_takes_what_is_accepted(case: Accepted, servers: dict[str, Ask]) -> None:
    body = json.dumps({"groups": [case.row]}).encode()
    found, group = servers[case.unseen](body), expected(case)
    assert found.fingerprint == group.fingerprint
    assert found.metadata == group.metadata
    assert found.responses == tuple(SURROGATE.sub("\ufffd", one) for one in group.responses)


@cases(OF_CALLS)
def test_a_trainer_may_hand_over_what_is_accepted(case: Accepted, tmp_path: Path) -> None:
    found = doors.trl(case.row, case.unseen, tmp_path)
    assert found.fingerprint == expected(case).fingerprint


@pytest.mark.parametrize("door", [doors.get_reward, doors.openrlhf])
@cases(tuple(case for case in ACCEPTED if "prompt" in case.row and "images" not in case.row))
def test_what_was_asked_may_be_any_prompt(door: Any, case: Accepted) -> None:
    if case.row["prompt"] not in ("", None) and case.conversation[0][1] != "Q: a tree? A:":
        assert door(case.row["prompt"], case.unseen) == asked(case)


@in_files((*ACCEPTED, *REFUSED), held=False)
def test_no_library_writes_the_rows_that_are_not_asked_of_a_file(
    door: str, case: Accepted | Refused, tmp_path: Path
) -> None:
    with pytest.raises((UnicodeEncodeError, AttributeError, TypeError, ValueError)) as caught:
        FILES[door](case.row, "tell", tmp_path)
    assert not isinstance(caught.value, GRMError)


@in_files(REFUSED, but={("cells", name) for name in TEXTS_IN_CELLS})
def test_every_file_refuses_by_row_and_key(door: str, case: Refused, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        FILES[door](case.row, "refuse", tmp_path)
    place = r"(line 1|row 1|item 1|row 1 \(up to line \d+\))"
    assert re.search(rf"rows[.\w]*, {place}: {re.escape(case.key)}", str(caught.value))
    assert case.telling in str(caught.value)


@cases(REFUSED)
def test_the_server_refuses_by_group_and_key(case: Refused, servers: dict[str, Ask]) -> None:
    body = json.dumps({"groups": [case.row]}).encode()
    with pytest.raises(InputError) as caught:
        servers["refuse"](body)
    assert str(caught.value).startswith(f"groups.0: {case.key}")
    assert case.telling in str(caught.value)


@cases(REFUSED_OF_CALLS)
def test_a_trainer_is_told_the_row_and_the_key(case: Refused, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        doors.trl(case.row, "refuse", tmp_path)
    assert str(caught.value).startswith(as_a_call(case.key))


@pytest.mark.parametrize("door", [doors.get_reward, doors.openrlhf])
@cases(PROMPTS)
def test_what_was_asked_is_refused_by_its_key(door: Any, case: Refused) -> None:
    if case.row["prompt"] is not None:
        with pytest.raises(InputError) as caught:
            door(case.row["prompt"], "refuse")
        key = re.sub(r"^prompt", r"(prompt|labels\.0|label)", case.key)
        assert re.match(key, str(caught.value)) or "expected what was asked" in str(caught.value)
