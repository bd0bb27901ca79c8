"""Seconds of a core that the co-scaling study counts."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

pytest.importorskip("psutil")

from recipes.coscaling.seconds import CoreSeconds

_BUSY = "import time\nwhile time.process_time() < 0.5: pass\nprint(flush=True)\ninput()"
_GUARD = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {_BUSY!r}])"


def test_seconds_of_a_process_that_was_started_count_and_stay_when_it_ends() -> None:
    seconds = CoreSeconds()
    began = time.process_time()
    command = [sys.executable, "-c", _GUARD]  # as a refresh has a guard between
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout
        child.stdout.readline()
        own = time.process_time() - began
        # the system counts in hundredths, and cuts what is left of them
        assert 0.45 <= seconds.taken() - own < 5
        child.communicate(b"\n")
    began = time.process_time()
    while time.process_time() - began < 0.05:
        pass
    assert 0.05 <= seconds.taken() < 0.5


def test_nothing_is_counted_twice() -> None:
    seconds = CoreSeconds()
    seconds.taken()
    assert seconds.taken() == pytest.approx(0, abs=0.2)
