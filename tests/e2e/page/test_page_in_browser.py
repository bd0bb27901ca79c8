"""A page of verdicts in a real browser: found, sorted, opened and read; with hostile texts, too."""

from __future__ import annotations

import functools
import http.server
import re
import threading
from pathlib import Path

import pytest

from grm_plugin.report.page import write_page
from grm_plugin.types import Scalar, Verdict
from tests.e2e.page.conftest import DESKTOP, PHONE, Open
from tests.e2e.page.reference_verdicts import reference_verdicts
from tests.report.pages import unscored, verdict

ATTACK = (
    "</script><script>window.owned=1</script><img src=x onerror='window.owned=1'>"
    "<svg onload=window.owned=1><style>*{display:none}</style><iframe src='javascript:alert(1)'>"
    "'\"`${window.owned=1}&amp;&lt;b&gt;{{7*7}}\u202egnp.exe\u0007\x1b[31m"
)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A hundred verdicts of a training run of twenty steps, five of them unscored."""
    page = tmp_path / "run.html"
    verdicts = [
        verdict(n, step=n // 5, phase="train" if n % 4 else "eval", subset=f"set {n % 3}", best=0)
        for n in range(95)
    ]
    write_page(page, [*verdicts, *map(unscored, range(95, 100))], title="A run")
    return page


def test_all_verdicts_are_listed_fifty_a_page(run: Path, opened: Open) -> None:
    page = opened(run)
    assert page.shown() == 100 and page.ids()[:2] == ["group-0", "group-1"]
    page.tab.get_by_text("next ›").click()
    page.tab.wait_for_timeout(50)
    assert page.ids()[0] == "group-50" and page.errors == []


@pytest.mark.parametrize(
    ("fragment", "expected"),
    [
        ("step=3..4", [f"group-{n}" for n in range(15, 25)]),
        ("reward=0.9..&subset=set 0", ["group-9", "group-39", "group-69"]),
        ("unscored=*", [f"group-{n}" for n in range(95, 100)]),
        ("unscored=mostly timeout&text=99", ["group-99"]),
        ("dropped=truncated&step=0", ["group-0"]),
        ("text=answer TWO group-17", ["group-17"]),
        ("spread=0.24..&phase=eval&step=0..5", ["group-0", "group-20"]),
        ("outcome=tie&step=..3", ["group-5", "group-15"]),
        ("place=2&step=0", []),
        ("tied=yes&step=0..1", ["group-5"]),
        ("step=nonsense", []),
    ],
)
def test_filters_leave_what_they_name(
    run: Path, opened: Open, fragment: str, expected: list[str]
) -> None:
    page = opened(run)
    page.go(fragment)
    assert page.ids() == expected and page.errors == []


@pytest.mark.parametrize(
    ("by", "first"),
    [("-best", 9), ("lowest", 0), ("-spread", 0), ("-step", 90), ("-lost", 0), ("nonsense", 0)],
)
def test_sorting_puts_the_asked_ones_first_and_unknown_ones_last(
    run: Path, opened: Open, by: str, first: int
) -> None:
    page = opened(run)
    page.go(f"sort={by}")
    assert page.ids()[0] == f"group-{first}" and page.errors == []
    if by in ("-best", "lowest", "-spread"):
        page.go(f"sort={by}&page=2")
        assert page.ids()[-5:] == [f"group-{n}" for n in range(95, 100)]


def test_filters_are_typed_chosen_taken_away_and_in_the_history(run: Path, opened: Open) -> None:
    page = opened(run)
    page.tab.get_by_label("Step", exact=True).fill("3..4")
    page.tab.get_by_label("Step", exact=True).press("Enter")
    page.tab.get_by_label("Subset", exact=True).select_option("set 0")
    page.tab.wait_for_timeout(50)
    assert page.ids() == ["group-15", "group-18", "group-21", "group-24"]
    page.tab.get_by_role("link", name="remove the filter subset set 0").click()
    page.tab.wait_for_timeout(50)
    assert page.shown() == 10 and page.tab.get_by_label("Subset", exact=True).input_value() == ""
    page.tab.go_back()
    page.tab.wait_for_timeout(50)
    assert (
        page.shown() == 4 and page.tab.get_by_label("Subset", exact=True).input_value() == "set 0"
    )


def test_every_number_and_bar_leads_to_the_groups_behind_it(run: Path, opened: Open) -> None:
    page = opened(run)
    links = page.tab.evaluate(
        """() => [...document.querySelectorAll('main a[href*="="]:not(#verdicts a)')].map(
             (link) => [link.getAttribute('href'), link.getAttribute('aria-label') ?? ''])"""
    )
    assert len(links) > 60
    for href, label in links:
        page.go(href)
        counted = re.search(r"(\d+) groups$", label)
        assert not counted or page.shown() == int(counted[1]), label
    assert page.errors == []
    page.tab.locator("#subsets a", has_text="set 1").click()
    page.tab.wait_for_timeout(50)
    assert page.shown() == 32 and page.tab.locator("#verdicts").evaluate(
        "it => Math.abs(it.getBoundingClientRect().top) < 60"
    )


def test_a_verdict_opens_with_each_response_beside_its_own_passage(run: Path, opened: Open) -> None:
    page = opened(run)
    page.tab.get_by_role("link", name="group-13", exact=True).click()
    box = page.verdict()
    first, second = box.locator(".response").all()
    assert "answer one of 13" in first.inner_text() and "3 points" in first.inner_text()
    assert "answer two of 13" in second.inner_text() and "3 points" not in second.inner_text()
    assert re.search(r"sample 1, shown 2nd of 2, voted", first.inner_text())
    assert re.search(r"sample 1, shown 1st of 2, voted", second.inner_text())
    text = box.inner_text()
    assert "100 tokens read, 50 written, 1.5 s" in text and "Principles of 2 samples" in text
    assert page.errors == []


def test_a_group_that_a_scalar_rm_decided_says_so_and_shows_no_votes(
    tmp_path: Path, opened: Open
) -> None:
    scalar = Scalar((3.0, 0.0), sure=0.8, judged=False)
    sure = Verdict(verdict(1).group, scalar.votes, scalar=scalar)
    write_page(tmp_path / "run.html", [sure, verdict(2)], title="A cascade")
    page = opened(tmp_path / "run.html")
    page.tab.get_by_role("link", name="group-1", exact=True).click()
    box = page.verdict().inner_text()
    assert "decided by the scalar RM without the judge: sureness 0.95" in box
    assert "scalar score 3 (vote 0.95)" in box and "The judge was not asked." in box
    assert "No rewards" not in box and "Whole texts of the judge" not in box
    assert page.errors == []


def test_dropped_samples_stand_with_reason_and_the_end_of_their_text(
    run: Path, opened: Open
) -> None:
    page = opened(run)
    page.go("open=10")
    text = page.verdict().inner_text()
    assert "truncated" in text and "cut at max_tokens" in text and "and so" in text
    page.go("open=97")
    assert "No rewards: 0 of 1 samples are valid" in page.verdict().inner_text()


def test_the_keyboard_opens_walks_through_and_closes(run: Path, opened: Open) -> None:
    page = opened(run)
    page.go("subset=set 1")
    page.tab.locator("#list a.open").first.focus()
    page.tab.keyboard.press("Enter")
    assert page.verdict().locator("h2").inner_text() == "group-1"
    walk = (("ArrowRight", "group-4"), ("ArrowRight", "group-7"), ("ArrowLeft", "group-4"))
    for key, name in walk:
        page.tab.keyboard.press(key)
        page.tab.wait_for_timeout(60)
        assert page.verdict().locator("h2").inner_text() == name
    page.tab.keyboard.press("Escape")
    page.tab.wait_for_timeout(60)
    assert page.tab.locator("dialog[open]").count() == 0 and page.shown() == 32


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_hostile_texts_are_shown_and_do_nothing(
    tmp_path: Path, opened: Open, size: tuple[int, int]
) -> None:
    path = tmp_path / "page.html"
    long = "x" * 3000
    hostile = verdict(
        5, text=ATTACK + long, subset=ATTACK, phase=ATTACK, step=1, **{ATTACK: {ATTACK: [ATTACK]}}
    )
    told = {ATTACK: ATTACK, "parts": [{ATTACK: ATTACK}], "n": {"value": 1, "name": ATTACK, "n": 1}}
    write_page(
        path,
        [hostile, unscored(1, ATTACK)],
        title=ATTACK,
        measured=told,
        health=[told],
        criteria=told,
    )
    page = opened(path, size)
    page.go("open=0")
    box = page.verdict()
    for summary in box.locator("summary").all():
        summary.click()
    assert "<img src=x onerror=" in box.locator(".answer").first.inner_text()
    assert "U+202E" in box.inner_text() and "U+0007" in box.inner_text()
    page.go("open=1")
    page.verdict()
    assert page.tab.evaluate("window.owned") is None
    assert page.tab.locator("img, iframe, object, svg[onload]").count() == 0
    assert page.errors == [] and all(url.startswith("file://") for url in page.asked)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_a_phone(
    run: Path, tmp_path: Path, opened: Open, scheme: str
) -> None:
    wide = tmp_path / "wide.html"
    texts = verdict(5, text="unbroken" * 200, subset="subset" * 30, step=10**9, phase="p" * 60)
    write_page(wide, [texts, *map(verdict, range(80))], title="title" * 40)
    for path in (run, wide):
        page = opened(path, PHONE, color_scheme=scheme)
        assert page.tab.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
        page.go("open=0")
        box = page.verdict()
        for summary in box.locator("summary").all():
            summary.click()
        assert box.evaluate("it => it.scrollWidth <= it.clientWidth")
        wider = page.tab.evaluate(OVERFLOWING)
        assert wider == [], wider


OVERFLOWING = """() => [...document.querySelectorAll('body *')].filter((it) =>
    !it.closest('.scrolls, svg, .skip, details:not([open])')
    && it.getBoundingClientRect().right > innerWidth + 1
  ).map((it) => `${it.tagName}.${it.className}`).slice(0, 5)"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_can_be_read_in_both_colour_schemes(run: Path, opened: Open, scheme: str) -> None:
    page = opened(run, color_scheme=scheme)
    page.go("open=10")
    page.verdict()
    worst = page.tab.evaluate(CONTRAST)
    assert worst["ratio"] >= 4.5, worst


CONTRAST = """() => {
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (it) => {
    for (; it; it = it.parentElement) {
      const found = parts(getComputedStyle(it).backgroundColor);
      if (found.length === 3 || found[3] === 1) return found;
    }
    return [255, 255, 255];
  };
  let worst = { ratio: 99 };
  const unseen = 'svg, script, style, [aria-disabled], .skip';
  for (const it of document.querySelectorAll('body *')) {
    const own = [...it.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || !it.checkVisibility() || it.closest(unseen)) continue;
    const lights = [parts(getComputedStyle(it).color), behind(it)].map(light);
    const ratio = (Math.max(...lights) + 0.05) / (Math.min(...lights) + 0.05);
    if (ratio < worst.ratio) worst = { ratio, what: it.outerHTML.slice(0, 80) };
  }
  return worst;
}"""


def test_details_beside_the_page_are_read_when_a_verdict_is_opened(
    tmp_path: Path, opened: Open
) -> None:
    path = tmp_path / "ein Bericht #1%.html"
    write_page(path, map(verdict, range(3000)), title="t")
    page = opened(path)
    assert len(page.asked) == 1 and page.shown() == 3000
    for number in (0, 199, 200, 1717, 2999):
        page.go(f"open={number}")
        page.tab.get_by_text(f"answer one of {number}", exact=True).wait_for()
    assert len(page.asked) == 1 + 4 and page.errors == []
    folder = path.with_name(f"{path.stem}_files")
    folder.rename(tmp_path / "elsewhere")
    page.go("open=1000")
    page.tab.get_by_text(f"keep the folder {folder.name} beside this page").wait_for()


def test_a_page_that_is_open_while_it_is_written_again_shows_no_other_verdicts_details(
    tmp_path: Path, opened: Open
) -> None:
    path = tmp_path / "page.html"
    write_page(path, map(verdict, range(700)), title="t")
    page = opened(path)
    write_page(path, map(verdict, range(1000, 1700)), title="t")
    page.go("open=7")
    page.tab.get_by_text("load the page again if it was written again since").wait_for()
    assert page.tab.get_by_text("answer one of 1007", exact=True).count() == 0


def test_details_beside_the_page_are_read_from_a_server_too(tmp_path: Path, opened: Open) -> None:
    write_page(tmp_path / "page.html", map(verdict, range(700)), title="t")
    handler = functools.partial(Quiet, directory=tmp_path)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page = opened(f"http://127.0.0.1:{server.server_port}/page.html")
        page.go("open=600")
        page.tab.get_by_text("answer one of 600", exact=True).wait_for()
        server.shutdown()
    assert page.errors == []


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def test_controls_and_pictures_have_names(run: Path, opened: Open) -> None:
    page = opened(run)
    page.go("open=1")
    page.verdict()
    unnamed = page.tab.evaluate(
        """() => [...document.querySelectorAll('a, input, select, svg, summary')].filter((it) => {
             const by = it.getAttribute('aria-labelledby');
             return !(it.getAttribute('aria-label') || it.textContent.trim() || it.labels?.length
               || (by && document.getElementById(by)));
           }).map((it) => it.outerHTML.slice(0, 80))"""
    )
    assert unnamed == []


def test_records_of_the_reference_judge_can_be_looked_at(tmp_path: Path, opened: Open) -> None:
    path = tmp_path / "reference.html"
    judged = reference_verdicts(6)
    write_page(path, judged, title="Reference judge")
    page = opened(path)
    assert page.shown() == 6
    for number, one in enumerate(judged):
        page.go(f"open={number}")
        page.tab.get_by_role("heading", name=one.group.id).wait_for()
        for response in page.verdict().locator(".response").all():
            assert "Response" in response.locator(".said").first.inner_text()
    assert page.errors == []
