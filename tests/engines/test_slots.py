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


async def test_a_busy_judge_halves_the_slots_and_answers_bring_them_back_one_by_one() -> None:
    slots = Slots(16)
    slots.shrink()
    slots.shrink()
    assert slots.size == 4
    for _ in range(5):
        slots.grow(1)
    assert slots.size == 5
    for _ in range(200):
        slots.grow(1)
    assert slots.size == 16


@given(st.lists(st.integers(0, 9), max_size=60), st.integers(1, 300))
def test_the_slots_never_leave_their_bounds(answers: list[int], most: int) -> None:
    slots = Slots(most)
    for n in answers:
        if n:
            slots.grow(n)
        else:
            slots.shrink()
        assert 1 <= slots.size <= most


async def test_who_has_to_queue_again_keeps_its_place() -> None:
    slots, order = Slots(1), []

    async def hold(name: str, ticket: int) -> None:
        async with slots.hold(1, ticket):
            order.append(name)

    first, second, third = (slots.ticket() for _ in range(3))
    async with slots.hold(1, first):
        waiting = [asyncio.create_task(hold("third", third))]
        await asyncio.sleep(0)
        waiting.append(asyncio.create_task(hold("second", second)))
        waiting.append(asyncio.create_task(hold("first, again", first)))
        await asyncio.sleep(0)
    await asyncio.gather(*waiting)
    assert order == ["first, again", "second", "third"]


async def test_nobody_wants_slots_when_all_who_waited_have_them() -> None:
    slots = Slots(1)
    await slots.unwanted()
    async with slots.hold(1):
        waiter = asyncio.create_task(slots.hold(1).__aenter__())
        await asyncio.sleep(0)
        unwanted = asyncio.create_task(slots.unwanted())
        await asyncio.sleep(0.01)
        assert not unwanted.done()
    await waiter
    await asyncio.wait_for(unwanted, 1)
