from __future__ import annotations

import asyncio
import gc
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm_openrlhf.errors import SiblingError
from grm_openrlhf.gathering import Gathering


class Host:
    """Starts siblings as the host does, and remembers the groups that were judged."""

    def __init__(self, fault: BaseException | None = None) -> None:
        self.groups: list[list[int]] = []
        self.judging = asyncio.Event()
        self.done = asyncio.Event()
        self.done.set()
        self._fault = fault
        self._gathering = Gathering[int, str](self._judge)

    async def _judge(self, answers: Sequence[int]) -> list[str]:
        self.groups.append(list(answers))
        self.judging.set()
        await self.done.wait()
        if self._fault:
            raise self._fault
        return [f"result of {answer}" for answer in answers]

    async def sample(self, call: object, ticks: int, answer: int) -> str:
        with self._gathering.join(call) as seat:
            for _ in range(ticks):
                await asyncio.sleep(0)
            return await seat.settle(answer)

    async def prompt(self, ticks: Sequence[int], start: int = 0) -> list[str]:
        call = object()
        samples = [self.sample(call, wait, start + i) for i, wait in enumerate(ticks)]
        return list(await asyncio.gather(*samples))


@given(st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=5), min_size=1, max_size=5))
def test_siblings_are_judged_together_however_long_each_takes(prompts: list[list[int]]) -> None:
    async def run() -> None:
        host = Host()
        starts = [100 * number for number in range(len(prompts))]
        found = await asyncio.gather(*map(host.prompt, prompts, starts))
        wanted = [
            [start + i for i in range(len(ticks))]
            for start, ticks in zip(starts, prompts, strict=True)
        ]
        assert sorted(host.groups) == wanted
        assert found == [[f"result of {answer}" for answer in group] for group in wanted]

    asyncio.run(run())


async def test_a_judge_that_fails_fails_every_sibling_with_its_own_error() -> None:
    host = Host(ValueError("broken"))
    samples = [asyncio.create_task(host.sample(host, i, i)) for i in range(3)]
    for sample in samples:
        with pytest.raises(ValueError, match="broken"):
            await sample


@pytest.mark.parametrize("fault", [asyncio.CancelledError(), GeneratorExit()])
async def test_judging_that_is_cancelled_leaves_no_sibling_waiting(fault: BaseException) -> None:
    host = Host(fault)
    samples = [asyncio.create_task(host.sample(host, i, i)) for i in range(3)]
    async with asyncio.timeout(10):
        for sample in samples:
            with pytest.raises(SiblingError, match=f"was ended by {type(fault).__name__}"):
                await sample


async def test_judging_that_is_cancelled_before_it_begins_leaves_no_sibling_waiting() -> None:
    host, before = Host(), asyncio.all_tasks()
    samples = [asyncio.create_task(host.sample(host, 0, i)) for i in range(2)]
    async with asyncio.timeout(10):
        while not (judging := asyncio.all_tasks() - before - {*samples}):
            await asyncio.sleep(0)
        judging.pop().cancel()
        assert not host.groups
        for sample in samples:
            with pytest.raises(SiblingError, match="was ended by CancelledError"):
                await sample


async def test_a_cancelled_sibling_fails_the_others_and_stops_the_judging() -> None:
    host = Host()
    host.done.clear()
    first, second = (asyncio.create_task(host.sample(host, 0, i)) for i in range(2))
    await host.judging.wait()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    with pytest.raises(SiblingError, match="CancelledError"):
        await second


async def test_a_failure_that_nobody_waits_for_leaves_nothing_behind(
    caplog: pytest.LogCaptureFixture,
) -> None:
    gathering: Any = Gathering[int, str](Host()._judge)
    with pytest.raises(ValueError, match="gone"), gathering.join("call"):
        raise ValueError("gone")
    await asyncio.sleep(0)
    del gathering
    gc.collect()
    assert "never retrieved" not in caplog.text
