"""The judge as people use it: batches, streams, threads, loops, copies, and how it ends."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
import pickle
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from grm_plugin import GRM, Group, Size
from grm_plugin.engine import SampleRequest
from grm_plugin.errors import (
    ConfigError,
    EngineError,
    InputError,
    JudgeClosedError,
    JudgeDeadError,
    PluginError,
    TransportError,
)
from grm_plugin.hookspecs import hookimpl
from grm_plugin.plugins import Plugin
from grm_plugin.testing import ScriptedEngine, scripted
from tests.core.honest_judge import grm, group, honest, noisy, rewards, wait_until


def groups(n: int) -> list[Group]:
    return [group(3, 8, prompt=f"q{number}", id=str(number)) for number in range(n)]


# starting and ending


def test_making_a_grm_starts_nothing() -> None:
    engine = ScriptedEngine(honest)
    grm(engine).close()
    assert engine.starts == engine.closes == 0


def test_the_judge_starts_once_for_a_whole_batch() -> None:
    engine = ScriptedEngine(honest)
    with grm(engine) as judge:
        judge.start()
        judge.score_batch(groups(20))
    assert engine.starts == engine.closes == 1


def test_a_closed_judge_may_be_closed_again_and_starts_anew() -> None:
    engine = ScriptedEngine(honest)
    judge = grm(engine)
    for _ in range(2):
        assert judge.score(group(1, 2)).scored
        judge.close()
        judge.close()
    assert engine.starts == engine.closes == 2


def test_a_judge_that_could_not_start_is_tried_again() -> None:
    class Flaky(ScriptedEngine):
        async def start(self):
            await super().start()
            if self.starts == 1:
                raise EngineError("engine 'scripted': no server at port 1; start one")

    with grm(Flaky(honest)) as judge, pytest.raises(EngineError, match="no server at port 1"):
        judge.score_batch(groups(5))
        assert judge.score(group(1, 2)).scored


def test_the_engine_is_closed_even_when_the_selector_fails_to_close() -> None:
    class Stuck:
        def __init__(self, options, limits): ...
        async def start(self): ...

        async def select(self, group, judgments, size): ...

        async def close(self):
            raise RuntimeError("stuck")

    class Offers:
        @hookimpl
        def grm_register_selectors(self, register):
            register("stuck", Stuck)

    engine = ScriptedEngine(honest)
    judge = GRM(
        plugins=scripted(engine, Plugin("stuck", Offers())), engine="scripted", select="stuck"
    )
    judge.start()
    with pytest.raises(PluginError, match=r"selector 'stuck': close failed: RuntimeError\('stuck'"):
        judge.close()
    assert engine.closes == 1


# how many samples


def test_a_size_decides_how_many_samples_are_drawn_and_the_verdict_tells_it() -> None:
    engine = ScriptedEngine(honest)
    with grm(engine, k=2) as judge:
        verdicts = [
            judge.score(group(3, 8), size=Size(k=5)),
            *judge.score_batch([group(3, 8)], size=Size(k=5)),
            *judge.score_many([group(3, 8)], size=Size(k=5)),
        ]
        usual = judge.score(group(3, 8))
    for verdict in verdicts:
        assert len(verdict.judgments) == 5
        assert (verdict.origin["k"], verdict.origin["permutations"]) == (5, 5)
    assert (len(usual.judgments), usual.origin["k"]) == (2, 2)


def test_the_samples_of_a_small_size_are_the_first_of_a_larger_one() -> None:
    with grm(noisy) as judge:
        few, many = (judge.score(group(3, 8, 5), size=Size(k=k)) for k in (3, 8))
    assert few.judgments == tuple(replace(one, seconds=0) for one in many.judgments[:3])


def test_half_of_the_size_must_be_valid() -> None:
    def half_dead(request: SampleRequest, i: int):
        return honest(request, i) if request.first < 2 else TransportError("HTTP 503")

    with grm(half_dead, k=2) as judge:
        assert judge.score(group(3, 8), size=Size(k=4)).scored
        unscored = judge.score(group(3, 8), size=Size(k=6))
    assert "2 of 6 samples are valid, min_valid is 3" in unscored.unscored


def test_k_meta_of_the_size_decides_how_many_vote() -> None:
    class Offers:
        @hookimpl
        def grm_register_engines(self, register):
            register("rated", lambda options, limits: Rated(honest))

    class Rated(ScriptedEngine):
        async def sample(self, request):
            draws = await super().sample(request)
            return [replace(draw, meta_score=float(request.seed)) for draw in draws]

    plugins = scripted(honest, Plugin("rated", Offers()))
    with GRM(plugins=plugins, engine="rated", select="meta_rm", k=4) as judge:
        for size, voting in [(None, 2), (Size(k=6), 3), (Size(k=6, k_meta=5), 5)]:
            verdict = judge.score(group(3, 8), size=size)
            assert sum(one.voted for one in verdict.judgments) == voting
    assert verdict.origin["k_meta"] == 5


@pytest.mark.parametrize(
    ("size", "message"),
    [
        (Size(k=2), "size: permutations: expected at most k = 2, got 4"),
        (Size(k=8, k_meta=2), "size: k_meta: expected none with select: all, got 2"),
    ],
)
def test_a_size_that_the_settings_do_not_allow_is_refused_before_the_judge_starts(
    size: Size, message: str
) -> None:
    engine = ScriptedEngine(honest)
    with grm(engine, permutations=4) as judge, pytest.raises(ConfigError, match=message):
        judge.score_batch(groups(2), size=size)
    assert engine.starts == 0


# batches and the circuit breaker


def test_verdicts_of_a_batch_come_in_its_order() -> None:
    def script(request: SampleRequest, i: int):
        return honest(request, i)

    with grm(script, max_concurrent_groups=3) as judge:
        assert [one.group.id for one in judge.score_batch(groups(20))] == [
            str(n) for n in range(20)
        ]


def test_an_empty_batch_gives_no_verdicts_and_counts_for_nothing() -> None:
    with grm(["?"], dead_groups=1, dead_after_s=0) as judge:
        assert judge.score_batch([]) == []


def test_a_bug_in_an_engine_costs_its_group_and_no_other() -> None:
    class Buggy(ScriptedEngine):
        async def sample(self, request):
            if request.group == groups(1)[0].fingerprint:
                raise ZeroDivisionError("a bug")
            return await super().sample(request)

    with grm(Buggy(honest), k=1) as judge:
        bad, *good = judge.score_batch(groups(5))
    assert all(one.scored for one in good)
    assert "ZeroDivisionError('a bug')" in bad.unscored


class Fails(ScriptedEngine):
    """Fails while it is told to."""

    def __init__(self) -> None:
        super().__init__(
            lambda request, i: TransportError("HTTP 503") if self.down else honest(request, i)
        )
        self.down = True


def test_groups_in_a_row_without_a_reward_stop_the_run_and_name_the_cause() -> None:
    with grm(Fails(), dead_groups=6, dead_after_s=0) as judge:
        for _ in range(2):
            assert not any(one.scored for one in judge.score_batch(groups(2)))
        with pytest.raises(JudgeDeadError, match=r"6 groups in a row .* in 0 s; .*HTTP 503"):
            judge.score_batch(groups(2))


def test_one_call_of_any_kind_counts_as_much_as_another() -> None:
    with grm(Fails(), dead_groups=3, dead_after_s=0) as judge:
        judge.score(group(1, 2))
        judge.score_batch(groups(1))
        with pytest.raises(JudgeDeadError, match="3 groups in a row"):
            list(judge.score_many(groups(1)))


def test_one_reward_starts_the_count_again() -> None:
    engine = Fails()
    with grm(engine, dead_groups=4, dead_after_s=0) as judge:
        judge.score_batch(groups(3))
        engine.down = False
        judge.score_batch(groups(1))
        engine.down = True
        judge.score_batch(groups(3))
        with pytest.raises(JudgeDeadError, match="4 groups in a row"):
            judge.score_batch(groups(1))


def test_a_judge_that_is_away_for_less_than_dead_after_s_ends_no_run() -> None:
    with grm(Fails(), dead_groups=1, dead_after_s=1) as judge:
        judge.score_batch(groups(50))
        time.sleep(1.1)
        with pytest.raises(JudgeDeadError, match=r"51 groups in a row .* in [12] s"):
            judge.score_batch(groups(1))


def test_refused_groups_say_nothing_about_the_judge() -> None:
    with grm(dead_groups=1, dead_after_s=0) as judge:
        for _ in range(3):
            (refused,) = judge.score_batch([Group.of("q", [])])
            assert "expected at least one response" in refused.unscored


# streams


class Source:
    """Groups that count how many were taken."""

    def __init__(self, n: int) -> None:
        self.taken, self._groups = 0, iter(groups(n))

    def __iter__(self):
        for one in self._groups:
            self.taken += 1
            yield one


def test_a_stream_is_read_lazily_and_keeps_its_order() -> None:
    source = Source(50)
    with grm(max_concurrent_groups=4) as judge:
        for number, verdict in enumerate(judge.score_many(source)):
            assert verdict.group.id == str(number)
            assert source.taken <= number + 4
    assert number == 49


def test_a_verdict_that_is_ready_does_not_wait_for_a_source_that_is_not() -> None:
    seen = threading.Event()

    def source():
        yield group(3, 8)
        assert seen.wait(20), "the first verdict was held back"
        yield group(1, 2)

    with grm() as judge:
        for verdict in judge.score_many(source()):
            assert verdict.scored
            seen.set()


async def test_an_async_stream_leaves_the_callers_loop_free_while_its_source_waits() -> None:
    free = threading.Event()

    def source():
        assert free.wait(20), "the loop was blocked"
        yield group(3, 8)

    with grm() as judge:
        asyncio.get_running_loop().call_soon(free.set)
        assert [one.scored async for one in judge.score_many_async(source())] == [True]


def test_a_stream_that_is_closed_while_its_source_waits_ends_at_once() -> None:
    go_on = threading.Event()

    def source():
        yield group(3, 8)
        go_on.wait(20)

    with grm() as judge:
        stream = judge.score_many(source())
        assert next(stream).scored
        stream.close()
    assert not go_on.is_set()
    go_on.set()


def test_closing_the_judge_ends_its_streams_and_a_stream_may_outlive_it() -> None:
    engine = ScriptedEngine(honest)
    with grm(engine, max_concurrent_groups=2) as judge:
        stream = judge.score_many(groups(9))
        next(stream)
    stream.close()
    assert engine.starts == engine.closes == 1


def test_a_stream_may_be_endless() -> None:
    def endless():
        while True:
            yield group(1, 2)

    with grm(max_concurrent_groups=2) as judge:
        stream = judge.score_many(endless())
        assert all(next(stream).scored for _ in range(5))
        stream.close()


class Slow(ScriptedEngine):
    cancelled = 0

    async def sample(self, request):
        try:
            await asyncio.sleep(0.01 if request.group == groups(1)[0].fingerprint else 60)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return await super().sample(request)


def test_closing_a_stream_early_cancels_what_is_in_flight() -> None:
    engine = Slow(honest)
    with grm(engine, k=1, max_concurrent_groups=4) as judge:
        stream = judge.score_many(groups(10))
        assert next(stream).scored
        stream.close()
        wait_until(lambda: engine.cancelled == len(engine.requests) + 2)


def test_an_error_of_the_source_comes_after_everything_already_in_flight() -> None:
    def source():
        yield from groups(3)
        raise InputError("rows.jsonl, line 4: not JSON")

    seen = []
    with grm() as judge, pytest.raises(InputError, match="line 4"):
        for verdict in judge.score_many(source()):
            seen.append(verdict.group.id)
    assert seen == ["0", "1", "2"]


def test_none_in_a_stream_does_not_end_it_silently() -> None:
    with grm() as judge, pytest.raises(InputError, match=r"expected a .*Group, got 'None'"):
        list(judge.score_many([group(1, 2), None, group(3, 4)]))


def test_a_dead_judge_stops_a_stream_even_a_short_one() -> None:
    with (
        grm(Fails(), dead_groups=2, dead_after_s=0, max_concurrent_groups=4) as judge,
        pytest.raises(JudgeDeadError, match="HTTP 503"),
    ):
        list(judge.score_many(groups(100)))
        stream = judge.score_many(groups(2))
        assert [next(stream).rewards for _ in range(2)] == [None, None]
        with pytest.raises(JudgeDeadError):
            next(stream)


# callers with an event loop of their own


async def test_the_judge_works_inside_a_running_loop() -> None:
    with grm() as judge:
        expected = rewards(honest, group(3, 8))
        assert (await judge.score_async(group(3, 8))).rewards == expected
        assert [one.rewards for one in await judge.score_batch_async(groups(3))] == [expected] * 3
        assert [one.group.id async for one in judge.score_many_async(groups(9))] == list(
            "012345678"
        )
        assert judge.score(group(3, 8)).rewards == expected


async def test_cancelling_the_caller_cancels_the_work() -> None:
    engine = Slow(honest)
    with grm(engine, k=2) as judge:
        task = asyncio.create_task(judge.score_async(groups(2)[1]))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        wait_until(lambda: engine.cancelled == 2)


async def test_an_async_stream_reports_a_dead_judge_and_a_broken_source() -> None:
    with grm(Fails(), dead_groups=1, dead_after_s=0) as judge, pytest.raises(JudgeDeadError):
        [one async for one in judge.score_many_async(groups(3))]


# threads, processes, copies


def test_one_judge_serves_many_threads() -> None:
    engine = ScriptedEngine(noisy, delay_s=0.001)
    expected = {one.id: rewards(noisy, one) for one in groups(6)}
    start, before = threading.Barrier(6), set(threading.enumerate())

    def work(one: Group):
        start.wait()
        return judge.score(one)

    with grm(engine) as judge, ThreadPoolExecutor(6) as threads:
        verdicts = list(threads.map(work, groups(6)))
        new = set(threading.enumerate()) - before
        loops = [thread for thread in new if thread.name == "grm-plugin"]
    assert {one.group.id: one.rewards for one in verdicts} == expected
    assert engine.starts == 1 and len(loops) == 1


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    with grm(record=tmp_path / "r.jsonl", k=2) as judge:
        judge.score(group(3, 8))
    return tmp_path / "r.jsonl"


def test_a_pickled_judge_keeps_its_settings_and_starts_a_judge_of_its_own(recorded: Path) -> None:
    with GRM(engine={"name": "replay", "path": str(recorded)}, k=2, seed=5) as judge:
        expected = judge.score(group(3, 8)).rewards
        with pickle.loads(pickle.dumps(judge)) as copy:
            assert copy.config == judge.config
            assert copy.score(group(3, 8)).rewards == expected == pytest.approx((2 / 9, 7 / 9))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_starts_a_judge_of_its_own(recorded: Path) -> None:
    with GRM(engine={"name": "replay", "path": str(recorded)}, k=2) as judge:
        expected = judge.score(group(3, 8)).rewards
        context = multiprocessing.get_context("fork")
        queue = context.Queue()
        child = context.Process(target=lambda: queue.put(judge.score(group(3, 8)).rewards))
        child.start()
        assert queue.get(timeout=20) == expected
        child.join()
        assert judge.score(group(3, 8)).rewards == expected


# observers and settings


def test_an_observer_that_raises_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    class Loud:
        @hookimpl
        def grm_on_verdict(self, verdict):
            raise RuntimeError("disk on fire")

    plugins = scripted(honest, Plugin("loud", Loud()))
    with GRM(plugins=plugins, engine="scripted") as judge, caplog.at_level(logging.ERROR):
        assert judge.score(group(3, 8)).rewards == rewards(honest, group(3, 8))
    assert "plug-in 'loud': grm_on_verdict failed" in caplog.text


def test_observers_see_every_verdict_once_scored_or_not() -> None:
    seen = []

    class Sees:
        @hookimpl
        def grm_on_verdict(self, group, verdict):
            seen.append((group.id, verdict.scored))

    plugins = scripted(honest, Plugin("sees", Sees()))
    with GRM(plugins=plugins, engine="scripted") as judge:
        judge.score_batch([*groups(2), Group.of("q", [], id="bad")])
    assert sorted(seen) == [("0", True), ("1", True), ("bad", False)]


def test_settings_beside_a_config_override_it_and_are_checked() -> None:
    with grm(k=4, temperature=0.9) as judge:
        changed = GRM(judge.config, plugins=scripted(honest), k=2)
        assert (changed.config.k, changed.config.temperature) == (2, 0.9)
        with pytest.raises(ConfigError, match="unknown key 'kk'"):
            GRM(judge.config, plugins=scripted(honest), kk=2)


def test_a_wrong_name_of_a_part_is_refused_before_anything_starts() -> None:
    for wrong, message in [
        ({"engine": "transfomers"}, "unknown engine 'transfomers'.*did you mean 'transformers'"),
        ({"vote": "meen"}, "unknown voter 'meen'.*did you mean 'mean'"),
        ({"select": "meta"}, "unknown selector 'meta'"),
        ({"template": "grn"}, "unknown template 'grn'.*did you mean 'grm'"),
        ({"evidence": ("tests",)}, "unknown evidence source 'tests'; known: none"),
    ]:
        with pytest.raises(ConfigError, match=message):
            GRM(plugins=scripted(honest), **{"engine": "scripted", **wrong})


def test_an_engines_defaults_hold_where_nothing_was_set() -> None:
    class Factory:
        def __init__(self):
            self.defaults = {"temperature": 1.0, "k": 3, "select": "all"}

        def __call__(self, options, limits):
            return ScriptedEngine(honest)

    class Offers:
        @hookimpl
        def grm_register_engines(self, register):
            register("own", Factory())

    plugins = scripted(honest, Plugin("own", Offers()))
    config = GRM(plugins=plugins, engine="own", k=5).config
    assert (config.temperature, config.k, config.select.name) == (1.0, 5, "all")


def test_a_judge_that_is_closed_while_it_scores_says_so() -> None:
    asked = threading.Event()

    class Slow(ScriptedEngine):
        async def sample(self, request: SampleRequest):
            asked.set()
            await asyncio.sleep(30)

    judge = grm(Slow(honest))
    with ThreadPoolExecutor(1) as pool:
        scoring = pool.submit(judge.score, group(3, 8))
        assert asked.wait(10)
        judge.close()
        with pytest.raises(JudgeClosedError, match="closed meanwhile"):
            scoring.result(10)


def test_a_stream_that_goes_on_after_the_judge_was_closed_says_so() -> None:
    judge = grm(ScriptedEngine(honest))
    stream = judge.score_many(groups(200))
    next(stream)
    judge.close()
    with pytest.raises(JudgeClosedError, match="closed meanwhile"):
        next(stream)
