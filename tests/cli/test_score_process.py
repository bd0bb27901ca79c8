"""``grm score`` in processes of its own: killed, interrupted, out of disk, in a pipe."""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.files import read, rows, timeless, write

Process = Callable[..., "subprocess.Popen[bytes]"]
TINY = ("--engine", "tiny", "--set", "engine.log=log", "-k", "2")
SLOW = (*TINY, "--set", "engine.delay_s=0.05", "--set", "max_concurrent_groups=2")


def _wait_for_lines(path: Path, number: int) -> None:
    until = time.monotonic() + 30
    while not path.exists() or path.read_bytes().count(b"\n") < number:
        assert time.monotonic() < until, "the verdicts did not come"
        time.sleep(0.01)


def _drawn(log: Path) -> dict[str, int]:
    """How many samples were drawn of each group, by fingerprint."""
    counts: dict[str, int] = {}
    for line in log.read_text().splitlines():
        group = line.split()[0]
        counts[group] = counts.get(group, 0) + 1
    return counts


def test_a_killed_run_goes_on_and_ends_like_one_that_was_not_killed(
    process: Process, tmp_path: Path
) -> None:
    write(tmp_path / "in.jsonl", rows(40))
    first = process("score", "in.jsonl", "-o", "out.jsonl", *SLOW)
    _wait_for_lines(tmp_path / "out.jsonl", 10)
    first.kill()
    first.communicate()
    with (tmp_path / "out.jsonl").open("ab") as torn:
        torn.write(b'{"version": 1, "id": "torn')
    kept = {json.loads(line)["fingerprint"] for line in _whole_lines(tmp_path / "out.jsonl")}
    (tmp_path / "log").unlink()

    second = process("score", "in.jsonl", "-o", "out.jsonl", *SLOW)
    assert second.communicate()[1].count(b"verdicts in out.jsonl already: ") == 1
    assert second.returncode == 0
    drawn = _drawn(tmp_path / "log")
    assert not kept & set(drawn)
    assert len(kept) + len(drawn) == 40
    assert set(drawn.values()) == {2}

    process("score", "in.jsonl", "-o", "whole.jsonl", *TINY).communicate()
    assert read(tmp_path / "out.jsonl") == read(tmp_path / "whole.jsonl")


def _whole_lines(path: Path) -> list[bytes]:
    return [line for line in path.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_keeps_the_verdicts_and_says_how_to_go_on(
    process: Process, tmp_path: Path, sent: signal.Signals, code: int
) -> None:
    write(tmp_path / "in.jsonl", rows(200))
    running = process("score", "in.jsonl", "-o", "out.jsonl", *SLOW)
    _wait_for_lines(tmp_path / "out.jsonl", 5)
    running.send_signal(sent)
    said = running.communicate(timeout=20)[1].decode()
    assert running.returncode == code
    assert "the same command goes on there" in said
    assert "Traceback" not in said
    assert len(read(tmp_path / "out.jsonl")) >= 5


def test_ctrl_c_does_not_wait_for_a_model_that_loads(process: Process, tmp_path: Path) -> None:
    write(tmp_path / "in.jsonl", rows(1))
    stuck = ("--engine", "stuck", "--set", "engine.log=log")
    running = process("score", "in.jsonl", "-o", "out.jsonl", *stuck)
    while not (tmp_path / "log").exists():
        time.sleep(0.01)
    running.send_signal(signal.SIGINT)
    said = running.communicate(timeout=20)[1].decode()
    assert running.returncode == 130
    assert "verdicts kept in out.jsonl: 0; the same command goes on there" in said
    assert "Traceback" not in said


def test_a_full_disk_is_a_clear_error_and_everything_before_is_intact(
    process: Process, tmp_path: Path
) -> None:
    write(tmp_path / "in.jsonl", rows(40))
    small = process(
        "score", "in.jsonl", "-o", "out.jsonl", *TINY,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)),
    )  # fmt: skip
    said = small.communicate()[1].decode()
    assert small.returncode == 1
    assert "can not be recorded to out.jsonl" in said
    assert "is the disk full?" in said
    assert "Traceback" not in said
    assert 5 < len(read(tmp_path / "out.jsonl")) < 40
    assert process("score", "in.jsonl", "-o", "out.jsonl", *TINY).wait() == 0
    assert [record["id"] for record in read(tmp_path / "out.jsonl")] == [str(i) for i in range(40)]


@pytest.mark.parametrize("output", ["/dev/full", "-"])
def test_a_device_without_room_is_a_clear_error(
    process: Process, tmp_path: Path, output: str
) -> None:
    write(tmp_path / "in.jsonl", rows(2))
    with Path("/dev/full").open("wb") as full:
        running = process("score", "in.jsonl", "-o", output, *TINY, stdout=full)
        said = running.communicate()[1].decode()
    assert running.returncode == 1
    assert "No space left on device" in said
    assert "Traceback" not in said


@pytest.mark.parametrize("output", ["-", "/dev/stdout"])
def test_a_pipe_carries_groups_in_and_only_verdicts_out(process: Process, output: str) -> None:
    running = process("score", "-", "-o", output, *TINY)
    lines = b"".join(json.dumps(row).encode() + b"\n" for row in rows(20))
    out, said = running.communicate(lines)
    assert running.returncode == 0
    assert [json.loads(line)["id"] for line in out.splitlines()] == [str(i) for i in range(20)]
    assert b"groups" in said


def test_a_verdict_leaves_the_pipe_before_the_next_group_comes_and_ctrl_c_ends_the_wait(
    process: Process,
) -> None:
    running = process("score", "-", "-o", "-", *TINY)
    assert running.stdin is not None and running.stdout is not None and running.stderr is not None
    running.stdin.write(json.dumps(rows(1)[0]).encode() + b"\n")
    running.stdin.flush()
    assert json.loads(running.stdout.readline())["id"] == "0"
    running.send_signal(signal.SIGINT)
    assert running.wait(20) == 130
    said = running.stderr.read().decode()
    assert "Traceback" not in said
    assert "Fatal" not in said


def test_a_stream_that_restarts_keeps_what_it_did_not_bring(
    process: Process, tmp_path: Path
) -> None:
    lines = write(tmp_path / "in.jsonl", rows(3)).read_bytes().splitlines(keepends=True)
    process("score", "in.jsonl", "-o", "out.jsonl", *TINY).communicate()
    running = process("score", "-", "-o", "out.jsonl", "--restart", *TINY)
    said = running.communicate(lines[0], timeout=60)[1]
    assert running.returncode == 0, said
    assert [one["id"] for one in read(tmp_path / "out.jsonl")] == ["0", "1", "2"]
    assert sorted(_drawn(tmp_path / "log").values()) == [2, 2, 4]


def test_a_bad_line_in_a_stream_ends_it_after_what_was_read(process: Process) -> None:
    lines = [json.dumps(row).encode() for row in rows(1000)]
    lines[16] = b"{broken"
    running = process("score", "-", "-o", "-", *TINY)
    out, said = running.communicate(b"\n".join(lines))
    assert running.returncode == 1
    assert [json.loads(line)["id"] for line in out.splitlines()] == [str(i) for i in range(16)]
    assert b"error: standard input, line 17: expected a JSON object, got '{broken'" in said


def test_an_empty_stream_is_refused(process: Process) -> None:
    running = process("score", "-", "-o", "-", *TINY)
    assert b"standard input holds no groups" in running.communicate(b"")[1]
    assert running.returncode == 1


def test_a_reader_that_goes_away_ends_it_in_silence(process: Process, tmp_path: Path) -> None:
    write(tmp_path / "in.jsonl", rows(300))
    running = process("score", "in.jsonl", "-o", "-", *SLOW)
    assert running.stdout is not None and running.stderr is not None
    first = json.loads(running.stdout.readline())
    running.stdout.close()
    said = running.stderr.read().decode()
    assert running.wait(20) == 1
    assert timeless(first)["id"] == "0"
    assert "error" not in said
    assert "Traceback" not in said


def test_help_lists_every_command_and_loads_no_model_library(
    environment: dict[str, str],
) -> None:
    code = (
        "import sys\nfrom grm_plugin.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "print(sorted({'torch', 'transformers', 'matplotlib', 'numpy'} & set(sys.modules)))"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    ).stdout
    assert all(
        command in shown for command in ("demo", "score", "show", "plugins", "doctor", "train")
    )
    assert shown.endswith("[]\n")
