"""``grm show --html``: the chosen verdicts, or all of them, as a page."""

from __future__ import annotations

from pathlib import Path

import pytest

from grm_plugin.cli import page as page_module
from grm_plugin.running.recorder import Recorder
from tests.cli.test_show import Grm
from tests.report.pages import rows_in, unscored, verdict


@pytest.fixture
def record(tmp_path: Path) -> Path:
    path = tmp_path / "v.jsonl"
    recorder = Recorder(path)
    for one in (*(verdict(n, step=n // 2, phase="train") for n in range(6)), unscored(6)):
        recorder.write(one)
    recorder.close()
    return path


def test_a_page_holds_all_verdicts_of_a_record(grm: Grm, record: Path) -> None:
    ended = grm("show", record, "--html", "deep/page.html")
    assert (ended.code, ended.out) == (0, "page: deep/page.html")
    assert len(rows_in(Path("deep/page.html"))) == 7


@pytest.mark.parametrize(
    ("chosen", "ids"),
    [
        (("--step", "1"), ["group-2", "group-3"]),
        (("--unscored",), ["group-6"]),
        (("--id", "group-4"), ["group-4"]),
        (("--lowest", "2"), ["group-0", "group-1"]),
    ],
)
def test_a_page_holds_the_chosen_verdicts(
    grm: Grm, record: Path, chosen: tuple[str, ...], ids: list[str]
) -> None:
    assert grm("show", record, "--html", "page.html", *chosen).code == 0
    assert [row["id"] for row in rows_in(Path("page.html"))] == ids


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (("show", "--id", "nope"), 1),
        (("show", "--step", "99"), 1),
        (("show", "--unscored", "--step", "99"), 0),
        (("report", "--step", "99"), 1),
    ],
)
def test_a_good_page_stays_where_nothing_is_chosen(
    grm: Grm, record: Path, command: tuple[str, ...], code: int
) -> None:
    page = record.with_name("page.html")
    page.write_text("good")
    name, *chosen = command
    ended = grm(name, record, "--html", page, *chosen)
    assert ended.code == code and "no" in ended.err and "page:" not in ended.out
    assert page.read_text() == "good"


def test_a_page_does_not_take_the_place_of_a_record(grm: Grm, record: Path) -> None:
    before = record.read_bytes()
    ended = grm("show", record, "--html", record)
    assert ended.code == 2 and "expected a name that ends in .html" in ended.err
    assert record.read_bytes() == before


def test_without_the_library_the_extra_is_named(
    grm: Grm, record: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_module, "find_spec", lambda name: None)
    ended = grm("show", record, "--html", "page.html")
    assert ended.code == 1
    assert 'a page needs jinja2; pip install "grm-plugin[eval]"' in ended.err
