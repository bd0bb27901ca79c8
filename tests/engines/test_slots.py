from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from grm_plugin.remote.slots import Slots


@given(st.integers(1, 8), st.lists(st.tuples(st.integers(1, 12), st.booleans()), max_size=30))
def test_no_more_than_size_is_ever_held_and_all_of_it_comes_back(
    size: int, wanted: list[tuple[int, bool]]
) -> None:
    asyncio.run(_hold_all(size, wanted))


async def _hold_all(size: int, wanted: list[tuple[int, bool]]) -> None:
    slots = Slots(size)
    held = 0

    async def hold(n: int) -> None:
        nonlocal held
        async with slots.hold(n):
            held += min(n, size)
            assert held <= size
            await asyncio.sleep(0)
            held -= min(n, size)

    tasks = [asyncio.create_task(hold(n)) for n, _ in wanted]
    await asyncio.sleep(0)
    for task, (_, cancelled) in zip(tasks, wanted, strict=True):
        if cancelled:
            task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    # a holder that was cancelled had no chance to count itself out
    assert slots.taken == 0


async def test_a_large_request_is_not_starved_by_small_ones() -> None:
    slots, order = Slots(4), []

    async def hold(name: str, n: int) -> None:
        async with slots.hold(n):
            order.append(name)
            await asyncio.sleep(0.01)

    names = [("a", 1), ("large", 4), ("b", 1), ("c", 1)]
    await asyncio.gather(*(hold(name, n) for name, n in names))
    assert order == ["a", "large", "b", "c"]


async def test_a_cancelled_waiter_lets_the_next_one_through() -> None:
    slots = Slots(2)
    async with slots.hold(1):
        large = asyncio.create_task(slots.hold(2).__aenter__())
        small = asyncio.create_task(slots.hold(1).__aenter__())
        await asyncio.sleep(0)
        assert not small.done()
        large.cancel()
        await asyncio.wait_for(small, 1)
