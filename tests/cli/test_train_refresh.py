"""``grm train refresh`` in a process of its own, beside a record that grows."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from grm_plugin import GRM
from grm_plugin.classifiers import TEMPLATE
from tests.cli.conftest import Ended
from tests.spct.scalar_data import by_another, group, judged, save_scalar_rm, write

torch = pytest.importorskip("torch")

Grm = Callable[..., Ended]
Start = Callable[..., "subprocess.Popen[bytes]"]
QUICK = (
    *("--every", "20", "--learning-rate", "0.005", "--batch", "8", "--poll-s", "0.05"),
    *("--weight-decay", "0", "--epochs", "6", "--validation", "0.3"),
)
WAIT_S = 120.0


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.set_num_threads(1)
    return save_scalar_rm(tmp_path_factory.mktemp("base"))


@pytest.fixture
def record(tmp_path: Path) -> Path:
    return tmp_path / "verdicts.jsonl"


def command(record: Path, base: Path, *more: object) -> list[object]:
    return ["train", "refresh", record, "--base", base, "--out", "made", *QUICK, *more]


@pytest.fixture
def refreshing(process: Start) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts `grm train refresh`; ends it with the test."""
    running: list[subprocess.Popen[bytes]] = []

    def start(*args: object) -> subprocess.Popen[bytes]:
        running.append(process(*args))
        return running[-1]

    yield start
    for one in running:
        one.kill()
        one.communicate()


def wait_for(version: int, folder: Path, running: subprocess.Popen[bytes]) -> Path:
    """The folder of the current version, once it is this one or a newer one."""
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until and running.poll() is None:
        current = (folder / "made" / "current").resolve()
        if current.name.startswith("version-") and int(current.name[-4:]) >= version:
            return current
        time.sleep(0.05)
    raise AssertionError(f"no version {version}: {running.stderr.read().decode()[-2000:]}")


def versions(folder: Path) -> list[dict[str, Any]]:
    return [*map(json.loads, (folder / "made/versions.jsonl").read_text().splitlines())]


def test_it_follows_a_record_is_killed_and_goes_on_at_its_last_version(
    refreshing: Start, record: Path, base: Path, tmp_path: Path
) -> None:
    running = refreshing(*command(record, base))
    wait_for(0, tmp_path, running)  # the base, before there is a record
    write(record, map(judged, range(60)))
    first = wait_for(1, tmp_path, running)
    assert json.loads((first / "scalar.json").read_text())["spread"] != 1
    running.send_signal(signal.SIGKILL)
    running.wait()
    write(record, map(judged, range(60, 120)), "ab")
    running = refreshing(*command(record, base))
    wait_for(2, tmp_path, running)
    running.send_signal(signal.SIGINT)
    err = running.communicate(timeout=30)[1]
    assert running.returncode == 130, err
    made = versions(tmp_path)
    assert [one["number"] for one in made] == list(range(len(made))) and len(made) > 2
    assert sum(one["new"] for one in made) < 120 and made[2]["replayed"] > 0
    assert made[-1]["accuracy"] > 0.75
    assert b"held-out pairs" in err and b"version 0" not in err


def test_verdicts_name_the_version_that_is_refreshed_beside_them(
    refreshing: Start, record: Path, base: Path, tmp_path: Path
) -> None:
    running = refreshing(*command(record, base, "--every", "60"))
    wait_for(0, tmp_path, running)
    classifier = {
        "name": "transformers",
        "model": str(tmp_path / "made" / "current"),
        "reload": True,
    }
    asked = [group(number) for number in range(500, 520)]
    with GRM(scalar={"use": "alone", "classifier": classifier}) as judge:
        before = list(judge.score_many(asked))
        write(record, map(judged, range(100)))
        wait_for(1, tmp_path, running)
        after = list(judge.score_many(asked))
    assert {one.scalar.version for one in before} == {"version-0000"}
    (version,) = {one.scalar.version for one in after}
    assert version >= "version-0001"
    noted = json.loads((tmp_path / "made" / version / "scalar.json").read_text())
    assert {one.scalar.spread for one in after} == {noted["spread"]}
    assert all(one.origin["scalar_version"] == one.scalar.version for one in (*before, *after))
    assert _right(after) > 0.6 > _right(before)


def _right(verdicts: Any) -> float:
    best = [one.group.metadata["best"] for one in verdicts]
    top = [max(range(3), key=one.rewards.__getitem__) for one in verdicts]
    return sum(map(int.__eq__, best, top)) / len(best)


def test_it_ends_when_the_record_does_not_grow_and_says_where_the_newest_is(
    grm: Grm, record: Path, base: Path
) -> None:
    write(record, map(judged, range(40)))
    ended = grm(*command(record, base, "--idle-s", "1"))
    assert ended.code == 0, ended.err
    assert "has not grown for 1 s; the newest version is made/current" in ended.err
    assert Path("made/current").resolve().name == "version-0001"


@pytest.mark.parametrize(
    ("more", "telling"),
    [
        (("--learning-rate", "0.5"), "holds a training with learning_rate = '0.005'"),
        (("--template", "nowhere.txt"), "nowhere.txt"),
    ],
)
def test_another_refresh_does_not_go_on_in_the_folder(
    grm: Grm, record: Path, base: Path, more: tuple[str, ...], telling: str
) -> None:
    assert grm(*command(record, base, "--idle-s", "1")).code == 0
    ended = grm(*command(record, base, "--idle-s", "1", *more))
    assert ended.code == 1 and telling in ended.err


def test_it_reads_what_its_base_was_trained_to_read_and_nothing_else(
    grm: Grm, record: Path, tmp_path: Path
) -> None:
    base, text = save_scalar_rm(tmp_path / "base"), "lo {{conversation}} be {{responses}}"
    (base / TEMPLATE).write_text(text)
    asked = command(record, base, "--idle-s", "1", "--keep", "1", "--epochs", "1")
    for part in (range(40), range(40, 80)):  # the version that the second goes on from is gone then
        write(record, map(judged, part), "ab")
        assert grm(*asked).code == 0
    assert (Path("made/current") / TEMPLATE).read_text() == text
    assert Path("made/current").resolve().name == "version-0002"
    Path("other.txt").write_text("be {{conversation}} lo {{responses}}")
    ended = grm(*asked, "--template", "other.txt")
    assert ended.code == 1 and "made holds a training with reads = " in ended.err


def test_two_refreshes_of_one_folder_are_refused(
    grm: Grm, refreshing: Start, record: Path, base: Path, tmp_path: Path
) -> None:
    wait_for(0, tmp_path, refreshing(*command(record, base)))
    ended = grm(*command(record, base, "--idle-s", "1"))
    assert ended.code == 1 and "made can not be refreshed: another process" in ended.err


def test_a_language_model_is_no_scalar_rm_to_begin_with(
    grm: Grm, record: Path, tmp_path: Path
) -> None:
    from tests.engines.tiny_models import save_judge

    ended = grm(*command(record, save_judge(tmp_path / "judge"), "--idle-s", "1"))
    assert ended.code == 1 and "has no weights for 'score.weight'" in ended.err
    assert not Path("made/current").exists()


def test_records_of_another_judge_end_it_and_the_last_version_stays(
    grm: Grm, record: Path, base: Path
) -> None:
    write(record, [*map(judged, range(40)), by_another(judged(41), model="two")])
    ended = grm(*command(record, base, "--idle-s", "1"))
    assert ended.code == 1 and "line 41: expected the judge of" in ended.err
    assert "(model 'one'), got another one (model 'two')" in ended.err
    assert Path("made/current").resolve().name == "version-0000"
