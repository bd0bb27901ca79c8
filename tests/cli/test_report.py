"""``grm report``: tables that a person reads, the same figures as JSON and as a page."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from grm_plugin.hosts.recorded import when
from grm_plugin.running.recorder import Recorder
from grm_plugin.types import Group, Judgment, Principle, Verdict
from tests.cli.conftest import Ended
from tests.report.criteria.test_criteria import NAMES, misled_by_tone, strict_on_depth, trained
from tests.report.criteria.verdicts import judgment, planted, verdict

Grm = Callable[..., Ended]
ATTACK = "\x1b[2J\x1b]0;owned\x07[bold red]not markup[/] \u202egnp"


def write(path: Path, verdicts: Iterable[Verdict]) -> Path:
    with Recorder(path) as recorder:
        for one in verdicts:
            recorder.write(one)
    return path


def test_a_report_tells_what_a_judge_goes_by_and_where_that_misleads_it(
    grm: Grm, tmp_path: Path
) -> None:
    write(tmp_path / "out.jsonl", planted(60, misled_by_tone, NAMES))
    told = grm("report", "out.jsonl", "--json", "figures.json")
    assert told.code == 0
    assert "criteria that judgments list" in told.out
    assert "with Holm's correction over 6 criteria" in told.out
    assert "wrong judgments in %, by the criteria that they list" in told.out
    assert re.search(r"apart 95 % interval Tone \d\d \d\d \+\d\d\*", told.out)
    assert "weaknesses" not in told.out  # scores are the same with every criterion
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert {row["name"] for row in figures["criteria"]} == set(NAMES)


def test_a_report_tells_weaknesses_with_passages(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "out.jsonl", planted(60, strict_on_depth, NAMES))
    told = grm("report", "out.jsonl", "--examples", "1").out
    weakness = told.split("weaknesses: passages on the lowest rewards ")[1]
    assert re.match(r"Depth g\d+ #2 reward 0\.\d+: Response 2: \[", weakness)
    assert "weaknesses" not in grm("report", "out.jsonl", "--examples", "0").out


def test_a_report_of_a_training_run_tells_what_changed(grm: Grm, tmp_path: Path) -> None:
    run = trained(12, seed=1)
    for rank in range(2):
        write(tmp_path / "run" / f"verdicts.jsonl.rank{rank}", run[rank::2])
    told = grm("report", "run")
    assert "rewards in steps 8-11 less those in steps 0-3 groups change" in told.out
    gains = told.out.split("95 % interval ")[-1]
    assert gains.startswith("Accuracy 36 +0.3")
    only = grm("report", "run", "--step", "3")
    assert "groups 6 " in only.out
    assert "of step 99 of phase eval" in grm("report", "run", "--step", "99", "--eval").err


def test_one_sample_a_group_has_its_ends_by_reward(grm: Grm, tmp_path: Path) -> None:
    verdicts = [
        verdict(f"g{n}", [judgment(0, [("Tone", "Depth")[n % 2]], (2 + n % 2 * 3, 3))])
        for n in range(20)
    ]
    write(tmp_path / "out.jsonl", verdicts)
    told = grm("report", "out.jsonl").out
    weaknesses, strengths = told.split("strengths: passages on the highest rewards")
    assert "Tone g0 #1 reward 0.11" in weaknesses
    assert strengths.startswith(" Depth g1 #1 reward 0.44")


def test_values_of_a_column_stand_beside_each_other(grm: Grm, tmp_path: Path) -> None:
    verdicts = [
        verdict(f"g{n}", [judgment(0, ["Tone"], (2 + n % 2, 9))], subset=("math", "chat")[n % 2])
        for n in range(12)
    ]
    write(tmp_path / "out.jsonl", verdicts)
    assert (
        "rewards, by subset math chat Tone 0.50 0.56"
        in grm("report", "out.jsonl", "--by", "subset").out
    )


def test_records_of_several_files_and_of_a_pipe_are_one(grm: Grm, tmp_path: Path) -> None:
    verdicts = list(planted(20, misled_by_tone, NAMES))
    one, other = (
        write(tmp_path / name, part)
        for name, part in (("a.jsonl", verdicts[:10]), ("b.jsonl", verdicts[10:]))
    )
    both = grm("report", "a.jsonl", "b.jsonl").out
    piped = grm("report", "-", stdin=one.read_bytes() + other.read_bytes()).out
    assert both == piped
    assert grm("report", "-", "a.jsonl").code == 2


def test_a_page_of_a_report_has_the_criteria_and_the_verdicts(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "out.jsonl", planted(20, misled_by_tone, NAMES))
    told = grm("report", "out.jsonl", "--html", "page.html")
    assert "page: page.html" in told.out
    page = (tmp_path / "page.html").read_text()
    assert "passages on the lowest rewards" in page
    assert "Response 1: [" in page


def test_judgments_without_criteria_are_told(grm: Grm, tmp_path: Path) -> None:
    bare = Judgment(0, (0, 1), 0, "Scores: 1, 2", (1.0, 2.0))
    write(tmp_path / "out.jsonl", [verdict("bare", [bare])])
    told = grm("report", "out.jsonl")
    assert told.code == 0
    assert "no judgment lists criteria" in told.out
    write(tmp_path / "few.jsonl", [verdict("few", [judgment(0, ["Tone"], (1, 2))])])
    assert "too few verdicts to tell" in grm("report", "few.jsonl").out


def test_an_empty_record_is_an_error(grm: Grm, tmp_path: Path) -> None:
    (tmp_path / "out.jsonl").touch()
    told = grm("report", "out.jsonl")
    assert told.code == 1
    assert "out.jsonl: no verdict" in told.err
    assert "the start of their names" in grm("report", "none.jsonl").err


def test_untrusted_text_can_not_control_the_terminal(grm: Grm, tmp_path: Path) -> None:
    def hostile(n: int) -> Verdict:
        said = Judgment(
            0, (0, 1), 0, f"Response 1: {ATTACK}", (1.0, 9.0), principles=(Principle(ATTACK, 3),)
        )
        group = Group.of("q", ["a", "b"], id=f"{ATTACK}{n}", metadata={**when(n, training=True)})
        return Verdict(group, (0.0, 1.0), (said,))

    write(tmp_path / "out.jsonl", [hostile(n) for n in range(12)])
    for more in ((), ("--by", "phase")):
        printed = grm("report", "out.jsonl", *more).out
        assert not [c for c in printed if c < " " or "\x7f" <= c <= "\x9f" or c == "\u202e"]
        assert "owned" not in printed


@pytest.mark.parametrize("command", ["show", "report"])
def test_a_pipe_that_nobody_reads_any_more_is_silent(
    process: Callable[..., object], tmp_path: Path, command: str
) -> None:
    write(tmp_path / "out.jsonl", planted(300, misled_by_tone, NAMES, k=2))
    more = ("--highest", "300") if command == "show" else ("--examples", "3", "--top", "500")
    run = process(command, "out.jsonl", *more)
    run.stdout.close()
    assert run.stderr.read() == b""
    assert run.wait(60) == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a disk that is full")
@pytest.mark.parametrize("command", ["show", "report"])
def test_a_full_disk_is_one_line(
    process: Callable[..., object], tmp_path: Path, command: str
) -> None:
    write(tmp_path / "out.jsonl", planted(10, misled_by_tone, NAMES, k=2))
    with Path("/dev/full").open("wb") as full:
        run = process(command, "out.jsonl", stdout=full)
        said = run.stderr.read().decode()
    assert said == "error: the output can not be written: No space left on device\n"
    assert run.wait(60) == 1
