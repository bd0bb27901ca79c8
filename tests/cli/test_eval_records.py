"""``grm eval`` of records: where it writes, what it reads, and what it says of how they voted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grm_plugin import Group, Verdict
from grm_plugin.pipeline.building import find_template
from grm_plugin.plugins import installed
from grm_plugin.records import read_verdicts, to_line
from grm_plugin.types import Judgment
from tests.cli.conftest import Ended
from tests.cli.files import write
from tests.cli.test_eval import TINY, figures, labelled

pytest.importorskip("numpy")
pytest.importorskip("scipy")

Grm = Callable[..., Ended]


def verdict(name: str, scores_K_2: Sequence[tuple[float, float]], **more: Any) -> Verdict:
    """Of a pair whose first response is the better one."""
    template = find_template("grm", installed())
    origin = {"vote": "mean", "template": "grm", "template_hash": template.digest, "k": 4}
    judgments = tuple(Judgment(k, (0, 1), 0, "text", each) for k, each in enumerate(scores_K_2))
    first, second = (sum(column) / len(column) for column in zip(*scores_K_2, strict=True))
    group = Group.of(f"question {name}", ["a", "b"], metadata={"best": 0, **more}, id=name)
    return Verdict(group, ((first - 1) / 9, (second - 1) / 9), judgments, origin=origin)


def record(path: Path, verdicts: Sequence[Verdict]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(map(to_line, verdicts)))
    return path


@pytest.mark.parametrize("name", ["../escaped", "{here}/escaped", "ok\x1b[31m/../..", "eval.json"])
def test_a_benchmark_on_record_names_no_place_outside_the_folder(
    grm: Grm, tmp_path: Path, name: str
) -> None:
    named = name.format(here=tmp_path)
    record(
        tmp_path / "evil.jsonl",
        [verdict(f"{i}", [(9, 1)], **({"benchmark": named} if i % 2 else {})) for i in range(4)],
    )
    ended = grm("eval", "evil.jsonl", "--out", "out")
    assert ended.code == 0, ended.err
    made = {one.name for one in tmp_path.iterdir()} - {"evil.jsonl"}
    assert made == {"out"} and (tmp_path / "out" / "eval.json").is_file()
    folders = [one.name for one in (tmp_path / "out").iterdir() if one.is_dir()]
    assert len(folders) == 2 and "labelled" in folders and all(map(str.isprintable, folders))


def test_a_link_among_the_results_leads_nowhere_else(grm: Grm, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").symlink_to(tmp_path / "elsewhere")
    two = [verdict("0", [(9, 1)], benchmark="mine"), verdict("1", [(9, 1)])]
    record(tmp_path / "r.jsonl", two)
    ended = grm("eval", "r.jsonl", "--out", "out")
    assert ended.code == 1 and "leads out of --out" in ended.err
    assert not list((tmp_path / "elsewhere").iterdir())


@pytest.mark.parametrize("command", ["eval", "report"])
def test_a_record_that_is_named_twice_does_not_count_twice(
    grm: Grm, tmp_path: Path, command: str
) -> None:
    record(tmp_path / "run" / "verdicts.jsonl", [verdict(str(i), [(9, 1)]) for i in range(3)])
    more = ("--out", "out") if command == "eval" else ()
    ended = grm(command, "run", "run/../run/verdicts.jsonl", *more)
    assert ended.code == 1 and "its verdicts would count twice" in ended.err
    assert not (tmp_path / "out").exists()


def test_runs_of_one_benchmark_stay_runs_of_their_own(grm: Grm, tmp_path: Path) -> None:
    for name, scores in (("labelled-a", (9, 1)), ("labelled-b", (1, 9))):
        run = tmp_path / "two" / name
        record(run / "verdicts.jsonl", [verdict(f"{name}{i}", [scores]) for i in range(3)])
        record(run / "greedy.jsonl", [verdict(f"{name}{i}", [scores]) for i in range(3)])
    (tmp_path / "two" / "labelled-b" / "greedy.jsonl").unlink()
    assert grm("eval", "two", "--out", "again").code == 0
    found = figures(tmp_path / "again")["benchmarks"]
    assert {name: one["value"] for name, one in found.items()} == {"labelled-a": 1, "labelled-b": 0}
    assert "greedy" in figures(tmp_path / "again" / "labelled-a")["figures"]["over"]
    (tmp_path / "two" / "labelled-b").rename(tmp_path / "labelled-a")
    ended = grm("eval", "two", "labelled-a", "--out", "other")
    assert ended.code == 1 and "two runs are called 'labelled-a'" in ended.err


def test_records_are_not_written_over_while_they_are_read(grm: Grm, tmp_path: Path) -> None:
    record(tmp_path / "r.jsonl", [verdict(str(i), [(9, 1)] * 4) for i in range(3)])
    assert grm("eval", "r.jsonl", "--out", "ev").code == 0
    before = (tmp_path / "ev" / "revoted.jsonl").read_bytes()
    for source in ("ev", "ev/revoted.jsonl"):
        ended = grm("eval", source, "--out", "ev", "-k", "1")
        assert ended.code == 1 and "among the records that are read" in ended.err
    assert (tmp_path / "ev" / "revoted.jsonl").read_bytes() == before


def test_a_record_that_is_not_what_was_measured_says_so(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "rm.jsonl", labelled(8))
    command = ("eval", "labelled:rm.jsonl", "--out", "out", *TINY)
    assert grm(*command).code == 0
    assert "holds" not in grm("eval", "out", "--out", "same").err
    assert grm(*command, "--limit", "5").code == 0
    for other in (("eval", "out", "--out", "again"), ("compare", "out", "same")):
        ended = grm(*other)
        assert "eval.json is of 5 groups, and the record holds 8; all" in ended.err
    lines = (tmp_path / "out" / "verdicts.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "out" / "verdicts.jsonl").write_bytes(b"".join(lines[:4]) + lines[4][:50])
    ended = grm("eval", "out", "--out", "torn")
    assert ended.code == 0 and figures(tmp_path / "torn")["data"]["groups"] == 4
    assert "its last line is cut" in ended.err and "the record holds 4" in ended.err


def test_groups_that_ended_early_are_of_the_same_settings_when_they_vote_again(
    grm: Grm, tmp_path: Path
) -> None:
    some = [verdict(str(i), [(9, 1)] * (4 if i % 2 else 3)) for i in range(6)]
    record(tmp_path / "r.jsonl", some)
    for more in (("--vote", "median"), ("-k", "3"), ("-k", "4", "--vote", "median")):
        assert grm("eval", "r.jsonl", "--out", "once", *more).code == 0
        again = grm("eval", "once", "--out", "twice")
        assert again.code == 0, again.err
        assert figures(tmp_path / "twice")["judge"]["k"] == int({"-k": more[1]}.get(more[0], 4))


def test_how_judgments_voted_again_is_on_record_and_told_by_compare(
    grm: Grm, tmp_path: Path
) -> None:
    rated = [
        replace(one, judgments=tuple(replace(j, meta_score=float(j.sample)) for j in one.judgments))
        for one in (verdict(str(i), [(1, 9), (2, 9), (9, 1), (9, 8)]) for i in range(6))
    ]
    record(tmp_path / "r.jsonl", rated)
    (tmp_path / "w.json").write_text('{"coefficients": {"margin": 0.5, "meta": 1}}')
    ways = {
        "all": ("--set", "select=all"),
        "best": ("--set", "k_meta=2"),
        "weighed": ("--weights", "w.json"),
    }
    for name, more in ways.items():
        assert grm("eval", "r.jsonl", "--out", name, *more).code == 0
        again = grm("eval", name, "--out", f"{name}2")
        assert again.code == 0, again.err
        once, twice = figures(tmp_path / name), figures(tmp_path / f"{name}2")
        assert (once["figures"], once["judge"]) == (twice["figures"], twice["judge"])
    assert figures(tmp_path / "best")["judge"]["k_meta"] == 2
    assert "k_meta None -> 2; select all -> meta_rm" in _apart(grm, "all", "best")
    assert "weights.margin None -> 0.5" in _apart(grm, "all", "weighed")
    assert grm("eval", "best", "--out", "few", "-k", "2").code == 0
    assert figures(tmp_path / "few")["judge"]["k_meta"] == 1
    (one, *_) = read_verdicts(tmp_path / "few" / "revoted.jsonl")
    assert [each.voted for each in one.judgments] == [False, True]


def _apart(grm: Grm, first: str, second: str) -> str:
    told = grm("compare", first, second).out.partition("settings that differ: ")[2]
    return "; ".join(sorted(told.split(" n A B ")[0].split("; ")))


def test_where_no_sample_was_drawn_none_is_called_valid(grm: Grm, tmp_path: Path) -> None:
    refused = [
        replace(verdict(str(i), [(9, 1)]), rewards=None, judgments=(), unscored="refused: no")
        for i in range(3)
    ]
    record(tmp_path / "r.jsonl", refused)
    ended = grm("eval", "r.jsonl", "--out", "out")
    assert ended.code == 3 and "nothing was scored" in ended.out and "refused: no" in ended.out
    assert "no judgment could be read" in ended.out
    assert "samples valid 0 none" in grm("report", "r.jsonl").out
