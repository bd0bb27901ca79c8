"""Scripts that end without closing their judge: real processes, and what they write."""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).parents[2]
SLOW = re.compile(r"Executing <.* took [0-9.]+ seconds$")
# closing needs an executor, as that of a local model or of a server of ours does
JUDGE = """
import asyncio, os, pickle, sys
from grm_plugin import GRM, Group
from grm_plugin.testing import ScriptedEngine, scripted

class Local(ScriptedEngine):
    async def start(self):
        self.worker = asyncio.create_task(asyncio.Event().wait())

    async def close(self):
        self.worker.cancel()
        await asyncio.to_thread(print, f"closed {os.getpid()}", flush=True)

def judge(**settings):
    made = GRM(plugins=scripted(Local([r"\\boxed{9, 3}"])), engine="scripted", k=2, **settings)
    made.score(Group.of("q", ["a", "b"]))
    return made
"""


def run(script: str) -> tuple[list[str], str, int]:
    """Lines of standard output, standard error, and exit code.

    What ``-X dev`` says of tasks that were slow on a busy machine is left out.
    """
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-c", JUDGE + textwrap.dedent(script)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = [line for line in done.stderr.splitlines(keepends=True) if not SLOW.match(line)]
    return done.stdout.splitlines(), "".join(said), done.returncode


def closed(lines: list[str]) -> int:
    return sum(line.startswith("closed") for line in lines)


def test_a_script_that_ends_without_close_closes_its_judges_and_says_nothing() -> None:
    lines, said, code = run("one, two = judge(), judge(seed=1)")
    assert (closed(lines), said, code) == (2, "", 0)


def test_a_judge_that_nobody_holds_any_more_is_closed_too() -> None:
    lines, said, _ = run("judge()")
    assert (closed(lines), said) == (1, "")


def test_a_closed_judge_is_not_closed_again_and_one_that_started_anew_is() -> None:
    lines, said, _ = run("""
        made = judge()
        made.close()
        made.close()
        print("now")
        made.score(Group.of("q", ["a", "b"]))
    """)
    assert [line.split()[0] for line in lines] == ["closed", "now", "closed"]
    assert said == ""


def test_an_error_of_the_script_stays_the_only_thing_said() -> None:
    lines, said, code = run("""
        made = judge()
        raise SystemExit("out of memory")
    """)
    assert (closed(lines), said, code) == (1, "out of memory\n", 1)


def test_a_stream_that_was_left_in_the_middle_ends_quietly() -> None:
    lines, said, _ = run("""
        made = judge(max_concurrent_groups=2)
        stream = made.score_many(Group.of(f"q{n}", ["a", "b"]) for n in range(9))
        next(stream)
    """)
    assert (closed(lines), said) == (1, "")


def test_a_pickled_copy_and_a_forked_process_close_only_what_they_started() -> None:
    lines, said, _ = run("""
        import multiprocessing, warnings
        warnings.simplefilter("ignore")
        made = judge()
        copy = pickle.loads(pickle.dumps(GRM(engine={"name": "replay", "path": "none"})))
        child = multiprocessing.get_context("fork").Process(target=print, args=("child",))
        child.start()
        child.join()
    """)
    assert [line.split()[0] for line in lines] == ["child", "closed"]
    assert said == ""


def test_a_forked_process_closes_nothing_that_was_open_before() -> None:
    lines, said, code = run("""
        import multiprocessing, warnings
        from grm_plugin.running.at_exit import close_at_exit
        warnings.simplefilter("ignore")
        parent = os.getpid()
        close_at_exit(lambda: print("parent's", os.getpid() == parent, flush=True))
        def work():
            close_at_exit(lambda: print("own", flush=True))
        child = multiprocessing.get_context("fork").Process(target=work)
        child.start()
        child.join()
    """)
    assert (lines, said, code) == (["own", "parent's True"], "", 0)


def test_a_judge_that_fails_to_close_does_not_keep_the_others_open() -> None:
    lines, said, _ = run("""
        class Stuck(Local):
            async def close(self):
                raise RuntimeError("stuck")

        first, Local = judge(), Stuck
        second = judge()
    """)
    assert closed(lines) == 1
    assert "Keeper.close failed at exit" in said
    assert "RuntimeError: stuck" in said


NO_THREADS = """
import threading
def refuse(*_): raise RuntimeError("can't create new thread at interpreter shutdown")
def no_more_threads(): threading._start_new_thread = threading._start_joinable_thread = refuse
"""


def test_a_judge_is_closed_where_no_thread_can_begin_at_exit() -> None:
    # Python 3.12.0 and 3.12.1; what is registered last is called first
    script = "made = judge()" + NO_THREADS + "threading._register_atexit(no_more_threads)"
    lines, said, code = run(script)
    assert (closed(lines), said, code) == (1, "", 0)
