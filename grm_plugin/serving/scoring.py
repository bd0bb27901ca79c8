"""Takes responses one by one and gives each its number, once its group is judged."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from grm_plugin.errors import quoted
from grm_plugin.hosts.fallback import PREFIX, Fallback, Filled, extra_logs
from grm_plugin.serving.admission import Admission
from grm_plugin.serving.collector import Collector
from grm_plugin.serving.gathering import Arrival, Gathering, Seat
from grm_plugin.serving.judging import Judging
from grm_plugin.serving.metrics import Metrics
from grm_plugin.serving.settings import ServingSettings
from grm_plugin.types import Group, Verdict

logger = logging.getLogger(__name__)
FILLED = f"{PREFIX}filled_rate"


@dataclass(frozen=True, slots=True)
class Answer:
    """What one response gets.

    Args:
        reward: a finite number, whatever happened; ``logs`` say when it is none of the judge's.
        score: the same, but ``unscored_score`` where the whole group was left unscored.
        logs: the same names always, and finite.
    """

    reward: float
    score: float
    logs: dict[str, float]


@dataclass(frozen=True, slots=True)
class Result:
    """What the responses of one group get, and what to log beside each; holds no texts."""

    known: tuple[float | None, ...]
    filled: Filled
    logs: dict[str, float]

    def answer(self, seat: Seat, unscored_score: float) -> Answer:
        """For one response: its reward, or its group's mean when it has none or came too late."""
        filled, place, known = self.filled, seat.place, self.known
        reward = filled.mean if place is None else filled.rewards[place]
        score = unscored_score if filled.unscored else reward
        own = place is not None and place < len(known) and known[place] is not None
        flag = float(not (own or filled.unscored))
        return Answer(reward, score, {**self.logs, FILLED: flag})


class ResponseScorer:
    """Runs the collector on an event loop: its clock, and a task for every group to judge.

    Args:
        judging: where whole groups go.
        admission: bounds the groups.
        settings: flush time, partial groups, and how long answers are kept.
        metrics: counts what the collector sees.
    """

    def __init__(
        self,
        judging: Judging,
        admission: Admission,
        settings: ServingSettings,
        metrics: Metrics,
    ) -> None:
        self._judging, self._metrics = judging, metrics
        self._judge_partial = settings.partial == "judge"
        self._unscored_score = settings.unscored_score
        self._collector = Collector(
            admission, flush_s=settings.flush_s, remember_s=settings.remember_s
        )
        self._fallback = Fallback()
        # as long as the collector or a seat knows the group
        self._results: WeakKeyDictionary[Gathering, asyncio.Future[Result]] = WeakKeyDictionary()
        self._tasks: set[asyncio.Task[None]] = set()
        self._alarm: asyncio.TimerHandle | None = None
        self._closing = False
        self._alone_is_told = settings.group_size is not None

    async def answers(self, arrivals: Sequence[Arrival]) -> list[Answer]:
        """A number for every arrival, and what to log beside it; cancel it when the caller goes.

        Raises:
            Conflict, Busy, Unavailable: as :meth:`Collector.add`; what came before stays where it
                is.
            JudgeDeadError, RecordError: as :meth:`Judging.judge`.
        """
        self._tell_of_singles(arrivals)
        seats: list[Seat] = []
        answered = False
        try:
            try:
                seats.extend(self._take(arrival) for arrival in arrivals)
            finally:  # those that were taken before one was refused must not be forgotten
                self._tend()
            # shielded: the result belongs to all who wait for this group, and to who asks again
            results = [await asyncio.shield(self._results[seat.gathering]) for seat in seats]
            answered = True
        finally:
            for seat in seats:
                self._collector.leave(seat, time.monotonic(), answered=answered)
        return [
            result.answer(seat, self._unscored_score)
            for result, seat in zip(results, seats, strict=True)
        ]

    def close(self) -> None:
        """Wait for no response any more: judge the open groups, and what still comes, as it is."""
        self._closing = True
        self._tend()

    def _take(self, arrival: Arrival) -> Seat:
        seat = self._collector.add(arrival, time.monotonic())
        if seat.gathering not in self._results:
            self._results[seat.gathering] = asyncio.get_running_loop().create_future()
        if seat.calls > 1:
            self._metrics.repeated.inc()
        elif seat.place is None and not seat.gathering.open:
            self._metrics.filled.labels("late").inc()
            logger.warning(
                "group %s: a response came too late and gets the mean of the others (%s)",
                quoted(seat.gathering.name),
                arrival.caller,
            )
        return seat

    def _tell_of_singles(self, arrivals: Sequence[Arrival]) -> None:
        if self._alone_is_told or [one.size for one in arrivals if not one.name] != [1]:
            return
        self._alone_is_told = True
        logger.warning(
            "samples come one at a time and without group_ids, so each is judged alone, which is "
            "much weaker; say how many samples a prompt has with --serving group_size=N"
        )

    def _tend(self) -> None:
        """Start judging what is ready, and wake up again when the next group is due."""
        if self._closing:
            self._collector.close_all()
        for gathering in self._collector.take_ready(time.monotonic()):
            task = asyncio.create_task(self._settle(gathering))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self._metrics.collecting.set(self._collector.open_groups)
        if self._alarm is not None:
            self._alarm.cancel()
        due = self._collector.next_due
        left = None if due is None else max(0.0, due - time.monotonic())
        loop = asyncio.get_running_loop()
        self._alarm = None if left is None else loop.call_later(left, self._tend)

    async def _settle(self, gathering: Gathering) -> None:
        result = self._results[gathering]
        try:
            found = await self._result(gathering)
        except Exception as error:  # to everyone who waits for it, who then answers for it
            self._collector.drop(gathering)
            result.set_exception(error)
            result.exception()  # nobody may be waiting any more
        else:
            self._collector.settle(gathering, time.monotonic())
            result.set_result(found)

    async def _result(self, gathering: Gathering) -> Result:
        verdict = await self._verdict(gathering)
        filled = self._fallback.fill(verdict)
        self._metrics.count_filled(filled)
        return Result(verdict.rewards or (), filled, extra_logs(verdict, filled))

    async def _verdict(self, gathering: Gathering) -> Verdict:
        group, caller = _group(gathering), gathering.caller
        if not gathering.partial:
            return await self._judging.judge(group, caller)
        self._metrics.partial.inc()
        told = f"only {len(gathering.arrivals)} of {gathering.size} responses came in time"
        if self._judge_partial:
            logger.warning("group %s: %s; these are judged (%s)", group.label, told, caller)
            return await self._judging.judge(group, caller)
        verdict = Verdict(group, None, unscored=told)
        self._judging.count(verdict, caller)
        return verdict


def _group(gathering: Gathering) -> Group:
    first = gathering.arrivals[0]
    responses = tuple(arrival.response for arrival in gathering.arrivals)
    return Group(first.conversation, responses, id=gathering.name, reference=first.reference)
