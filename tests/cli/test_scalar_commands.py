"""A scalar RM under the commands that judge, show and report: a sure group has no judgments."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from grm_plugin.hosts.counting import Tally
from grm_plugin.hosts.metrics import numbers
from grm_plugin.records import read_verdicts
from tests.cli.conftest import Ended
from tests.cli.files import rows, write
from tests.report.pages import rows_in

Grm = Callable[..., Ended]
TINY = ("--engine", "tiny", "--set", "engine.log=log", "-k", "2")
CASCADE = (
    *("--set", "scalar.classifier={name: tiny_meta, log: log}"),
    *("--set", "scalar.use=cascade", "--set", "scalar.sure=0.75"),
    *("--set", "scalar.audit=0.000001"),
)


@pytest.fixture
def record(grm: Grm, tmp_path: Path) -> Path:
    """Two groups of which the scalar RM is sure, and one of responses of one length."""
    unsure = {"id": "unsure", "prompt": "q", "responses": ["ab", "cd"]}
    write(tmp_path / "in.jsonl", [*rows(2), unsure])
    ended = grm("score", "in.jsonl", "-o", "out.jsonl", *TINY, *CASCADE)
    assert ended.code == 0, ended.err
    assert "by the scalar RM 2 groups without the judge, of 3" in ended.err + ended.out
    return tmp_path / "out.jsonl"


def test_a_score_goes_on_where_sure_groups_are_done(grm: Grm, record: Path, tmp_path: Path) -> None:
    asked = (tmp_path / "log").read_text()
    ended = grm("score", "in.jsonl", "-o", "out.jsonl", *TINY, *CASCADE)
    assert ended.code == 0 and (tmp_path / "log").read_text() == asked
    assert [one.scored for one in read_verdicts(record)] == [True] * 3
    other = grm("score", "in.jsonl", "-o", "out.jsonl", *TINY, *CASCADE, "--set", "scalar.sure=0.9")
    assert other.code == 1 and "scalar was" in other.err


def test_show_says_who_decided_and_what_each_response_scored(grm: Grm, record: Path) -> None:
    shown = grm("show", record, "--id", "0").out
    assert "decided by the scalar RM without the judge: sureness 0.78, and 0.75 is eno" in shown
    assert "scalar score 3 (vote 0.95)" in shown and "UNSCORED" not in shown
    assert "scores by sample" not in shown
    judged = grm("show", record, "--id", "unsure").out
    assert "judged: sureness of the scalar RM 0.50, and 0.75 would be enough" in judged


def test_reports_and_pages_take_groups_without_judgments(
    grm: Grm, record: Path, tmp_path: Path
) -> None:
    assert "by the scalar RM" in grm("report", record).out
    assert grm("report", record, "--html", "report.html").code == 0
    assert grm("show", record, "--html", "page.html").code == 0
    found = {row["id"]: row for row in rows_in(tmp_path / "page.html")}
    assert found["0"]["unscored"] == "" and found["0"]["valid"] == 0
    assert found["unsure"]["valid"] == 2


def test_metrics_tell_the_shares_and_nothing_without_a_scalar_rm(record: Path) -> None:
    found = numbers(Tally.of(read_verdicts(record)))
    assert found["judged_rate"] == pytest.approx(1 / 3)
    assert found["sure_threshold"] == 0.75 and 0.5 < found["sureness"] < 1
    assert found["unscored_rate"] == 0 and found["scalar_failed_rate"] == 0
    assert found["valid_rate"] == 1.0
    none = numbers(Tally.of([]))
    assert all(none[name] != none[name] for name in ("judged_rate", "sureness", "audit_agreement"))
