"""``GRM``: the judge as people use it. Sync and async, one prompt, a batch, or a stream."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import Any, Self

from grm_plugin.config import GRMConfig
from grm_plugin.pipeline.audits import Audits
from grm_plugin.pipeline.settling import Rule
from grm_plugin.plugins import Plugins, chosen
from grm_plugin.prompts import Template
from grm_plugin.session.batches import Batch
from grm_plugin.session.calls import Calls, check_several
from grm_plugin.session.ending import Watched
from grm_plugin.session.keeping import Keeper
from grm_plugin.session.streams import Stream
from grm_plugin.size import Size
from grm_plugin.types import Cost, Group, Verdict
from grm_plugin.watching.watch import Watch


class GRM(Calls):
    """A generative reward model: groups in, verdicts out.

    The judge starts with the first group, on an event loop in a thread of its own, so every
    method works from any thread, with or without a running loop. It runs until :meth:`close`, or
    until the interpreter ends. Pickling keeps the settings; the copy starts a judge of its own.

    Every method that scores takes a ``size``: how many samples to draw, and how many of them the
    meta RM lets vote. None is the configured ``k``; trainers that follow a schedule name one.
    The first k samples of a larger k have the same seeds.

    Args:
        config: settings, or the path of a YAML file with them; None takes them from ``GRM_CONFIG``
            and ``settings``.
        plugins: modules (or their import names) or objects with hooks, besides everything
            installed; or all of them. Pickling takes objects along, and modules by name.
        settings: fields of :class:`GRMConfig`, such as ``k=16`` or ``engine="vllm"``.

    Raises:
        ConfigError: a setting is wrong. Nothing has started then.
        TemplateError: the template can not be used.

    >>> from grm_plugin.testing import scripted
    >>> with GRM(plugins=scripted(["\\\\boxed{9, 3}"]), engine="scripted", k=1, seed=3) as grm:
    ...     ranking = grm.rank("2 + 2?", ["4", "5"])
    ...     ranking.order, grm.compare("2 + 2?", "4", "5").winner
    ((0, 1), 0)
    """

    def __init__(
        self,
        config: GRMConfig | str | Path | None = None,
        *,
        plugins: Plugins | Iterable[object] | object | None = None,
        **settings: Any,
    ) -> None:
        if not isinstance(config, GRMConfig):
            config = GRMConfig.load(config, **settings)
        elif settings:
            config = config.but(**settings)
        self._plugins = chosen(plugins)
        self._plugins.check_adapters(config.adapters)
        self._keeper, self._watched = Keeper(config, self._plugins), Watched(config)
        self.config = self._keeper.scorer.config

    @property
    def plugins(self) -> Plugins:
        """Who offers the parts."""
        return self._plugins

    @property
    def watch(self) -> Watch | None:
        """What is watched of this run, with its alarms; None without ``watch``."""
        return self._watched.watch

    @property
    def audits(self) -> Audits | None:
        """What the audits of a cascade come to; None without one, and in a replay."""
        return self._keeper.audits

    @property
    def engine(self) -> Any:
        """The engine, for diagnosis."""
        return self._keeper.scorer.engine

    @property
    def template(self) -> Template:
        """The prompt template in use."""
        return self._keeper.scorer.template

    @property
    def rule(self) -> Rule:
        """How judgments become rewards; evaluation at other k settles them by the same."""
        return self._keeper.scorer.rule

    @property
    def origin(self) -> dict[str, Any]:
        """What makes a reward what it is; records carry it. The model may show at the start."""
        return dict(self._keeper.scorer.origin())

    def spend(self, cost: Cost) -> None:
        """Count what an earlier part of this run cost against ``budget``."""
        self._keeper.budget.spend(cost)

    def rebuild_from(self, records: Iterable[Path], step: int | None = None) -> None:
        """Rebuild what is watched, and what audits found, of a run that goes on.

        Args:
            records: of all processes of the run, where each knows what all of them judge.
            step: at which it goes on; None: the first batch says it.
        """
        found = list(records)
        self._watched.rebuild_from(found, step)
        self._keeper.rebuild_from(found, step)

    def start(self) -> None:
        """Start the judge now instead of with the first group.

        Raises:
            EngineError: it can not be started; the message says what to do.
            ConfigError: there is a ``budget`` in money, and the judge's prices are not known.
        """
        session = self._keeper.session()
        self._keeper.run(session, session.start())

    async def start_async(self) -> None:
        """:meth:`start` for callers with an event loop of their own."""
        session = self._keeper.session()
        await self._keeper.run_async(session, session.start())

    def check_group(self, group: Group) -> None:
        """Refuse a group that the judge can not be shown, before the judge is started.

        Raises:
            InputError: names the group.
            TemplateError: the template has no place for what the group carries.
        """
        self._keeper.scorer.check(group)

    async def check_async(self) -> None:
        """Ask a judge that has been started for a sign of life, where its engine can.

        Raises:
            EngineError: it gives none.
        """
        session = self._keeper.session()
        await self._keeper.run_async(session, session.check())

    def count_tokens(self, group: Group) -> int | None:
        """Prompt tokens of ``group`` with all its responses; None when the engine can not tell."""
        session = self._keeper.session()
        return self._keeper.run(session, session.count_tokens(group))

    def score_batch(self, groups: Sequence[Group], *, size: Size | None = None) -> list[Verdict]:
        """Verdicts of many groups, judged together, in their order.

        A group that can not be judged comes back unscored with the reason; the others are scored.

        Raises:
            ConfigError: the settings do not allow the size.
            EngineError: the judge can not be started.
            JudgeDeadError: ``dead_groups`` groups in a row had no reward, and the judge was asked
                in vain for ``dead_after_s``. Refused groups do not count.
            JudgeRefusedError: the judge takes no request like ours (key, model, parameters); at
                once, and groups that are under way are not asked any more.
            BudgetError: the ``budget`` might not pay for the next group; those before are judged,
                recorded and observed.
            AlarmError: rewards left the control judge, and ``watch.alarm`` is ``stop``.
            RecordError: a verdict can not be recorded.

        What was judged before one of the last five is in the error's ``verdicts``.
        """
        return self._all(self._batch(groups, size).run())

    def score_many(self, groups: Iterable[Group], *, size: Size | None = None) -> Iterator[Verdict]:
        """Verdicts of a stream, in its order; at most ``max_concurrent_groups`` are in memory.

        The stream is read in a thread of its own, so a verdict that is ready does not wait for
        groups that are not. (One that reads standard input needs a handle of its own, such as
        ``open(0, closefd=False)``: the interpreter can not end while a thread waits in
        ``sys.stdin``.) Refusals and dead judges are treated as in :meth:`score_batch`, and so is a
        part that blocks the judge: the groups that are open then come unscored, with its name.

        Raises:
            JudgeClosedError: the judge was closed before the stream was at its end.
        """
        check_several(groups)
        yield from Stream(self._keeper, self._watched.count, groups, size)

    async def score_batch_async(
        self, groups: Sequence[Group], *, size: Size | None = None
    ) -> list[Verdict]:
        """:meth:`score_batch` for callers with an event loop of their own."""
        return self._all(await self._batch(groups, size).run_async())

    async def score_many_async(
        self, groups: Iterable[Group], *, size: Size | None = None
    ) -> AsyncIterator[Verdict]:
        """:meth:`score_many` for callers with an event loop of their own."""
        stream = Stream(self._keeper, self._watched.count, groups, size)
        async with aclosing(stream.__aiter__()) as verdicts:
            async for verdict in verdicts:
                yield verdict

    def close(self) -> None:
        """Stop the judge and free what it took; may be called twice.

        Raises:
            PluginError: a part failed to close, or did not return; everything else is closed.
        """
        self._keeper.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __reduce__(self) -> tuple[Callable[..., GRM], tuple[GRMConfig]]:
        return partial(GRM, plugins=self._plugins.given), (self.config,)

    def _judge(self, group: Group, size: Size | None) -> Verdict:
        return self._one(self._batch([group], size).run())

    async def _judge_async(self, group: Group, size: Size | None) -> Verdict:
        return self._one(await self._batch([group], size).run_async())

    def _batch(self, groups: Sequence[Group], size: Size | None) -> Batch:
        check_several(groups)
        return Batch(self._keeper, groups, self._watched.size(groups, size))

    def _all(self, batch: Batch) -> list[Verdict]:
        with batch.saved():
            self._watched.count(*batch.judged)
        return [one.verdict for one in batch.judged]

    def _one(self, batch: Batch) -> Verdict:
        (judged,) = batch.judged
        if judged.refusal:
            raise judged.refusal
        return self._all(batch)[0]
