"""The page of verdicts holds all of them, in flat memory, and no text gets out of its place."""

from __future__ import annotations

import base64
import hashlib
import re
import weakref
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grm_plugin.errors import ConfigError, RecordError
from grm_plugin.hosts.counting import Tally
from grm_plugin.report.page import write_page
from grm_plugin.report.page.details import LONGEST, details_of
from grm_plugin.report.page.storing import MOST_INLINE
from grm_plugin.types import Group, Verdict
from tests.report.pages import details_in, parsed, rows_in, unscored, verdict

ATTACK = "</script><script>alert(1)</script><!--<img src=x onerror=alert(1)>]]>{{7*7}}{%if%}"


def test_every_verdict_has_a_line_and_details_in_order(tmp_path: Path) -> None:
    page = tmp_path / "deep" / "page.html"
    write_page(page, [verdict(3, subset="chat", step=7), unscored(4)], title="t")
    first, second = rows_in(page)
    assert (first["id"], first["rewards"], first["subset"], first["step"]) == (
        *("group-3", [0.3, 0.5]),
        *("chat", 7),
    )
    assert second["rewards"] is None and second["unscored"] == "mostly timeout"
    assert [one["id"] for one in details_in(page)] == ["group-3", "group-4"]
    assert not page.with_name("page_files").exists()


def test_each_response_stands_beside_its_own_passage_in_every_order(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    write_page(page, [verdict(3)], title="t")
    (details,) = details_in(page)
    assert [one["order"] for one in details["samples"]] == [[0, 1], [1, 0]]
    for sample in details["samples"]:
        assert "3 points" in sample["passages"]["0"] and "5 points" not in sample["passages"]["0"]
        assert "5 points" in sample["passages"]["1"] and "3 points" not in sample["passages"]["1"]


@settings(max_examples=30)
@given(st.text())
def test_no_text_ends_its_element_or_is_changed(tmp_path: Path, text: str) -> None:
    page = tmp_path / "page.html"
    hostile = f"{text}{ATTACK}"
    write_page(page, [verdict(1, text=hostile, subset=hostile, phase=hostile)], title=hostile)
    found = parsed(page)
    plain = tmp_path / "plain.html"
    write_page(plain, [verdict(1, subset="s", phase="p")], title="t")
    assert [tag for tag, _ in found.tags] == [tag for tag, _ in parsed(plain).tags]
    (details,) = details_in(page)
    assert details["responses"][0]["text"] == f"answer one of 1{hostile}"


def test_only_the_pages_own_script_and_style_may_run_and_nothing_is_loaded(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    write_page(page, [verdict(1)], title="t")
    found = parsed(page)
    (policy,) = (
        attributes["content"]
        for tag, attributes in found.tags
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    )
    digest = hashlib.sha256(found.scripts["code"].encode()).digest()
    assert f"'sha256-{base64.b64encode(digest).decode()}'" in str(policy)
    assert "default-src 'none'" in str(policy) and "unsafe" not in str(policy)
    assert not any("src" in attributes for _, attributes in found.tags)
    assert not any(name.startswith("on") for _, attributes in found.tags for name in attributes)
    addresses = re.findall(r"https?://[^\"' ]+", page.read_text(encoding="utf-8"))
    assert set(addresses) <= {"http://www.w3.org/2000/svg"}  # a name, not an address


def test_details_of_many_verdicts_go_to_files_and_go_away_with_them(tmp_path: Path) -> None:
    page, many = tmp_path / "a page.html", MOST_INLINE + 150
    write_page(page, map(verdict, range(many)), title="t")
    assert [one["id"] for one in details_in(page)] == [f"group-{n}" for n in range(many)]
    folder = tmp_path / "a page_files"
    (folder / "notes.txt").write_text("mine")
    write_page(page, [verdict(1)], title="t")
    assert [one.name for one in folder.iterdir()] == ["notes.txt"]
    (folder / "notes.txt").unlink()
    write_page(page, [verdict(1)], title="t")
    assert [one.name for one in tmp_path.iterdir()] == ["a page.html"]


def test_verdicts_are_let_go_while_they_pass_by(tmp_path: Path) -> None:
    alive: list[weakref.ref[Verdict]] = []
    most = 0

    def passing() -> Iterator[Verdict]:
        nonlocal most
        for number in range(MOST_INLINE + 300):
            one = verdict(number)
            alive.append(weakref.ref(one))
            yield one
            del one
            most = max(most, sum(ref() is not None for ref in alive))

    write_page(tmp_path / "page.html", passing(), title="t")
    assert most <= 2


def test_an_earlier_page_stays_when_the_record_turns_out_broken(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    write_page(page, map(verdict, range(MOST_INLINE + 1)), title="earlier")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    def broken() -> Iterator[Verdict]:
        yield from map(verdict, range(MOST_INLINE + 400))
        raise RecordError("v.jsonl, line 901: not a recorded verdict")

    with pytest.raises(RecordError, match="line 901"):
        write_page(page, broken(), title="later")
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_page_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"file/page\.html can not be written: .+"):
        write_page(tmp_path / "file" / "page.html", [verdict(1)], title="t")


def test_texts_too_long_to_show_are_cut_and_say_so() -> None:
    details = details_of(verdict(1, text="x" * 10 * LONGEST))
    shown = details["responses"][0]["text"]
    assert len(shown) < LONGEST + 200 and "characters are left out" in shown
    assert details["samples"][0]["text"].endswith("x" * 100)


def test_halves_of_characters_and_numbers_that_are_none_can_be_written(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    odd = replace(verdict(1, text="\ud800", nan=float("nan")), origin={"k": float("inf")})
    write_page(page, [odd], title="half \ud800")
    (details,) = details_in(page)
    assert details["origin"] == [["k", None]]


def test_outcomes_are_counted_where_the_best_response_is_known(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    known = [verdict(number, best=1, subset="chat") for number in range(10)]
    write_page(page, [*known, verdict(3)], title="t")
    outcomes = [row["outcome"] for row in rows_in(page)]
    assert outcomes.count("right") == 5 and outcomes.count("tie") == 1 and outcomes[-1] == ""
    assert "known to be best" in details_in(page)[0]["responses"][1]["truth"]
    assert "50.0%" in page.read_text(encoding="utf-8")


def test_the_mean_reward_is_over_responses_as_in_the_log_and_the_terminal(tmp_path: Path) -> None:
    pair = verdict(3, subset="chat")
    alone = replace(pair, group=Group.of("q", ["a"], metadata={"subset": "chat"}), rewards=(1.0,))
    write_page(tmp_path / "page.html", [pair, replace(alone, judgments=())], title="t")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert Tally.of([pair, alone]).mean_reward == pytest.approx(0.6)
    assert "0.600</a>" in page and '<td class="number">0.600</td>' in page and "0.700" not in page


def test_a_judge_that_is_shipped_is_called_by_its_name_wherever_it_lies(tmp_path: Path) -> None:
    origin = {"engine": "reference", "model": "/home/me/lib/grm_plugin/reference/model"}
    write_page(tmp_path / "page.html", [replace(verdict(3), origin=origin)], title="t")
    assert ["model", "reference"] in details_in(tmp_path / "page.html")[0]["origin"]
    assert "/home/me" not in (tmp_path / "page.html").read_text(encoding="utf-8")


def test_no_verdicts_make_a_page_too(tmp_path: Path) -> None:
    write_page(tmp_path / "page.html", [], title="t")
    assert rows_in(tmp_path / "page.html") == []
