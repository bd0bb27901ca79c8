"""A bad line of a record is a RecordError with file and line, whatever is wrong with it."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from grm_plugin.cli.verdict import view
from grm_plugin.errors import RecordError
from grm_plugin.hosts.counting import Tally
from grm_plugin.records import from_line, read_verdicts, to_line
from grm_plugin.report.tally import summary
from grm_plugin.types import Cost, Failure, Group, Judgment, Principle, Reason, Token, Verdict

ASKED = Group.of("q é", ["a", "b"], id="g", metadata={"step": 3})
WHOLE = Verdict(
    ASKED,
    (0.5, None),
    (
        Judgment(0, (1, 0), 7, "text", (5.0, None), "hash", (Principle("be", 3.0),), 0.5),
        Judgment(1, (0, 1), 8, "8}", (4.0, 8.0), tokens=(Token("8", -0.1, {"8": -0.1}),)),
    ),
    (Failure(2, (0, 1), 9, Reason.TIMEOUT, "late"),),
    cost=Cost(10, 5, 0.5),
    origin={"k": 3},
    shown=ASKED,
    unscored_responses={1: "why"},
)
LINE = to_line(WHOLE)
HOSTILE = [
    *(None, True, False, "", "8", "é\u2028", -1, 1.5, 10**30, 10**400, 10**4000, 2**63),
    *(float("nan"), float("inf"), [], {}, [[]], {"a": 1}, [True], ["x"], [None], "\ud800", "\x00"),
]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value in ``value``."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, one in inner:
        yield (*path, key)
        if isinstance(one, dict | list):
            yield from places(one, (*path, key))


PLACES = [*places(json.loads(LINE))]


def used(line: bytes) -> None:
    """Read ``line`` and do with the verdict what commands do; a RecordError is fine."""
    try:
        verdict = from_line(line)
    except RecordError as error:
        assert len(str(error)) < 600
        assert "\n" not in str(error)
        return
    tally = Tally()
    tally.add(verdict)
    to_line(verdict)
    console = Console(file=io.StringIO())
    console.print(view(verdict), summary(tally, judged=1, seconds=1.0))


@given(st.sampled_from(PLACES), st.sampled_from(HOSTILE))
def test_a_line_with_any_value_in_any_place_is_a_verdict_or_a_record_error(
    place: tuple[Any, ...], value: Any
) -> None:
    record = json.loads(LINE)
    *outer, last = place
    inner = record
    for key in outer:
        inner = inner[key]
    inner[last] = value
    used(json.dumps(record).encode())
    if isinstance(inner, dict):
        del inner[last]
    else:
        inner.append(value)
    used(json.dumps(record).encode())


@given(
    st.integers(0, len(LINE)),
    st.integers(0, 40),
    st.binary(max_size=8) | st.sampled_from([b"[" * 5000, b"9" * 5000, b"\xff", b"\x00", b'"']),
)
def test_a_line_with_any_bytes_in_any_place_is_a_verdict_or_a_record_error(
    start: int, length: int, put: bytes
) -> None:
    used(LINE[:start] + put + LINE[start + length :])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda r: r["judgments"][0].update(sample=True),
            r"judgments\.0\.sample: .*whole number.*True",
        ),
        (
            lambda r: r["judgments"][0].update(sample="1"),
            r"judgments\.0\.sample: .*whole number.*'1'",
        ),
        (lambda r: r["judgments"][0].update(sample=10**9), "samples of number 0 to 1023"),
        (lambda r: r["judgments"][0].update(seed=10**400), "sample 0: expected counts"),
        (lambda r: r["judgments"][0].update(voted=1), r"judgments\.0\.voted: .*true or false"),
        (lambda r: r["judgments"][0].update(scores=[10**400, 1]), "2 finite scores, got .*inf"),
        (lambda r: r["judgments"][1]["tokens"][0].update(logprob=float("nan")), "finite numbers"),
        (lambda r: r["failures"][0].update(reason="boredom"), r"failures\.0\.reason: .*boredom"),
        (lambda r: r["cost"].update(prompt_tokens=-1), "cost: expected counts from 0 on"),
        (lambda r: r["cost"].update(seconds=float("inf")), "cost: expected finite numbers"),
        (lambda r: r["group"].update(id=7), r"group\.id: .*text, got '7'"),
        (lambda r: r.pop("cost"), "cost: required, and not given"),
        (lambda r: r.update(version="2"), "version: expected the number 2, got '2'"),
        (lambda r: r.update(version=3), "a record of version '3', and this release reads"),
    ],
)
def test_what_is_wrong_with_a_line_is_named_with_file_and_line(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], said: str
) -> None:
    record = json.loads(LINE)
    change(record)
    path = tmp_path / "r.jsonl"
    path.write_bytes(LINE + json.dumps(record).encode() + b"\n" + LINE)
    with pytest.raises(RecordError, match=rf"r\.jsonl, line 2: .*({said})"):
        [*read_verdicts(path)]


def test_a_compressed_record_is_named_as_that(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl.gz"
    path.write_bytes(gzip.compress(LINE * 3) + b"\n")
    with pytest.raises(RecordError, match="got a gzip file; unpack it first"):
        [*read_verdicts(path)]


def test_a_record_in_another_encoding_is_named_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_bytes(LINE.decode().encode("utf-16"))
    with pytest.raises(RecordError, match=r"r\.jsonl, line 1: not a recorded verdict: line: "):
        [*read_verdicts(path)]


def test_a_line_longer_than_any_record_is_refused_by_its_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grm_plugin.records.files.MAX_LINE_BYTES", 1 << 20)
    path = tmp_path / "r.jsonl"
    path.write_bytes(LINE + b'"' + b"x" * (3 << 20) + b'"\n' + LINE)
    found = read_verdicts(path)
    assert next(found) == WHOLE
    with pytest.raises(RecordError, match=r"r\.jsonl, line 2: expected at most 1 MB, got more"):
        next(found)


def test_a_long_line_that_nothing_ends_is_torn_and_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grm_plugin.records.files.MAX_LINE_BYTES", 1 << 20)
    path = tmp_path / "r.jsonl"
    path.write_bytes(LINE + b"\x00" * (3 << 20))  # as a power cut leaves it
    assert [*read_verdicts(path)] == [WHOLE]
