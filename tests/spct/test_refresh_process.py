"""A refresh in a process of its own beside a training in Python."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from grm_plugin import GRMConfig
from grm_plugin.classifiers import TEMPLATE
from grm_plugin.errors import ConfigError, EngineError
from grm_plugin.spct.refresh_process import refreshing
from tests.spct.scalar_data import judged, save_scalar_rm, write

pytest.importorskip("torch")

QUICK = ("--every", "20", "--learning-rate", "0.005", "--batch", "8", "--poll-s", "0.05")


def judge(tmp_path: Path, **classifier: object) -> GRMConfig:
    chosen = {
        "name": "transformers",
        "model": str(tmp_path / "made" / "current"),
        "reload": True,
        **classifier,
    }
    return GRMConfig(
        record=tmp_path / "verdicts.jsonl", scalar={"use": "alone", "classifier": chosen}
    )


def test_it_has_a_version_before_training_begins_and_is_gone_afterwards(tmp_path: Path) -> None:
    base = save_scalar_rm(tmp_path / "base")
    with refreshing(judge(tmp_path), str(base), options=QUICK):
        current = tmp_path / "made" / "current"
        assert (current / "model.safetensors").is_file()
        assert _writers(tmp_path / "made" / ".lock")
        write(tmp_path / "verdicts.jsonl", map(judged, range(40)))
        until = time.monotonic() + 100
        while current.resolve().name == "version-0000" and time.monotonic() < until:
            time.sleep(0.05)
        assert current.resolve().name >= "version-0001"
    assert not _writers(tmp_path / "made" / ".lock")


def _writers(path: Path) -> list[str]:
    """The processes that have ``path`` open."""
    found = []
    for process in Path("/proc").glob("[0-9]*/fd"):
        try:
            links = [os.readlink(one) for one in process.iterdir()]
        except OSError:
            continue
        if str(path) in links:
            found.append(process.parent.name)
    return found


def test_it_reads_what_the_judge_names_as_the_template_of_its_scalar_rm(tmp_path: Path) -> None:
    (tmp_path / "reads.txt").write_text("lo {{conversation}} be {{responses}}")
    config = judge(tmp_path)
    scalar = config.scalar.model_copy(update={"template": str(tmp_path / "reads.txt")})
    base = save_scalar_rm(tmp_path / "base")
    with refreshing(config.model_copy(update={"scalar": scalar}), str(base), options=QUICK):
        kept = tmp_path / "made" / "current" / TEMPLATE
        assert kept.read_text() == (tmp_path / "reads.txt").read_text()


async def test_where_an_event_loop_runs_it_ends_too_and_the_error_of_the_training_is_told(
    tmp_path: Path,
) -> None:
    base = save_scalar_rm(tmp_path / "base")
    with (
        pytest.raises(ValueError, match="the loss is no number"),
        refreshing(judge(tmp_path), str(base), options=QUICK),
    ):
        raise ValueError("the loss is no number")
    assert not _writers(tmp_path / "made" / ".lock")


def test_a_refresh_that_can_not_begin_ends_the_training_before_it_starts(tmp_path: Path) -> None:
    with (
        pytest.raises(EngineError, match="refresh of the scalar RM ended with code 1"),
        refreshing(judge(tmp_path), str(tmp_path / "nowhere"), options=QUICK),
    ):
        raise AssertionError("it began")


@pytest.mark.parametrize("changed", [{"reload": False}, {"model": "out/scalar"}])
def test_a_judge_that_would_not_notice_versions_is_refused(tmp_path: Path, changed) -> None:
    with (
        pytest.raises(ConfigError, match=r"a refresh needs record, and scalar: .*OUT/current"),
        refreshing(judge(tmp_path, **changed), "base"),
    ):
        raise AssertionError("it began")
