"""The page of verdicts holds all of them, in flat memory, and no text gets out of its place."""

from __future__ import annotations

import base64
import hashlib
import math
import re
import weakref
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grm_plugin.errors import ConfigError, RecordError
from grm_plugin.hosts.counting import Tally
from grm_plugin.report.page import write_page
from grm_plugin.report.page.details import LONGEST, MOST_SAID, details_of
from grm_plugin.report.page.rows import row_of
from grm_plugin.report.page.storing import MOST_INLINE
from grm_plugin.report.page.summary import Summary
from grm_plugin.report.tally import counts
from grm_plugin.types import Cost, Group, Verdict
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


def test_the_page_shows_the_rewards_that_the_trainer_got(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    write_page(page, [verdict(4, phase="train", step=1, round_to=0.5)], title="t")
    assert [one["rewards"] for one in rows_in(page)] == [[0.5, 0.5]]


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


def test_a_page_finds_its_own_details_or_none_when_it_is_written_again(tmp_path: Path) -> None:
    page, folder = tmp_path / "page.html", tmp_path / "page_files"
    write_page(page, map(verdict, range(MOST_INLINE + 1)), title="open in a browser")
    of_earlier = {file.name for file in folder.iterdir()}
    write_page(page, map(verdict, range(MOST_INLINE + 1)), title="written again")
    of_later = {file.name for file in folder.iterdir()}
    assert len(of_later) == len(of_earlier) and not of_later & of_earlier


def test_a_page_stays_whole_when_its_successor_is_killed_before_it_is_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "page.html"
    write_page(page, map(verdict, range(MOST_INLINE + 1)), title="earlier")
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(Path, "replace", _killed_at("page.html"))
        write_page(page, map(verdict, range(700, 1500)), title="later")
    assert [one["id"] for one in details_in(page)][-1] == f"group-{MOST_INLINE}"
    write_page(page, [verdict(1)], title="the next one")
    assert [one.name for one in tmp_path.iterdir()] == ["page.html"]


def _killed_at(name: str) -> Callable[[Path, Path], Path]:
    replaced = Path.replace

    def replace_(file: Path, target: Path) -> Path:
        if target.name == name:
            raise KeyboardInterrupt
        return replaced(file, target)

    return replace_


def test_pages_whose_names_differ_in_their_ends_keep_their_details_apart(tmp_path: Path) -> None:
    pages = [tmp_path / "q.htm", tmp_path / "q.html"]
    for start, page in enumerate(pages):
        write_page(page, (verdict(n + start) for n in range(MOST_INLINE + 1)), title="t")
    assert [details_in(page)[0]["id"] for page in pages] == ["group-0", "group-1"]


def test_names_that_differ_only_at_their_end_are_rows_of_their_own() -> None:
    long = [row_of(verdict(1, subset="x" * 80 + end)).subset for end in "AB"]
    assert long[0] != long[1] and {len(one) for one in long} == {80}
    assert [row_of(verdict(1, subset=one)).subset for one in (0, False, "", None)] == [
        *("0", "False", "", "")
    ]
    assert row_of(verdict(1, subset="", section="chat")).subset == "chat"


def test_passages_are_found_for_the_judgments_that_a_response_shows_first() -> None:
    one = verdict(3)
    many = replace(one, judgments=one.judgments * 3)
    passages = [sample["passages"] for sample in details_of(many)["samples"]]
    assert all(passages[:MOST_SAID]) and passages[MOST_SAID:] == [None] * (6 - MOST_SAID)


def test_a_group_counts_for_its_subset_and_its_step() -> None:
    summary = Summary()
    verdicts = [verdict(n, step=n % 40, phase="train", subset=f"s{n % 3}") for n in range(400)]
    for one in verdicts:
        summary.add(one, row_of(one))
    assert [summary.subsets[f"s{s}"].groups for s in range(3)] == [134, 133, 133]
    assert {step.tally.groups for step in summary.steps.values()} == {10}
    assert set(summary.steps) == {("train", step) for step in range(40)}
    assert summary.tally.mean_reward == pytest.approx(Tally.of(verdicts).mean_reward)


def test_rewards_that_differ_in_their_last_digits_are_no_tie() -> None:
    tied = [row_of(replace(verdict(1), rewards=(0.5, 0.5 + d))).tied for d in (0, 1e-8)]
    assert tied == [True, False]


def test_the_share_of_valid_samples_of_none_is_none(tmp_path: Path) -> None:
    page, refused = tmp_path / "page.html", Verdict(verdict(1).group, None, unscored="refused: why")
    write_page(page, [refused], title="t")
    assert "100.0%" not in page.read_text(encoding="utf-8")
    tally = Tally.of([refused])
    assert math.isnan(tally.valid_rate)
    table = counts(tally)
    told = dict(
        zip(*(column.cells for column in (table.columns[0], table.columns[2])), strict=True)
    )
    assert told["samples valid"] == "none"


def test_money_is_told_as_everywhere_else(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    write_page(page, [replace(verdict(1), cost=Cost(100, 50, 1.5, 12345.6))], title="t")
    assert "$12,345.60" in page.read_text(encoding="utf-8")


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
