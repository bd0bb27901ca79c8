"""A part that blocks the judge's event loop costs the groups that were open, and nothing else."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from grm_plugin import GRM, Group, hookimpl
from grm_plugin.errors import JudgeDeadError
from grm_plugin.records import read_verdicts
from grm_plugin.testing import ScriptedEngine

SOON = {"group_timeout_s": 1.0, "batch_timeout_s": 5.0}
GROUPS = [Group.of("q", ["a", "b"], id=f"g{n}") for n in range(8)]


class Parts:
    """A voter that blocks in its ``nth`` vote, and an engine that runs a child."""

    def __init__(self, nth: int) -> None:
        self.nth, self.votes = nth, 0
        self.started: list[str] = []
        self.abandoned: list[str] = []
        self.released = threading.Event()

    def vote(self, scores_K_N: Any, scale: Any) -> list[float]:
        self.votes += 1
        if self.votes == self.nth:
            self.released.wait(20)
        return [0.25, 0.75]

    @hookimpl
    def grm_register_voters(self, register) -> None:
        register("stuck", lambda options, limits: self.vote)

    @hookimpl
    def grm_register_engines(self, register) -> None:
        register("child", lambda options, limits: Engine(self))


class Engine(ScriptedEngine):
    def __init__(self, parts: Parts) -> None:
        super().__init__(["\\boxed{9, 3}"])
        self._parts = parts

    async def start(self) -> None:
        self._parts.started.append(threading.current_thread().name)

    def abandon(self) -> None:
        self._parts.abandoned.append(threading.current_thread().name)

    async def check(self) -> None:
        return None


@pytest.fixture
def parts() -> Iterator[Parts]:
    found = Parts(nth=1)
    yield found
    found.released.set()


def judge(parts: Parts, **settings: Any) -> GRM:
    return GRM(plugins=[parts], engine="child", vote="stuck", k=1, **{**SOON, **settings})


def test_the_group_of_a_blocked_part_is_on_record_and_so_is_the_next(
    parts: Parts, tmp_path: Path
) -> None:
    path = tmp_path / "record.jsonl"
    with judge(parts, record=path) as grm:
        assert "voter 'stuck'" in grm.score(GROUPS[0]).unscored
        assert grm.score(GROUPS[1]).rewards == (0.25, 0.75)
    found = list(read_verdicts(path))
    assert [(one.group.id, one.scored) for one in found] == [("g0", False), ("g1", True)]


def test_groups_that_were_voted_on_before_a_part_blocks_keep_their_rewards(
    parts: Parts, tmp_path: Path
) -> None:
    parts.nth, path = 3, tmp_path / "record.jsonl"
    with judge(parts, record=path) as grm:
        verdicts = grm.score_batch(GROUPS)
    assert [one.scored for one in verdicts] == [True, True, *[False] * 6]
    assert sorted(one.group.id for one in read_verdicts(path)) == [one.id for one in GROUPS]


def test_a_verdict_that_comes_after_its_group_was_given_up_is_not_on_record(
    parts: Parts, tmp_path: Path
) -> None:
    path = tmp_path / "record.jsonl"
    with judge(parts, record=path) as grm:
        grm.score(GROUPS[0])
        parts.released.set()
        grm.score(GROUPS[1])
    assert [one.group.id for one in read_verdicts(path)] == ["g0", "g1"]


def test_what_a_blocked_engine_runs_elsewhere_is_ended_before_another_one_starts(
    parts: Parts,
) -> None:
    with judge(parts) as grm:
        grm.score(GROUPS[0])
        assert parts.abandoned == [threading.current_thread().name]
        assert len(parts.started) == 1
        assert grm.score(GROUPS[1]).scored


def test_the_time_that_a_blocked_part_took_counts_for_a_dead_judge(parts: Parts) -> None:
    with (
        judge(parts, dead_groups=1, dead_after_s=0.9) as grm,
        pytest.raises(JudgeDeadError, match="voter 'stuck'"),
    ):
        grm.score(GROUPS[0])


async def test_all_callers_of_a_blocked_judge_come_back_and_later_calls_are_served(
    parts: Parts, tmp_path: Path
) -> None:
    path = tmp_path / "record.jsonl"
    grm = judge(parts, record=path)
    calls = [grm.score_batch_async([group]) for group in GROUPS[:3]]
    assert [one.scored for (one,) in await asyncio.gather(*calls)] == [False] * 3
    await grm.check_async()
    assert (await grm.score_async(GROUPS[3])).scored
    await asyncio.to_thread(grm.close)
    assert sorted(one.group.id for one in read_verdicts(path)) == ["g0", "g1", "g2", "g3"]


def test_a_stream_goes_on_after_a_part_that_blocks_and_loses_what_was_open(
    parts: Parts, tmp_path: Path
) -> None:
    parts.nth = 3
    path = tmp_path / "record.jsonl"
    with judge(parts, record=path, max_concurrent_groups=2) as grm:
        verdicts = list(grm.score_many(iter(GROUPS)))
    assert [one.group.id for one in verdicts] == [one.id for one in GROUPS]
    lost = [one.group.id for one in verdicts if not one.scored]
    assert "g2" in lost
    assert len(lost) <= 2
    assert all("voter 'stuck'" in one.unscored for one in verdicts if not one.scored)
    assert len(parts.started) == 2
    assert sorted(one.group.id for one in read_verdicts(path)) == sorted(one.id for one in GROUPS)


async def test_an_awaited_stream_goes_on_too(parts: Parts) -> None:
    parts.nth = 3
    with judge(parts, max_concurrent_groups=2) as grm:
        verdicts = [verdict async for verdict in grm.score_many_async(iter(GROUPS))]
    assert [one.group.id for one in verdicts] == [one.id for one in GROUPS]
    assert not verdicts[2].scored
    assert verdicts[-1].scored


def test_a_source_that_is_slow_when_a_part_blocks_loses_no_group_either(parts: Parts) -> None:
    parts.nth = 1

    def slow() -> Iterator[Group]:
        for group in GROUPS:
            yield group
            parts.released.wait(1.5)  # longer than the patience

    with judge(parts, max_concurrent_groups=3) as grm:
        verdicts = list(grm.score_many(slow()))
    assert [one.group.id for one in verdicts] == [one.id for one in GROUPS]
    assert [one.scored for one in verdicts][-4:] == [True] * 4
