"""Records that no memory holds."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from grm_plugin import Group, Verdict
from grm_plugin.records import MAX_LINE_BYTES, to_line
from tests.faults.conftest import LONG

SIZE = (4 if LONG else 1) << 30

READ = """
import re, sys
from pathlib import Path
from grm_plugin.records import read_verdicts
print(len([*read_verdicts(Path(sys.argv[1]))]))
status = Path("/proc/self/status").read_text()  # ru_maxrss would be that of who started us
print(int(re.search(r"VmHWM:\\s+(\\d+) kB", status)[1]) >> 10)
"""


def test_a_line_of_gigabytes_without_an_end_is_not_read_into_memory(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_bytes(to_line(Verdict(Group.of("q", ["a"]), (0.5,))))
    with path.open("r+b") as file:
        file.truncate(SIZE)  # takes no room on the disk
    done = subprocess.run(
        [sys.executable, "-c", READ, str(path)], capture_output=True, text=True, check=True
    )
    verdicts, megabytes = map(int, done.stdout.split())
    assert verdicts == 1
    assert megabytes < 3 * (MAX_LINE_BYTES >> 20) < SIZE >> 20
