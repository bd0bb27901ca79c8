"""``GRM``: the judge as people use it. Sync and async, one group, a batch, or a stream."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Self

from grm_plugin.config import GRMConfig
from grm_plugin.engines.engine import Limits
from grm_plugin.errors import InputError, JudgeDeadError, TemplateError
from grm_plugin.loop import LoopThread
from grm_plugin.plugins import Plugins, installed
from grm_plugin.prompts import Template, load_template
from grm_plugin.records import Recorder
from grm_plugin.scorer import Scorer
from grm_plugin.types import Group, Verdict

# what one group can do wrong without spoiling the others of its batch
_REFUSALS = (InputError, TemplateError)


class GRM:
    """A generative reward model: groups in, verdicts out.

    The judge starts with the first group, on an event loop in a thread of its own, so every
    method works from any thread, with or without a running loop. Pickling keeps the settings;
    the copy starts a judge of its own.

    Args:
        config: settings; None takes them from ``GRM_CONFIG`` and ``settings``.
        plugins: for tests; default: everything installed.
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
        self, config: GRMConfig | None = None, *, plugins: Plugins | None = None, **settings: Any
    ) -> None:
        if config is None:
            config = GRMConfig.load(**settings)
        elif settings:
            config = config.but(**settings)
        self._plugins = plugins or installed()
        for name in config.adapters:
            self._plugins.get("adapter", name)  # a misspelt section would silently do nothing
        self._scorer = _scorer(config, self._plugins)
        self.config = self._scorer.config
        self._recorder: Recorder | None = None
        self._loop: LoopThread | None = None
        self._lock = threading.Lock()
        self._pid = os.getpid()
        self._started: asyncio.Future[None] | None = None
        self._dead_batches = 0

    @property
    def engine(self) -> Any:
        """The engine, for diagnosis."""
        return self._scorer.engine

    @property
    def template(self) -> Template:
        """The prompt template in use."""
        return self._scorer.template

    @property
    def origin(self) -> dict[str, Any]:
        """What makes a reward what it is; records carry it. The model may show at the start."""
        return self._scorer.origin

    def start(self) -> None:
        """Start the judge now instead of with the first group.

        Raises:
            EngineError: it can not be started; the message says what to do.
        """
        self._thread().run(self._start())

    def count_tokens(self, group: Group) -> int | None:
        """Prompt tokens of ``group`` with all its responses; None when the engine can not tell."""
        return self._thread().run(self._count_tokens(group))

    def score(self, group: Group) -> Verdict:
        """The verdict of one group.

        Raises:
            InputError: the group can not be judged as given.
            TemplateError: the template can not show it.
            EngineError: the judge can not be started.
        """
        return self._thread().run(self._judge(group, self._deadline()))

    def score_batch(self, groups: Sequence[Group]) -> list[Verdict]:
        """Verdicts of many groups, judged together, in their order.

        A group that can not be judged comes back unscored with the reason; the others are scored.

        Raises:
            EngineError: the judge can not be started.
            JudgeDeadError: ``dead_batches`` batches in a row had no reward at all.
        """
        return self._thread().run(self._judge_batch(groups))

    def score_many(self, groups: Iterable[Group]) -> Iterator[Verdict]:
        """Verdicts of a stream, in its order; at most ``max_concurrent_groups`` are in memory.

        Refusals and dead judges are treated as in :meth:`score_batch`, where
        ``max_concurrent_groups`` consecutive verdicts count as one batch.
        """
        pending: deque[Future[Verdict]] = deque()
        batch: list[Verdict] = []
        source = iter(groups)
        try:
            while True:
                source = self._refill(pending, source)
                if not pending:
                    self._check_alive(batch)
                    return
                verdict = pending.popleft().result()
                yield verdict
                batch = self._count(batch, verdict)
        finally:
            for future in pending:
                future.cancel()

    async def score_async(self, group: Group) -> Verdict:
        """:meth:`score` for callers with an event loop of their own."""
        work = self._judge(group, self._deadline())
        return await asyncio.wrap_future(self._thread().submit(work))

    async def score_batch_async(self, groups: Sequence[Group]) -> list[Verdict]:
        """:meth:`score_batch` for callers with an event loop of their own."""
        return await asyncio.wrap_future(self._thread().submit(self._judge_batch(groups)))

    async def score_many_async(self, groups: Iterable[Group]) -> AsyncIterator[Verdict]:
        """:meth:`score_many` for callers with an event loop of their own."""
        pending: deque[Future[Verdict]] = deque()
        batch: list[Verdict] = []
        source = iter(groups)
        try:
            while True:
                source = self._refill(pending, source)
                if not pending:
                    self._check_alive(batch)
                    return
                verdict = await asyncio.wrap_future(pending.popleft())
                yield verdict
                batch = self._count(batch, verdict)
        finally:
            for future in pending:
                future.cancel()

    def close(self) -> None:
        """Stop the judge and free what it took; may be called twice."""
        if self._loop is None or self._pid != os.getpid():
            return
        self._loop.run(self._stop())
        self._loop.close()
        self._loop, self._started = None, None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __reduce__(self) -> tuple[Callable[..., GRM], tuple[GRMConfig]]:
        return GRM, (self.config,)

    def _thread(self) -> LoopThread:
        if self._pid != os.getpid():  # forked: threads and connections stayed with the parent
            self._pid, self._loop, self._started = os.getpid(), None, None
            self._recorder, self._lock = None, threading.Lock()
            self._scorer = _scorer(self.config, self._plugins)
        with self._lock:
            if self._loop is None:
                self._loop = LoopThread("grm-plugin")
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
        await self._scorer.engine.start()
        await self._scorer.selector.start()

    async def _count_tokens(self, group: Group) -> int | None:
        await self._start()
        messages = self.template.prepare(group).render(range(len(group.responses)))
        return await self._scorer.engine.count_tokens(messages)

    async def _stop(self) -> None:
        try:
            await self._scorer.selector.close()
        finally:
            await self._scorer.engine.close()
            if self._recorder:
                self._recorder.close()
                self._recorder = None

    async def _judge(self, group: Group, deadline: float) -> Verdict:
        await self._start()
        verdict = await self._scorer.judge(group, deadline=deadline)
        self._observe(verdict)
        return verdict

    async def _judge_or_refuse(self, group: Group, deadline: float) -> Verdict:
        try:
            return await self._judge(group, deadline)
        except _REFUSALS as error:
            verdict = Verdict(group, None, unscored=f"refused: {error}", origin=self._scorer.origin)
            self._observe(verdict)
            return verdict

    async def _judge_batch(self, groups: Sequence[Group]) -> list[Verdict]:
        gate = asyncio.Semaphore(self.config.max_concurrent_groups)
        deadline = self._deadline()

        async def one(group: Group) -> Verdict:
            async with gate:
                return await self._judge_or_refuse(group, deadline)

        tasks = [asyncio.create_task(one(group)) for group in groups]
        try:
            verdicts = await asyncio.gather(*tasks)
        finally:
            for task in tasks:  # an error ends the batch: spend no more tokens on it
                task.cancel()
        self._check_alive(verdicts)
        return verdicts

    def _refill(self, pending: deque[Future[Verdict]], source: Iterator[Group]) -> Iterator[Group]:
        """Fill ``pending``; returns the rest of ``source``, empty after it raised."""
        while len(pending) < self.config.max_concurrent_groups:
            try:
                group = next(source)
            except StopIteration:
                break
            except Exception as error:  # comes to the caller after what is in flight
                pending.append(_raising(error))
                return iter(())
            work = self._judge_or_refuse(group, self._deadline())
            pending.append(self._thread().submit(work))
        return source

    def _observe(self, verdict: Verdict) -> None:
        if self._recorder:
            self._recorder.write(verdict)
        self._plugins.on_verdict(verdict.group, verdict)

    def _count(self, batch: list[Verdict], verdict: Verdict) -> list[Verdict]:
        batch = [*batch, verdict]
        if len(batch) < self.config.max_concurrent_groups:
            return batch
        self._check_alive(batch)
        return []

    def _check_alive(self, batch: Sequence[Verdict]) -> None:
        if not batch:
            return
        alive = any(verdict.scored for verdict in batch)
        self._dead_batches = 0 if alive else self._dead_batches + 1
        if self._dead_batches >= self.config.dead_batches:
            raise JudgeDeadError(
                f"{self._dead_batches} batches in a row ({len(batch)} groups in the last) came "
                f"back without one reward; the last group says: {batch[-1].unscored}"
            )


def _raising(error: Exception) -> Future[Verdict]:
    future: Future[Verdict] = Future()
    future.set_exception(error)
    return future


def _scorer(config: GRMConfig, plugins: Plugins) -> Scorer:
    factory = plugins.get("engine", config.engine.name)
    config = config.filled(getattr(factory, "defaults", {}))
    limits = Limits(config.max_concurrent_samples, config.request_timeout_s, config.tries)
    select = plugins.get("selector", config.select.name)
    return Scorer(
        config=config,
        engine=factory(config.engine.options, limits),
        template=_template(config.template or "grm", plugins),
        selector=select(config.select.options, config.k, limits),
        voter=plugins.get("voter", config.vote),
        evidence_sources={name: plugins.get("evidence source", name) for name in config.evidence},
    )


def _template(name: str, plugins: Plugins) -> Template:
    """A template by offered name, else by path (anything with a slash or a suffix)."""
    if "/" in name or "." in name:
        return load_template(Path(name))
    return load_template(plugins.get("template", name), name)
