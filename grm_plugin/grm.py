"""``GRM``: the judge as people use it. Sync and async, one group, a batch, or a stream."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import (
    AsyncIterator,
    Callable,
    Coroutine,
    Iterable,
    Iterator,
    Sequence,
)
from typing import Any, Self

from grm_plugin.config import GRMConfig
from grm_plugin.errors import InputError, TemplateError
from grm_plugin.pipeline.building import make_scorer
from grm_plugin.pipeline.settling import Rule
from grm_plugin.plugins import Plugins, chosen
from grm_plugin.prompts import Template
from grm_plugin.records import Recorder
from grm_plugin.running.at_exit import close_at_exit, forget
from grm_plugin.running.breaker import Batches, Breaker
from grm_plugin.running.loop import LoopThread
from grm_plugin.running.observing import Observers
from grm_plugin.running.stream import InOrder
from grm_plugin.size import Size
from grm_plugin.types import Group, Verdict

# what one group can do wrong without spoiling the others of its batch
_REFUSALS = (InputError, TemplateError)


class GRM:
    """A generative reward model: groups in, verdicts out.

    The judge starts with the first group, on an event loop in a thread of its own, so every
    method works from any thread, with or without a running loop. It runs until :meth:`close`, or
    until the interpreter ends. Pickling keeps the settings; the copy starts a judge of its own.

    Every method that scores takes a ``size``: how many samples to draw, and how many of them the
    meta RM lets vote. None is the configured ``k``; trainers that follow a schedule name one.
    The first k samples of a larger k have the same seeds.

    Args:
        config: settings; None takes them from ``GRM_CONFIG`` and ``settings``.
        plugins: modules or objects with hooks, besides everything installed; or all of them.
            Pickling takes objects along, and modules by name.
        settings: fields of :class:`GRMConfig`, such as ``k=16`` or ``engine="vllm"``.

    Raises:
        ConfigError: a setting is wrong. Nothing has started then.
        TemplateError: the template can not be used.

    >>> from grm_plugin.testing import scripted
    >>> with GRM(plugins=scripted(["\\\\boxed{9, 3}"]), engine="scripted", k=1) as grm:
    ...     grm.score(Group.of("2 + 2?", ["4", "4"], id="same")).rewards is None
    True
    """

    def __init__(
        self,
        config: GRMConfig | None = None,
        *,
        plugins: Plugins | Iterable[object] | None = None,
        **settings: Any,
    ) -> None:
        if config is None:
            config = GRMConfig.load(**settings)
        elif settings:
            config = config.but(**settings)
        self._plugins = chosen(plugins)
        self._plugins.check_adapters(config.adapters)
        self._scorer = make_scorer(config, self._plugins)
        self.config = self._scorer.config
        self._recorder: Recorder | None = None
        self._observers: Observers | None = None
        self._loop: LoopThread | None = None
        self._lock = threading.Lock()
        self._pid = os.getpid()
        self._started: asyncio.Future[None] | None = None
        self._breaker = Breaker(config.dead_batches)

    @property
    def engine(self) -> Any:
        """The engine, for diagnosis."""
        return self._scorer.engine

    @property
    def template(self) -> Template:
        """The prompt template in use."""
        return self._scorer.template

    @property
    def rule(self) -> Rule:
        """How judgments become rewards; evaluation at other k settles them by the same."""
        return self._scorer.rule

    @property
    def origin(self) -> dict[str, Any]:
        """What makes a reward what it is; records carry it. The model may show at the start."""
        return dict(self._scorer.origin())

    def start(self) -> None:
        """Start the judge now instead of with the first group.

        Raises:
            EngineError: it can not be started; the message says what to do.
        """
        self._thread().run(self._start())

    async def start_async(self) -> None:
        """:meth:`start` for callers with an event loop of their own."""
        await asyncio.wrap_future(self._thread().submit(self._start()))

    def check_group(self, group: Group) -> None:
        """Refuse a group that the judge can not be shown, before the judge is started.

        Raises:
            InputError: names the group.
            TemplateError: the template has no place for what the group carries.
        """
        self._scorer.check(group)

    async def check_async(self) -> None:
        """Ask a judge that has been started for a sign of life, where its engine can.

        Raises:
            EngineError: it gives none.
        """
        if check := getattr(self._scorer.engine, "check", None):
            await asyncio.wrap_future(self._thread().submit(check()))

    def count_tokens(self, group: Group) -> int | None:
        """Prompt tokens of ``group`` with all its responses; None when the engine can not tell."""
        return self._thread().run(self._count_tokens(group))

    def score(self, group: Group, *, size: Size | None = None) -> Verdict:
        """The verdict of one group.

        Raises:
            ConfigError: the settings do not allow the size.
            InputError: the group can not be judged as given.
            TemplateError: the template can not show it.
            EngineError: the judge can not be started.
        """
        return self._thread().run(self._judge(group, size, self._deadline()))

    def score_batch(self, groups: Sequence[Group], *, size: Size | None = None) -> list[Verdict]:
        """Verdicts of many groups, judged together, in their order.

        A group that can not be judged comes back unscored with the reason; the others are scored.

        Raises:
            ConfigError: the settings do not allow the size.
            EngineError: the judge can not be started.
            JudgeDeadError: ``dead_batches`` batches in a row had no reward at all.
        """
        return self._thread().run(self._judge_batch(groups, size))

    def score_many(self, groups: Iterable[Group], *, size: Size | None = None) -> Iterator[Verdict]:
        """Verdicts of a stream, in its order; at most ``max_concurrent_groups`` are in memory.

        The stream is read in a thread of its own, so a verdict that is ready does not wait for
        groups that are not. (One that reads standard input needs a handle of its own, such as
        ``open(0, closefd=False)``: the interpreter can not end while a thread waits in
        ``sys.stdin``.) Refusals and dead judges are treated as in :meth:`score_batch`, where
        ``max_concurrent_groups`` consecutive verdicts count as one batch.
        """
        thread = self._thread()
        stream, batches = thread.run(self._stream(groups, size)), self._batches()
        try:
            while (verdict := thread.run(stream.next())) is not None:
                yield verdict
                batches.add(verdict)
            batches.end()
        finally:
            if not thread.closed:
                thread.run(stream.close())

    async def score_async(self, group: Group, *, size: Size | None = None) -> Verdict:
        """:meth:`score` for callers with an event loop of their own."""
        work = self._judge(group, size, self._deadline())
        return await asyncio.wrap_future(self._thread().submit(work))

    async def score_batch_async(
        self, groups: Sequence[Group], *, size: Size | None = None
    ) -> list[Verdict]:
        """:meth:`score_batch` for callers with an event loop of their own."""
        return await asyncio.wrap_future(self._thread().submit(self._judge_batch(groups, size)))

    async def score_many_async(
        self, groups: Iterable[Group], *, size: Size | None = None
    ) -> AsyncIterator[Verdict]:
        """:meth:`score_many` for callers with an event loop of their own."""
        thread = self._thread()
        stream = await asyncio.wrap_future(thread.submit(self._stream(groups, size)))
        batches = self._batches()
        try:
            while (verdict := await asyncio.wrap_future(thread.submit(stream.next()))) is not None:
                yield verdict
                batches.add(verdict)
            batches.end()
        finally:
            if not thread.closed:
                await asyncio.wrap_future(thread.submit(stream.close()))

    def close(self) -> None:
        """Stop the judge and free what it took; may be called twice."""
        forget(self.close)
        if self._loop is None or self._pid != os.getpid():
            return
        self._loop.run(self._stop())
        self._loop.close()
        self._loop, self._started = None, None
        if self._observers:
            self._observers.close()
            self._observers = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __reduce__(self) -> tuple[Callable[..., GRM], tuple[GRMConfig, tuple[object, ...]]]:
        return _again, (self.config, self._plugins.given)

    def _thread(self) -> LoopThread:
        if self._pid != os.getpid():  # forked: threads and connections stayed with the parent
            self._pid, self._loop, self._started = os.getpid(), None, None
            self._recorder, self._observers, self._lock = None, None, threading.Lock()
            self._scorer = make_scorer(self.config, self._plugins)
        with self._lock:
            if self._loop is None:
                self._loop = LoopThread("grm-plugin")
                close_at_exit(self.close)
            return self._loop

    def _deadline(self) -> float:
        return time.monotonic() + self.config.batch_timeout_s

    async def _start(self) -> None:
        if self._started is None:
            self._started = asyncio.ensure_future(self._start_parts())
        started = self._started
        try:
            await asyncio.shield(started)
        except Exception:
            if self._started is started:
                self._started = None  # the next group tries again
            raise

    async def _start_parts(self) -> None:
        if self.config.record and self._recorder is None:
            self._recorder = Recorder(self.config.record)
        await self._scorer.start()

    async def _count_tokens(self, group: Group) -> int | None:
        await self._start()
        messages = self.template.prepare(group).render(range(len(group.responses)))
        return await self._scorer.engine.count_tokens(messages)

    async def _stop(self) -> None:
        try:
            await self._scorer.close()
        finally:
            if self._recorder:
                self._recorder.close()
                self._recorder = None

    async def _judge(self, group: Group, size: Size | None, deadline: float) -> Verdict:
        if size:
            self.config.check_size(size)
        await self._start()
        verdict = await self._scorer.judge(group, size, deadline=deadline)
        self._observe(verdict)
        return verdict

    async def _judge_or_refuse(self, group: Group, size: Size | None, deadline: float) -> Verdict:
        try:
            return await self._judge(group, size, deadline)
        except _REFUSALS as error:
            origin = self._scorer.origin(size)
            verdict = Verdict(group, None, unscored=f"refused: {error}", origin=origin)
            self._observe(verdict)
            return verdict

    async def _judge_batch(self, groups: Sequence[Group], size: Size | None) -> list[Verdict]:
        gate = asyncio.Semaphore(self.config.max_concurrent_groups)
        deadline = self._deadline()

        async def one(group: Group) -> Verdict:
            async with gate:
                return await self._judge_or_refuse(group, size, deadline)

        tasks = [asyncio.create_task(one(group)) for group in groups]
        try:
            verdicts = await asyncio.gather(*tasks)
        finally:
            for task in tasks:  # an error ends the batch: spend no more tokens on it
                task.cancel()
        self._breaker.count(verdicts)
        return verdicts

    async def _stream(self, groups: Iterable[Group], size: Size | None) -> InOrder[Group, Verdict]:
        def judge(group: Group) -> Coroutine[Any, Any, Verdict]:
            return self._judge_or_refuse(group, size, self._deadline())

        return InOrder(groups, judge, most=self.config.max_concurrent_groups)

    def _batches(self) -> Batches:
        return Batches(self._breaker, self.config.max_concurrent_groups)

    def _observe(self, verdict: Verdict) -> None:
        if self._recorder:
            self._recorder.write(verdict)
        if self._observers is None:
            self._observers = Observers(self._plugins.observers())
        self._observers.tell(verdict)


def _again(config: GRMConfig, given: Iterable[object]) -> GRM:
    return GRM(config, plugins=given)
