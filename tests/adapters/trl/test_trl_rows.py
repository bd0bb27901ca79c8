from __future__ import annotations

from typing import Any

import pytest

from grm_plugin.errors import ConfigError, InputError
from grm_plugin.hosts.messages import Reader
from grm_plugin.options import read_options
from grm_trl.options import TRLOptions
from grm_trl.rows import Row, read_rows


def read(call: dict[str, Any], **columns: str) -> list[Row]:
    options = TRLOptions.model_validate({"columns": columns})
    return read_rows(["a", "b"], ["x", "y"], call, options, Reader())


def test_columns_become_reference_principles_evidence_and_id() -> None:
    call = {"answer": ["4", None], "rubric": [["be brief", "be kind"], "be true"]}
    call |= {"tests": ["passed", None], "n": [7, 8]}
    first, second = read(call, reference="answer", principles="rubric", evidence="tests", id="n")
    assert (first.reference, first.principles, first.id) == ("4", ("be brief", "be kind"), "7")
    assert (second.reference, second.principles, second.evidence) == (None, ("be true",), None)
    assert first.evidence == "passed"


def test_columns_nobody_asked_for_are_not_shown() -> None:
    assert read({"answer": ["4", "5"]})[0].reference is None


def test_a_missing_column_is_named_with_those_there_are() -> None:
    call = {"solution": ["4", "5"], "level": [1, 2], "trainer_state": None, "log_extra": None}
    with pytest.raises(InputError, match=r"reference: .* no column 'answer'; it has: level, solu"):
        read(call, reference="answer")


def test_a_column_of_another_length_is_refused() -> None:
    with pytest.raises(InputError, match=r"column 'answer': expected 2 values, one per completi"):
        read({"answer": ["4"]}, reference="answer")


def test_a_value_that_is_no_text_is_refused() -> None:
    with pytest.raises(InputError, match=r"column 'answer': expected a text or nothing, got .*{"):
        read({"answer": [{"value": 4}, None]}, reference="answer")


def test_an_unknown_part_names_its_neighbour() -> None:
    with pytest.raises(ConfigError, match=r"unknown key 'columns.referense'"):
        read_options(TRLOptions, "adapter 'trl'", {"columns": {"referense": "answer"}})


def test_a_value_that_is_missing_in_a_number_column_is_none() -> None:
    nan = float("nan")
    call = {"answer": [nan, 4.5], "rubric": [[nan, "be brief"], nan], "tests": [nan, "passed"]}
    call |= {"n": [nan, 8]}
    first, second = read(call, reference="answer", principles="rubric", evidence="tests", id="n")
    assert (first.reference, first.principles, first.evidence) == (None, ("be brief",), None)
    assert (first.id, second.reference, second.principles) == ("", "4.5", ())
