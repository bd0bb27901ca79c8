"""Whatever is handed over as a row becomes a group or an InputError: never another exception."""

from __future__ import annotations

import json
import math
from contextlib import suppress
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm_plugin.errors import InputError
from grm_plugin.hosts.cells import Cells
from grm_plugin.hosts.columns import PARTS, Columns
from grm_plugin.hosts.inputs.opening import Input
from grm_plugin.hosts.messages import Reader
from grm_plugin.hosts.rows import group_of, parse_row
from grm_plugin.records import from_line, to_line
from grm_plugin.types import Group, Verdict
from grm_trl import options
from grm_trl.rows import read_rows
from tests.hosts.shapes import ACCEPTED, REFUSED

TEXTS = st.text(st.characters(exclude_categories=()), max_size=8)
KEYS = st.sampled_from(
    ["role", "content", "name", "type", "text", "image", "tool_calls", "function", "arguments"]
)
ROLES = st.sampled_from(["user", "assistant", "tool", "system"])
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | ROLES
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | TEXTS, inner, max_size=4),
    max_leaves=12,
)
CALLS = st.lists(VALUES | st.fixed_dictionaries({"function": VALUES}), max_size=2)
TURNS = st.fixed_dictionaries(
    {"role": ROLES | VALUES},
    optional={"content": VALUES, "name": VALUES, "tool_calls": CALLS, "images": VALUES},
)
SAID = TEXTS | st.lists(TURNS, max_size=3) | VALUES
JSONS = VALUES.map(json.dumps)
FILES = ["r.jsonl", "r.json", "r.csv", "r.tsv", "r.jsonl.gz", "r.csv.gz"]
ROWS = st.dictionaries(st.sampled_from(PARTS) | TEXTS, VALUES | SAID | st.lists(SAID, max_size=3))
NEAR_ROWS = st.fixed_dictionaries({"prompt": SAID, "responses": st.lists(SAID, max_size=3)})


def as_bytes(text: str) -> bytes:
    return text.encode(errors="surrogatepass")


def group_or_refusal(row: Any) -> Group | None:
    try:
        return group_of(row, Reader(unseen="tell"))
    except InputError as error:
        assert str(error).isprintable()
        assert len(str(error)) < 1000
        return None


def check_is_written_and_read_again(group: Group) -> None:
    assert from_line(to_line(Verdict(group, None))).group.fingerprint == group.fingerprint


@given(VALUES | ROWS | NEAR_ROWS)
def test_any_json_is_a_group_or_an_input_error(row: Any) -> None:
    if group := group_or_refusal(row):
        check_is_written_and_read_again(group)


@given(ROWS | NEAR_ROWS, st.data())
def test_a_line_and_its_value_are_the_same_group(row: Any, data: st.DataObject) -> None:
    line = json.dumps(row).encode()
    try:
        group = parse_row(line)
    except InputError:
        return
    assert group.fingerprint == group_of(row).fingerprint


@given(st.binary(max_size=40) | TEXTS.map(as_bytes))
def test_any_bytes_are_a_group_or_an_input_error(line: bytes) -> None:
    with pytest.raises(InputError):
        parse_row(line)


@given(st.lists(st.tuples(SAID, SAID, VALUES), min_size=1, max_size=3))
def test_any_reward_call_is_rows_or_an_input_error(call: list[Any]) -> None:
    prompts, completions, column = (list(values) for values in zip(*call, strict=True))
    columns = options.Columns(reference="c", principles="c", evidence="c", id="c")
    try:
        read_rows(
            prompts,
            completions,
            {"c": column, "images": column},
            columns=columns,
            reader=Reader(unseen="tell"),
        )
    except InputError as error:
        assert str(error).isprintable()


@given(st.sampled_from(FILES), st.binary(max_size=60) | TEXTS.map(as_bytes) | JSONS.map(as_bytes))
def test_any_file_is_groups_or_an_input_error(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with suppress(InputError):
        list(Input(str(path)).groups())


@given(st.dictionaries(st.sampled_from(PARTS) | TEXTS, TEXTS | JSONS, min_size=1, max_size=6))
def test_any_cells_are_a_group_or_an_input_error(cells: dict[str, str]) -> None:
    if group := group_or_refusal(Cells(cells)):
        check_is_written_and_read_again(group)


@given(
    st.lists(st.tuples(st.integers(min_value=0), st.integers(0, 255)), max_size=8), st.booleans()
)
def test_a_damaged_parquet_file_is_groups_or_an_input_error(
    tmp_path: Path, damage: list[tuple[int, int]], cut: bool
) -> None:
    arrow = pytest.importorskip("pyarrow")
    table = arrow.Table.from_pylist([{"prompt": "q", "responses": ["a", "b"]}] * 9)
    path = tmp_path / "r.parquet"
    pytest.importorskip("pyarrow.parquet").write_table(table, path)
    content = bytearray(path.read_bytes())
    for place, byte in damage:
        content[place % len(content)] = byte
    path.write_bytes(content[: len(content) // 2] if cut else content)
    with suppress(InputError):
        list(Input(str(path)).groups())


def nested(levels: int, kind: str) -> Any:
    value: Any = "x"
    for _ in range(levels):
        value = [value] if kind == "list" else {"a": value}
    return value


CIRCLE: list[Any] = []
CIRCLE.append(CIRCLE)
HOSTILE = {
    "a list of 100,000 levels": nested(100_000, "list"),
    "an object of 100,000 levels": nested(100_000, "object"),
    "a circle": CIRCLE,
    "5,000 digits": 10**5000,
    "a fraction of 5,000 digits": Fraction(10**5000, 3),
    "infinity": math.inf,
    "a set": {"x"},
    "an object": object(),
    "a signalling NaN": Decimal("sNaN"),
    "half a character": "\ud83d",
    "bytes": b"\xff",
    "numbers as keys": {1: 2},
}


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("key", [*PARTS, "own"])
def test_no_value_of_a_column_does_more_than_be_refused(key: str, value: Any) -> None:
    row = {"prompt": "q", "responses": ["a"], key: value}
    if key in ("completions", "completion", "chosen", "rejected", "messages"):
        del row["responses"]
    for one in (row, {**row, key: [value]}, {**row, key: {"x": value}}):
        if group := group_or_refusal(one):
            check_is_written_and_read_again(group)


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("key", ["role", "content", "name", "tool_calls", "images", "reasoning"])
def test_no_value_in_a_message_does_more_than_be_refused(key: str, value: Any) -> None:
    turn = {"role": "assistant", "content": "a", key: value}
    parts = [{"type": "image", "image": value}, {"type": value}, {"text": value}]
    call = {"function": {"name": "f", "arguments": {"x": value}}}
    for one in (turn, {**turn, "content": parts}, {**turn, "tool_calls": [call]}):
        group_or_refusal({"prompt": "q", "responses": [[one]]})
        group_or_refusal({"prompt": [one], "responses": ["a"]})


def test_values_of_tables_are_told_in_metadata_and_bytes_are_counted() -> None:
    row = {"prompt": "q", "responses": ["a"], "day": date(2026, 1, 2), "cost": Decimal("1.50")}
    group = group_of({**row, "raw": b"abc", "metadata": {"mine": [date(2026, 1, 2)]}})
    assert group.metadata == {
        "mine": ["2026-01-02"],
        "day": "2026-01-02",
        "cost": "1.50",
        "raw": "[3 bytes]",
    }


@pytest.mark.parametrize("case", ACCEPTED, ids=[case.name for case in ACCEPTED])
def test_no_order_of_the_keys_changes_the_group(case: Any) -> None:
    reader = Reader(unseen=case.unseen)
    backwards = dict(reversed(case.row.items()))
    assert group_of(backwards, reader).fingerprint == group_of(case.row, reader).fingerprint


@pytest.mark.parametrize("case", REFUSED, ids=[case.name for case in REFUSED])
def test_every_refusal_is_one_sentence_that_fits_on_a_line(case: Any) -> None:
    with pytest.raises(InputError) as caught:
        group_of(case.row)
    said = str(caught.value)
    assert said.isprintable() and len(said) < 300
    assert said[0].islower() and not said.endswith(".")


def test_columns_of_other_names_are_the_same_group() -> None:
    named = Columns.parse(["prompt=question,responses=a+b", "reference=answer", "id="])
    row = {"question": "q", "a": "x", "b": "y", "answer": 4, "id": "mine", "prompt": "other"}
    group = group_of(row, columns=named)
    plain = group_of({"prompt": "q", "responses": ["x", "y"], "reference": 4})
    assert group.fingerprint == plain.fingerprint
    assert (group.id, group.metadata) == ("", {"id": "mine", "prompt": "other"})
