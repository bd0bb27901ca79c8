"""Callers' groups wait in turns."""

from __future__ import annotations

import asyncio

from grm_plugin.serving.turns import Turns


class Line:
    """Those who wait, and the order in which they came inside."""

    def __init__(self, places: int) -> None:
        self.turns, self.inside = Turns(places), list[str]()

    async def stand(self, caller: str) -> None:
        await self.turns.enter(caller)
        self.inside.append(caller)

    def queue(self, *callers: str) -> list[asyncio.Task[None]]:
        return [asyncio.create_task(self.stand(caller)) for caller in callers]


async def settled() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


async def test_who_asks_for_one_does_not_wait_for_who_asks_for_many() -> None:
    line = Line(1)
    line.queue(*["many"] * 5, "one")
    await settled()
    for _ in range(5):
        line.turns.leave()
        await settled()
    assert line.inside == ["many", "many", "one", "many", "many", "many"]


async def test_no_more_are_inside_than_there_are_places() -> None:
    line = Line(2)
    line.queue(*"abcd")
    await settled()
    assert line.inside == ["a", "b"]


async def test_one_that_goes_before_its_turn_costs_no_place() -> None:
    line = Line(1)
    _, gone, _ = line.queue(*"aab")
    await settled()
    gone.cancel()
    await settled()
    line.turns.leave()
    await settled()
    assert line.inside == ["a", "b"]


async def test_one_that_goes_in_the_moment_of_its_turn_passes_it_on() -> None:
    line = Line(1)
    _, gone, _ = line.queue(*"abc")
    await settled()
    line.turns.leave()
    gone.cancel()
    await settled()
    assert line.inside == ["a", "c"]
    line.turns.leave()
    line.queue("d")
    await settled()
    assert line.inside[-1] == "d"
