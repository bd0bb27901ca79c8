from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from typing import Any

import pytest

from grm_plugin.errors import EngineError
from grm_plugin.local.batching import BatchWorker, Job
from tests.engines.requests_to_judge import until


class Recorder:
    """Doubles its items, and remembers batches and threads; waits for ``gate`` if there is one."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.threads: set[threading.Thread] = set()
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, jobs: Sequence[Job[int, int]]) -> list[int]:
        self.batches.append([job.item for job in jobs])
        self.threads.add(threading.current_thread())
        while not self.gate.wait(0.01) and not all(job.dropped for job in jobs):
            pass
        return [2 * job.item for job in jobs]


async def test_rows_of_unlike_length_are_run_apart_where_padding_costs_more() -> None:
    run = Recorder()
    worker = BatchWorker(run, budget=10_000, cost=100, owner="test")
    await worker.results([(1, 10), (2, 500), (3, 11), (4, 10)])
    await worker.close()
    assert run.batches == [[2], [3, 1, 4]]


async def test_batches_are_cut_where_they_run_and_not_on_the_event_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cut_in: list[threading.Thread] = []

    def packed(jobs: Sequence[Job[int, int]], budget: int, cost: int) -> list[Any]:
        cut_in.append(threading.current_thread())
        return [list(jobs)]

    monkeypatch.setattr("grm_plugin.local.batching.packed", packed)
    run = Recorder()
    worker = BatchWorker(run, budget=100, owner="test")
    await worker.results([(1, 1)])
    await worker.close()
    assert set(cut_in) == run.threads


async def test_requests_that_come_together_share_a_batch() -> None:
    run = Recorder()
    worker = BatchWorker(run, budget=100, owner="test")
    found = await asyncio.gather(*(worker.results([(i, 1), (i + 10, 1)]) for i in range(3)))
    await worker.close()
    assert found == [[0, 20], [2, 22], [4, 24]]
    assert len(run.batches) == 1


async def test_the_event_loop_is_free_while_a_batch_runs() -> None:
    run = Recorder()
    run.gate.clear()
    worker = BatchWorker(run, budget=100, owner="test")
    task = asyncio.create_task(worker.results([(1, 1)]))
    await until(lambda: bool(run.batches))
    run.gate.set()  # the loop came here although the batch had not ended
    assert await task == [2]
    await worker.close()


async def test_rows_nobody_waits_for_are_never_run() -> None:
    run = Recorder()
    run.gate.clear()
    worker = BatchWorker(run, budget=1, owner="test")
    first = asyncio.create_task(worker.results([(1, 1)]))
    await until(lambda: bool(run.batches))
    second = asyncio.create_task(worker.results([(2, 1)]))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    run.gate.set()
    await first
    assert await worker.results([(3, 1)]) == [6]
    await worker.close()
    assert run.batches == [[1], [3]]


async def test_a_running_batch_is_told_when_its_rows_are_dropped() -> None:
    run = Recorder()
    run.gate.clear()
    worker = BatchWorker(run, budget=100, owner="test")
    task = asyncio.create_task(worker.results([(1, 1), (2, 1)]))
    await until(lambda: bool(run.batches))
    task.cancel()
    async with asyncio.timeout(5):
        await worker.close()  # would wait for ever for a batch that goes on


async def test_a_batch_that_fails_fails_its_rows_and_not_the_worker() -> None:
    def run(jobs: Sequence[Job[int, int]]) -> list[int]:
        return [1 // job.item for job in jobs]

    worker = BatchWorker(run, budget=1, owner="test")
    (bad,), (good,) = await asyncio.gather(worker.results([(0, 1)]), worker.results([(1, 1)]))
    await worker.close()
    assert isinstance(bad, EngineError)
    assert "ZeroDivisionError" in str(bad)
    assert good == 1


@pytest.mark.parametrize("surplus", [-1, 1])
async def test_a_batch_with_a_wrong_number_of_results_fails_alone(surplus: int) -> None:
    def run(jobs: Sequence[Job[int, int]]) -> list[int]:
        bad = any(job.item == 0 for job in jobs)
        return [7] * (len(jobs) + surplus * bad)

    worker = BatchWorker(run, budget=2, owner="test")
    async with asyncio.timeout(5):
        bad = await worker.results([(0, 1), (1, 1)])
        good = await worker.results([(2, 1)])
        await worker.close()
    assert all(
        f"expected 2 results of a batch, one a row, got {2 + surplus}" in str(e) for e in bad
    )
    assert good == [7]


async def test_after_close_the_thread_is_gone_and_open_rows_have_failed() -> None:
    run = Recorder()
    run.gate.clear()
    worker = BatchWorker(run, budget=1, owner="test")
    task = asyncio.create_task(worker.results([(1, 1), (2, 1)]))
    await until(lambda: bool(run.batches))
    await worker.close()
    await worker.close()
    assert all(isinstance(result, EngineError) for result in await task)
    assert not any(thread.is_alive() for thread in run.threads)
    with pytest.raises(EngineError, match="test is closed"):
        await worker.results([(3, 1)])
