"""Which rows are labelled groups, and when a judgment is right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm_plugin.errors import InputError
from grm_plugin.hosts.inputs.opening import Input
from grm_plugin.hosts.rows import group_of
from grm_plugin.spct.examples import correct, datum_of, row_of
from grm_plugin.spct.labelled import MOST_TOLD, LabelledInput

PAIR = {"prompt": "2 + 2?", "responses": ["4", "5"]}
ONE = {"prompt": "2 + 2?", "responses": ["4"]}


@pytest.mark.parametrize(
    ("row", "label"),
    [
        ({**PAIR, "best": 1}, 1),
        ({**PAIR, "best": 1.0}, 1),  # a column of whole numbers in which one is missing
        ({**PAIR, "ratings": [0.5, 9]}, 1),
        ({**PAIR, "ratings": [3, 1], "best": 0}, 0),
        ({"prompt": "2 + 2?", "chosen": "4", "rejected": "5"}, 0),
        ({**ONE, "correct": 1}, 1),
        ({**ONE, "correct": False}, 0),
        ({**PAIR, "metadata": {"best": 0}}, 0),
    ],
)
def test_the_label_of_a_row_is_read(row: dict[str, Any], label: int) -> None:
    assert datum_of(group_of(row)).label == label


@pytest.mark.parametrize(
    ("row", "telling"),
    [
        (PAIR, "expected best or ratings of 2 responses, got no label"),
        (ONE, "expected correct, 0 or 1, of a single response, got no label"),
        ({**ONE, "best": 0}, "got only best"),
        ({**ONE, "correct": 2}, "correct: expected 0 or 1, got '2'"),
        ({**ONE, "correct": "1"}, "correct: expected 0 or 1"),
        ({**PAIR, "correct": 1}, "correct is for one alone"),
        ({**PAIR, "best": 2}, "best: expected the index of one of 2 responses, 0 to 1, got '2'"),
        ({**PAIR, "best": -1}, "best: expected the index"),
        ({**PAIR, "best": "0"}, "best: expected the index"),
        ({**PAIR, "best": True}, "best: expected the index"),
        ({**PAIR, "best": 0.5}, "best: expected the index"),
        ({**PAIR, "ratings": [7, 7]}, "ratings: expected one maximum"),
        ({**PAIR, "ratings": [7]}, "ratings: expected 2 numbers"),
        ({**PAIR, "ratings": [7, "8"]}, "ratings.1: expected a number"),
        ({**PAIR, "ratings": [7, 8], "best": 0}, "best: expected 1, where ratings has its maximum"),
        ({**PAIR, "responses": ["4", "4"], "best": 0}, "a best response that is there once"),
        (
            {"prompt": "x", "chosen": "a", "rejected": "b", "best": 1},
            "0 beside chosen and rejected",
        ),
    ],
)
def test_a_row_without_one_sure_label_is_refused(row: dict[str, Any], telling: str) -> None:
    with pytest.raises(InputError) as refused:
        datum_of(group_of(row))
    assert telling in str(refused.value)


def test_all_bad_rows_are_told_by_line(tmp_path: Path) -> None:
    file = tmp_path / "rm.jsonl"
    rows = [
        {**PAIR, "best": 0},
        PAIR,
        {**PAIR, "ratings": [1, 1]},
        {"prompt": "x", "responses": []},
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(InputError) as refused:
        list(LabelledInput(Input(str(file))).data())
    first, *told = str(refused.value).splitlines()
    assert first == f"{file} has 3 bad rows:"
    assert [line.split(": ")[0].split(", ")[1] for line in told] == ["line 2", "line 3", "line 4"]


def test_a_line_that_is_no_json_is_told_with_the_bad_rows_before_it(tmp_path: Path) -> None:
    file = tmp_path / "rm.jsonl"
    file.write_text(json.dumps(PAIR) + "\n{\n" + json.dumps({**PAIR, "best": 0}) + "\n")
    with pytest.raises(InputError) as refused:
        list(LabelledInput(Input(str(file))).data())
    assert "line 1: expected best" in str(refused.value)
    assert "line 2: expected a JSON object, got" in str(refused.value)


def test_a_file_of_bad_rows_is_not_told_to_its_end(tmp_path: Path) -> None:
    file = tmp_path / "rm.jsonl"
    file.write_text((json.dumps(PAIR) + "\n") * 100)
    with pytest.raises(InputError, match="has 20 bad rows, at least") as refused:
        list(LabelledInput(Input(str(file))).data())
    assert len(str(refused.value).splitlines()) == MOST_TOLD + 1


texts = st.text(st.characters(codec="ascii", categories=("L", "Nd")), min_size=1, max_size=8)
rows = st.builds(
    lambda asked, several, at, more: {
        "prompt": asked,
        "responses": several,
        ("correct" if len(several) == 1 else "best"): at
        % (2 if len(several) == 1 else len(several)),
        "metadata": more,
    },
    texts,
    st.lists(texts, min_size=1, max_size=5, unique=True),
    st.integers(0, 100),
    st.dictionaries(st.sampled_from(["subset", "source", "kind"]), texts),
)


@given(rows)
def test_writing_a_datum_as_a_row_and_reading_it_again_is_the_same(row: dict[str, Any]) -> None:
    datum = datum_of(group_of(row))
    again = datum_of(group_of(row_of(datum)))
    assert (again.label, again.group.fingerprint) == (datum.label, datum.group.fingerprint)
    assert again.group.metadata == {**datum.group.metadata}


@given(st.lists(st.integers(1, 10), min_size=2, max_size=6), st.data())
def test_right_is_the_one_strict_maximum(scores: list[int], data: st.DataObject) -> None:
    label = data.draw(st.integers(0, len(scores) - 1))
    others = [score for n, score in enumerate(scores) if n != label]
    assert correct(scores, label) == (scores[label] > max(others))


def test_a_copy_that_was_not_shown_does_not_count_and_the_best_alone_is_not_right() -> None:
    assert correct((8, None, 5), 0)
    assert not correct((8, None, None), 0)
    assert not correct((None, 4, 5), 0)
