"""A stream of groups: its verdicts in order, also where a part blocks the session it began in."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from dataclasses import dataclass, field

from grm_plugin.errors import RecordError
from grm_plugin.running.breaker import Judged, Outcome
from grm_plugin.running.loop import LoopBlocked
from grm_plugin.running.stream import InOrder
from grm_plugin.running.taking import Source
from grm_plugin.session.keeping import Keeper
from grm_plugin.session.life import Session
from grm_plugin.size import Size
from grm_plugin.types import Group, Verdict


@dataclass(frozen=True, slots=True, eq=False)
class _Open:
    """A group that was taken from the stream, since when, and what became of it."""

    group: Group
    outcome: Outcome = field(default_factory=Outcome)
    since: float = field(default_factory=time.monotonic)


class Stream:
    """The verdicts of a stream of groups; read it once, with ``for`` or ``async for``.

    A part that blocks the session costs the groups that are open then: they come unscored, with
    its name, and the next ones are judged in another session.

    Args:
        keeper: of the session.
        count: is told of every verdict, and may end the stream.
        groups: the stream.
        size: of every group.
    """

    def __init__(
        self,
        keeper: Keeper,
        count: Callable[[Judged], None],
        groups: Iterable[Group],
        size: Size | None,
    ) -> None:
        self._keeper, self._count, self._size = keeper, count, size
        self._source = Source(_Open(group) for group in groups)
        self._part = self._new_part()

    def _new_part(self) -> _Part:
        return _Part(self._keeper.session(), self._source, self._size)

    def __iter__(self) -> Iterator[Verdict]:
        try:
            while judged := self._next():
                yield from self._counted(judged)
        finally:
            if not self._part.session.thread.closed:
                self._part.session.thread.run(self._part.close())

    def _next(self) -> list[Judged]:
        thread = self._part.session.thread
        try:
            with self._keeper.watched(self._part.session):
                return self._received(thread.run(self._part.next()))
        except LoopBlocked as error:
            return self._lost(error) or self._next()

    async def __aiter__(self) -> AsyncGenerator[Verdict, None]:
        try:
            while judged := await self._next_async():
                for verdict in self._counted(judged):
                    yield verdict
        finally:
            if not self._part.session.thread.closed:
                await self._part.session.thread.run_async(self._part.close())

    async def _next_async(self) -> list[Judged]:
        thread = self._part.session.thread
        try:
            with self._keeper.watched(self._part.session):
                return self._received(await thread.run_async(self._part.next()))
        except LoopBlocked as error:
            return self._lost(error) or await self._next_async()

    def _received(self, judged: list[Judged]) -> list[Judged]:
        """What came; only now is it not open any more, for a loop may block before it is told."""
        for _ in judged:
            self._source.open.popleft()
        return judged

    def _counted(self, judged: list[Judged]) -> Iterator[Verdict]:
        """Their verdicts; whoever asks for more hears then whether the judge is dead by them."""
        for one in judged:
            yield one.verdict
            self._count(one)

    def _lost(self, error: LoopBlocked) -> list[Judged]:
        """What became of the groups that were open; the others go to another session."""
        left = self._source.leave()
        for one in left:
            lost_s = time.monotonic() - one.since
            session = self._part.session
            session.say(one.outcome, session.unscored(one.group, str(error), self._size, lost_s))
        self._part = self._new_part()
        return [one.outcome.judged for one in left]


class _Part:
    """The part of a stream that is judged in one session; its coroutines run on that one's loop."""

    def __init__(self, session: Session, source: Source[_Open], size: Size | None) -> None:
        self.session, self._source, self._size = session, source, size
        self._stream: InOrder[_Open, Judged] | None = None

    async def next(self) -> list[Judged]:
        """The next one; none after the last.

        Raises:
            RecordError: verdicts before could not be recorded.
        """
        if self._stream is None:
            most = self.session.scorer.config.max_concurrent_groups
            self._stream = InOrder(self._source.reader(), self._judge, most=most)
        judged = await self._stream.next()
        if judged is None:
            self.session.check_recorded()
            return []
        return [judged]

    async def _judge(self, one: _Open) -> Judged:
        try:
            return await self.session.judge(one.group, self._size, None, one.outcome)
        except RecordError:  # the caller gets what is paid for; the next group is refused
            if one.outcome.known is None:
                raise
            return one.outcome.known

    async def close(self) -> None:
        """Cancel what is open; may be called at any time."""
        if self._stream:
            await self._stream.close()
