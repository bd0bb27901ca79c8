"""A record belongs to one process, and to everybody in it; whatever happens to its name or disk."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from grm_plugin import Group, Verdict
from grm_plugin.errors import RecordError
from grm_plugin.records import read_verdicts, to_line
from grm_plugin.running.line_file import LineFile
from grm_plugin.running.recorder import Recorder
from grm_plugin.testing import ScriptedEngine
from tests.core.honest_judge import grm, group, honest

HOLD = """
import sys
from pathlib import Path
from grm_plugin.running.recorder import Recorder
with Recorder(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def verdict(name: str = "g") -> Verdict:
    return Verdict(Group.of("q", ["a"], id=name), (0.5,))


def names(path: Path) -> list[str]:
    return [one.group.id for one in read_verdicts(path)]


def holder(path: Path) -> subprocess.Popen[str]:
    """A process that has ``path`` open for writing until its standard input is closed."""
    command = [sys.executable, "-c", HOLD, str(path)]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None and child.stdout.readline() == "held\n"
    return child


def is_refused(path: Path) -> bool:
    """Whether another process could not have it."""
    command = [sys.executable, "-c", HOLD, str(path)]
    said = subprocess.run(command, input="", capture_output=True, text=True).stderr
    return "another process is writing it" in said


def test_another_process_that_writes_the_file_is_an_error_that_says_so(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    with holder(path) as child, pytest.raises(RecordError, match="another process is writing it"):
        try:
            Recorder(path)
        finally:
            child.communicate()
    Recorder(path).close()


def test_two_judges_of_one_process_write_one_record(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    with grm(honest, record=path) as first, grm(honest, record=str(path)) as second:
        for n, judge in enumerate((first, second, first)):
            judge.score(group(3, 5, id=str(n)))
        second.close()
        first.score(group(3, 5, id="3"))
    assert names(path) == ["0", "1", "2", "3"]
    Recorder(path).close()


def test_lines_of_many_threads_stay_whole(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"

    def write(name: str) -> None:
        with Recorder(path) as recorder:
            for _ in range(20):
                recorder.write(Verdict(Group.of("q" * 9_000, ["a"], id=name), (0.5,)))

    threads = [threading.Thread(target=write, args=(str(n),)) for n in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(names(path)) == sorted(str(n) for n in range(8) for _ in range(20))


def test_the_last_who_closes_a_record_unlocks_it(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    first, second = Recorder(path), Recorder(path)
    first.close()
    first.close()
    assert is_refused(path)
    second.close()
    assert not is_refused(path)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_that_closes_what_it_inherited_leaves_it_locked(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    with Recorder(path) as recorder:
        if not (child := os.fork()):
            recorder.close()
            os._exit(0)
        os.waitpid(child, 0)
        assert is_refused(path)


@pytest.mark.parametrize("fate", ["moved", "deleted", "replaced"])
def test_a_file_that_loses_its_name_is_followed_by_another_one(
    tmp_path: Path, fate: str, caplog: pytest.LogCaptureFixture
) -> None:
    path, elsewhere = tmp_path / "r.jsonl", tmp_path / "elsewhere.jsonl"
    with Recorder(path) as recorder:
        recorder.write(verdict("a"))
        if fate == "moved":
            path.rename(elsewhere)
        elif fate == "deleted":
            path.unlink()
        else:
            elsewhere.write_bytes(path.read_bytes() + b"torn")
            elsewhere.replace(path)
        recorder.write(verdict("b"))
        assert is_refused(path)
    assert names(path) == (["a", "b"] if fate == "replaced" else ["b"])
    assert "was moved or replaced" in caplog.text
    if fate == "moved":
        assert names(elsewhere) == ["a"]


def test_a_file_whose_name_went_to_another_writer_is_left_to_it(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    with Recorder(path) as recorder:
        recorder.write(verdict("a"))
        path.rename(tmp_path / "elsewhere.jsonl")
        with holder(path) as child:
            try:
                with pytest.raises(RecordError, match=r"group b can not .*another process"):
                    recorder.write(verdict("b"))
            finally:
                child.communicate()
        recorder.write(verdict("c"))
    assert names(path) == ["c"]


def test_a_file_that_is_replaced_while_it_is_being_locked_is_opened_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, other = tmp_path / "r.jsonl", tmp_path / "other.jsonl"
    with Recorder(other) as recorder:
        recorder.write(verdict("of another run"))
    flock = fcntl.flock

    def late(file: object, how: int) -> None:
        if other.exists():
            other.replace(path)
        flock(file, how)

    monkeypatch.setattr(fcntl, "flock", late)
    with Recorder(path) as recorder:
        recorder.write(verdict("ours"))
    assert names(path) == ["of another run", "ours"]


def test_a_new_recorder_of_a_file_that_lost_its_name_starts_another_one(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    with Recorder(path) as old:
        old.write(verdict("a"))
        path.unlink()
        with Recorder(path) as new:
            new.write(verdict("b"))
            old.write(verdict("c"))
    assert names(path) == ["b", "c"]


def test_a_record_goes_by_the_name_that_each_was_opened_with(tmp_path: Path) -> None:
    one, other = tmp_path / "one.jsonl", tmp_path / "other.jsonl"
    with Recorder(one) as first:
        first.write(verdict("a"))
        one.rename(other)
        with Recorder(other) as second:
            second.write(verdict("b"))
            first.write(verdict("c"))
    assert (names(one), names(other)) == (["c"], ["a", "b"])


@pytest.mark.parametrize(
    "content", ["notes", "notes\nmore", '{"version":2,"id":"x"}', '{"version":"1.0"}\n', "\n"]
)
def test_a_file_of_something_else_is_refused_and_left_as_it_is(
    tmp_path: Path, content: str
) -> None:
    path = tmp_path / "notes.txt"
    path.write_text(content)
    with pytest.raises(RecordError, match="it holds something else than verdicts"):
        Recorder(path)
    assert path.read_text() == content


def test_a_first_line_that_was_torn_anywhere_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    line = to_line(verdict('a "quoted\\ name'))
    for end in range(len(line)):
        path.write_bytes(line[:end])
        Recorder(path).close()
        assert path.read_bytes() == b""


def test_the_working_folder_may_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with Recorder(Path("r.jsonl")) as recorder:
        (tmp_path / "deeper").mkdir()
        monkeypatch.chdir(tmp_path / "deeper")
        recorder.write(verdict("a"))
    assert names(tmp_path / "r.jsonl") == ["a"]


@pytest.mark.parametrize("missing", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_named_as_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, missing: int
) -> None:
    def flock(file: object, how: int) -> None:
        raise OSError(missing, os.strerror(missing))

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(RecordError, match=r"can not lock files .* choose a path on a local disk"):
        Recorder(tmp_path / "r.jsonl")


def test_a_link_leads_to_one_file_for_all(tmp_path: Path) -> None:
    path, link = tmp_path / "r.jsonl", tmp_path / "link.jsonl"
    link.symlink_to(path)
    with Recorder(link) as first, Recorder(path) as second:
        first.write(verdict("a"))
        second.write(verdict("b"))
        assert is_refused(link)
    assert link.is_symlink()
    assert names(path) == ["a", "b"]


def test_a_pipe_takes_whole_lines_also_where_it_is_read_slowly(tmp_path: Path) -> None:
    pipe, read = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.extend(names(pipe)))
    reader.start()
    with Recorder(pipe) as recorder:
        for name in "abc":
            recorder.write(Verdict(Group.of("q" * 200_000, ["a"], id=name), (0.5,)))
    reader.join(20)
    assert read == ["a", "b", "c"]


def test_a_reader_of_a_pipe_that_goes_away_is_a_record_error(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: pipe.open("rb").close())
    reader.start()
    with Recorder(pipe) as recorder:
        reader.join(20)
        with pytest.raises(RecordError, match=r"can not be recorded to .*pipe: .*Broken pipe"):
            recorder.write(verdict())


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (".", "Is a directory"),
        ("file/r.jsonl", "Not a directory|File exists"),
        ("x" * 300, "too long"),
    ],
)
def test_a_place_that_holds_no_record_is_named(tmp_path: Path, place: str, said: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RecordError, match=f"record .* can not be opened: .*({said})"):
        Recorder(tmp_path / place)


def test_fsync_waits_for_the_disk_with_every_line_and_flush_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    with Recorder(tmp_path / "flush.jsonl") as recorder:
        recorder.write(verdict())
    assert synced == []
    with grm(honest, record=tmp_path / "fsync.jsonl", durability="fsync") as judge:
        judge.score_batch([group(1, 2, id="a"), group(3, 4, id="b")])
    assert len(synced) == 1 + 2  # the folder, so that the name is there, and each line


def test_a_line_that_could_not_be_read_again_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grm_plugin.running.recorder.MAX_LINE_BYTES", 1 << 20)
    with Recorder(tmp_path / "r.jsonl") as recorder:
        with pytest.raises(RecordError, match=r"group long can not .*expected at most 1 MB"):
            recorder.write(Verdict(Group.of("q" * (2 << 20), ["a"], id="long"), (0.5,)))
        recorder.write(verdict("short"))
    assert names(tmp_path / "r.jsonl") == ["short"]


# a disk that is full while judges write


class Disk:
    """A disk that is full, until it is not."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.full = True
        append = LineFile.append

        def maybe(file: LineFile, line: bytes, *, sync: bool = False) -> None:
            if self.full:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            append(file, line, sync=sync)

        monkeypatch.setattr(LineFile, "append", maybe)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


def test_a_full_disk_costs_a_batch_nothing_that_was_paid_for(tmp_path: Path, disk: Disk) -> None:
    engine = ScriptedEngine(honest, delay_s=0.05)
    groups = [group(3, 5, prompt=f"q{n}", id=str(n)) for n in range(6)]
    path = tmp_path / "r.jsonl"
    with grm(engine, record=path, k=2, max_concurrent_groups=3) as judge:
        with pytest.raises(RecordError, match="No space left on device") as full:
            judge.score_batch(groups)
        assert sorted(one.group.id for one in full.value.verdicts) == ["0", "1", "2"]
        assert all(one.scored for one in full.value.verdicts)
        begun = {one.fingerprint for one in groups[:3]}
        assert {request.group for request in engine.requests} == begun
        asked = len(engine.requests)
        with pytest.raises(RecordError, match="No space left on device"):
            judge.score(groups[3])
        assert len(engine.requests) == asked  # no token is spent while the disk is full
        disk.full = False
        judge.score_batch(groups[3:])
    assert sorted(names(path)) == ["0", "1", "2", "3", "4", "5"]


def test_a_full_disk_costs_a_single_group_nothing(tmp_path: Path, disk: Disk) -> None:
    with grm(honest, record=tmp_path / "r.jsonl") as judge:
        with pytest.raises(RecordError) as full:
            judge.score(group(3, 5, id="a"))
        assert [one.rewards is not None for one in full.value.verdicts] == [True]
        disk.full = False
    assert names(tmp_path / "r.jsonl") == ["a"]  # written when the judge is closed


def test_a_stream_gives_what_it_judged_before_it_says_that_the_disk_is_full(
    tmp_path: Path, disk: Disk
) -> None:
    groups = [group(3, 5, id=str(n)) for n in range(6)]
    with grm(honest, record=tmp_path / "r.jsonl", max_concurrent_groups=2) as judge:
        got: list[str] = []
        with pytest.raises(RecordError, match="No space left on device"):
            for one in judge.score_many(groups):
                got.append(one.group.id)
        assert 0 < len(got) < 6
        disk.full = False
    assert sorted(names(tmp_path / "r.jsonl")) == sorted(got)


def test_verdicts_that_never_came_to_the_disk_are_told_at_the_end(
    tmp_path: Path, disk: Disk, caplog: pytest.LogCaptureFixture
) -> None:
    with grm(honest, record=tmp_path / "r.jsonl") as judge, pytest.raises(RecordError):
        judge.score(group(3, 5))
    assert "verdicts that are not on record: 1; " in caplog.text
