"""The page of a run: announced at its start, written at its end from what all actors recorded."""

from __future__ import annotations

from pathlib import Path

import pytest

from grm_openrlhf.recording import of_engine
from grm_openrlhf.train_ppo_ray import paged
from grm_plugin.errors import ConfigError
from grm_plugin.records import to_line
from grm_plugin.types import Group, Judgment, Verdict
from tests.adapters.openrlhf.test_openrlhf_start import Begin, begin, line, planned

__all__ = ["begin"]  # a fixture

pytest.importorskip("jinja2")
pytest.importorskip("matplotlib")


def verdict(query: str, step: int) -> Verdict:
    group = Group.of(query, ["a", "b"], metadata={"step": step, "phase": "train"})
    return Verdict(group, (0.9, 0.1), (Judgment(0, (0, 1), 0, "", (9, 2)),))


@pytest.fixture
def record(tmp_path: Path) -> Path:
    """The records of two rollout actors, of two steps."""
    path = tmp_path / "verdicts.jsonl"
    for engine in (0, 1):
        made = (verdict(f"asked of engine {engine} in step {step}", step) for step in (0, 1))
        of_engine(path, engine).write_bytes(b"".join(map(to_line, made)))
    return path


def test_the_page_holds_the_verdicts_of_all_actors(record: Path, tmp_path: Path) -> None:
    page = tmp_path / "pages" / "run.html"
    with paged(page, record, 2):
        assert not page.exists()
    text = page.read_text()
    assert all(f"asked of engine {n} in step {step}" in text for n in (0, 1) for step in (0, 1))
    assert page.with_suffix(".png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("end", [RuntimeError("out of memory"), SystemExit(1), KeyboardInterrupt()])
def test_a_run_that_fails_has_its_page_too(
    record: Path, tmp_path: Path, end: BaseException
) -> None:
    with pytest.raises(type(end)), paged(tmp_path / "run.html", record, 2):
        raise end
    assert (tmp_path / "run.html").exists()


def test_records_of_other_runs_beside_it_are_not_in_the_page(record: Path, tmp_path: Path) -> None:
    other = to_line(verdict("asked in another run", 0))
    for ending in ("", ".engine7", ".actor-0a", "2.jsonl"):
        Path(f"{record}{ending}").write_bytes(other)
    with paged(tmp_path / "run.html", record, 2):
        Path(f"{record}.actor-0b").write_bytes(to_line(verdict("asked without a number", 1)))
    text = (tmp_path / "run.html").read_text()
    assert "asked in another run" not in text
    assert "asked without a number" in text and "5 verdicts" in text


def test_a_record_that_is_not_on_this_machine_is_told(
    record: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with paged(tmp_path / "run.html", record, 3):
        pass
    assert "run.html is without verdicts.jsonl.engine2: not on" in capsys.readouterr().err
    with paged(tmp_path / "none.html", tmp_path / "none.jsonl", 3):
        pass
    told = capsys.readouterr().err
    assert "none.html was not written: no verdicts in" in told and "none.jsonl" in told
    assert not (tmp_path / "none.html").exists()


def test_a_picture_that_can_not_be_drawn_leaves_the_page(
    record: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "run.png").mkdir()
    with paged(tmp_path / "run.html", record, 2):
        pass
    told = capsys.readouterr().err
    assert (
        "page of the run: " in told and "the picture " in told and "run.png was not drawn" in told
    )
    assert "not written" not in told


def test_a_record_that_is_broken_costs_the_page_and_not_the_run(
    record: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    of_engine(record, 1).write_text("notes\n")
    with paged(tmp_path / "run.html", record, 2):
        pass
    told = " ".join(capsys.readouterr().err.split())
    assert "run.html was not written" in told
    assert f"grm show {record}.engine0 {record}.engine1 --html" in told


def test_the_block_at_the_start_says_where_it_will_be(begin: Begin, tmp_path: Path) -> None:
    page = ("--grm.adapters", "{openrlhf: {page: run.html}}")
    told = begin("--grm.engine", "scripted", "--grm.record", "v.jsonl", *page)
    assert line(told, "page") == f"page {tmp_path}/run.html, when the run is over"


def test_a_page_without_a_record_is_refused_before_ray_starts() -> None:
    with pytest.raises(ConfigError, match="page: expected a record to write it from, got none"):
        planned("--grm.engine", "scripted", "--grm.adapters", "{openrlhf: {page: run.html}}")
