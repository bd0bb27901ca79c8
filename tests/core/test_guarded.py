"""Whatever a part does, who calls it comes back, and hears which part it was."""

from __future__ import annotations

import asyncio
import pickle
import threading
import time
from collections.abc import Iterator

import pytest

from grm_plugin.errors import EngineError, PluginError
from grm_plugin.running import guarded
from grm_plugin.running.guarded import PartTimeout, call, run
from grm_plugin.running.loop import LoopBlocked, LoopThread


def soon(seconds: float = 0.1) -> float:
    return time.monotonic() + seconds


@pytest.fixture(autouse=True)
def short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarded, "GRACE_S", 0.1)


RAISES = [ValueError("x"), SystemExit(3), KeyboardInterrupt(), asyncio.CancelledError()]


@pytest.mark.parametrize("deadline", [None, 5.0])
@pytest.mark.parametrize("error", RAISES, ids=repr)
async def test_whatever_a_part_raises_names_the_part(error: BaseException, deadline) -> None:
    async def raises() -> None:
        raise error

    limit = {} if deadline is None else {"deadline": soon(deadline)}
    with pytest.raises(PluginError, match=r"voter 'mine' failed: .*\(test_guarded\.py:\d+\)$"):
        await call("voter 'mine'", raises, **limit)


@pytest.mark.parametrize("error", RAISES[:3], ids=repr)
def test_a_plain_function_is_guarded_alike(error: BaseException) -> None:
    def raises(value: int) -> None:
        raise error

    with pytest.raises(PluginError, match=r"stopper 'mine' failed: \w+"):
        run("stopper 'mine'", raises, 1)
    assert run("stopper 'mine'", abs, -1) == 1


async def test_a_function_that_should_have_been_async_is_named() -> None:
    with pytest.raises(PluginError, match=r"voter 'mine' failed: TypeError\(.*await"):
        await call("voter 'mine'", abs, -1)


async def test_errors_of_this_package_go_through_as_they_are() -> None:
    async def raises() -> None:
        raise EngineError("no server at port 1")

    for limit in ({}, {"deadline": soon(5)}):
        with pytest.raises(EngineError, match=r"^no server at port 1$"):
            await call("engine 'mine'", raises, **limit)


async def test_a_part_that_never_returns_is_cancelled_at_the_deadline() -> None:
    ended = asyncio.Event()

    async def hangs() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    with pytest.raises(PartTimeout, match="selector 'mine' did not return by the deadline"):
        await call("selector 'mine'", hangs, deadline=soon())
    assert ended.is_set()


async def test_a_part_that_swallows_cancellation_is_left_to_itself(
    caplog: pytest.LogCaptureFixture,
) -> None:
    go = asyncio.Event()

    async def swallows() -> None:
        while not go.is_set():
            try:
                await go.wait()
            except asyncio.CancelledError:
                continue

    started = time.monotonic()
    with pytest.raises(PartTimeout):
        await call("engine 'mine'", swallows, deadline=soon())
    assert time.monotonic() - started < 1
    assert "engine 'mine' ignores that it was cancelled" in caplog.text
    go.set()


async def test_cancelling_the_caller_cancels_the_part() -> None:
    ended = asyncio.Event()

    async def hangs() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    for limit in ({}, {"deadline": soon(60)}):
        ended.clear()
        task = asyncio.create_task(call("engine 'mine'", hangs, **limit))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert ended.is_set()


def test_a_timeout_survives_pickling() -> None:
    error = pickle.loads(pickle.dumps(PartTimeout("x did not return")))
    assert (type(error), str(error)) == (PartTimeout, "x did not return")


# the event loop


@pytest.fixture
def thread() -> Iterator[LoopThread]:
    thread = LoopThread("test", patience_s=1)
    yield thread
    thread.close()


def test_a_loop_survives_a_task_that_exits(thread: LoopThread) -> None:
    async def exits() -> None:
        raise SystemExit(3)

    async def starts() -> None:
        asyncio.get_running_loop().create_task(exits())
        await asyncio.sleep(0)

    thread.run(starts())
    assert thread.run(asyncio.sleep(0, 5)) == 5


@pytest.mark.parametrize("kind", ["call", "run"])
def test_a_blocked_loop_is_given_up_and_the_part_named(kind: str) -> None:
    go, thread = threading.Event(), LoopThread("test", patience_s=1)

    async def blocks() -> None:
        go.wait(20)

    async def work() -> None:
        if kind == "run":
            run("voter 'mine'", go.wait, 20)
        await call("voter 'mine'", blocks, deadline=soon(30))

    cleaned = threading.Event()

    async def last() -> None:
        cleaned.set()

    with pytest.raises(LoopBlocked, match=r"voter 'mine' \(threading\.py:\d+\) blocks"):
        thread.run(work())
    thread.give_up(last())
    assert thread.closed and not cleaned.is_set()
    go.set()
    assert cleaned.wait(5)


async def test_callers_with_a_loop_of_their_own_hear_of_a_blocked_one() -> None:
    go, thread = threading.Event(), LoopThread("test", patience_s=1)

    async def work() -> None:
        run("contract 'mine'", go.wait, 20)

    with pytest.raises(LoopBlocked, match="contract 'mine'"):
        await thread.run_async(work())
    go.set()
    thread.close()


def test_a_loop_that_waits_for_a_slow_part_is_not_blocked(thread: LoopThread) -> None:
    assert thread.run(asyncio.sleep(2.5, "slow")) == "slow"


def test_closing_does_not_wait_for_work_that_swallows_cancellation() -> None:
    thread = LoopThread("test")

    async def swallows() -> None:
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                continue

    async def starts() -> None:
        asyncio.get_running_loop().create_task(swallows())
        await asyncio.sleep(0)

    thread.run(starts())
    started = time.monotonic()
    thread.close()
    assert time.monotonic() - started < 5
