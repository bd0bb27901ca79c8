"""One run, watched: verdicts in, rounds counted, alarms out."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from grm_plugin.errors import AlarmError
from grm_plugin.size import Size
from grm_plugin.types import Verdict
from grm_plugin.types.training import EVAL, when_of
from grm_plugin.watching.alarms import Alarm, Figures, Signals
from grm_plugin.watching.artefacts import Pattern, Seen
from grm_plugin.watching.compared import Compared
from grm_plugin.watching.drift import PRESENT
from grm_plugin.watching.gap import Measured, correlation_of, gap_of
from grm_plugin.watching.options import WatchOptions
from grm_plugin.watching.raising import raised
from grm_plugin.watching.start import Start, Starting

logger = logging.getLogger(__name__)
_UNKNOWN = Measured(float("nan"), float("nan"))


@dataclass
class Round:
    """What came of one training step so far.

    Args:
        step: None where no trainer tells one.
        compared: groups that both judges gave rewards.
        seen: what was found in all responses.
    """

    step: int | None
    compared: list[Compared] = field(default_factory=list)
    seen: Seen = field(default_factory=Seen)


class Watch:
    """Watches a run. Groups of evaluations do not count; from any thread.

    A round is a training step, or ``options.round`` groups where no step is told, and is judged
    when the next one begins.

    Args:
        options: what is watched.
        sizes: of the schedule; ``raise_k`` goes to the next of them.
    """

    def __init__(self, options: WatchOptions, sizes: Iterable[Size] = ()) -> None:
        self.options = options
        self.alarms: list[Alarm] = []
        self._sizes, self.raises = tuple(sizes), 0
        self._patterns = {name: Pattern.of(text) for name, text in options.artefacts.items()}
        self._starting = Starting(options.start)
        self._signals = Signals(options.start, self._patterns)
        self._round = self._last = Round(None)
        self._recent: deque[list[Compared]] = deque(maxlen=int(PRESENT))
        self._acts, self._stopped = True, ""
        self._lock = threading.Lock()

    def add(self, verdicts: Iterable[Verdict]) -> None:
        """Count verdicts.

        Raises:
            AlarmError: as :meth:`check`.
        """
        with self._lock:
            for verdict in verdicts:
                self._add(verdict)
        self.check()

    def check(self) -> None:
        """Refuse to go on after an alarm that stops the run.

        Raises:
            AlarmError: one began, and they shall stop the run; says what was seen.
        """
        if self._stopped:
            raise AlarmError(f"{self._stopped}; watch.alarm is stop")

    def rebuild(self, verdicts: Iterable[Verdict]) -> None:
        """Count those of an earlier part of the run; alarms that began then stop nothing now."""
        with self._quiet():
            self.add(verdicts)

    def raised(self, size: Size) -> Size:
        """The size that a group is judged with where ``size`` was asked for."""
        return raised(size, self.raises, self._sizes, self.options.most)

    @property
    def controls(self) -> bool:
        """Whether there is a control judge."""
        return self.options.control is not None

    @property
    def gap(self) -> Measured:
        """Of the newest round with groups of the control judge; NaN before the start is known."""
        start = self.start
        return gap_of(self._newest.compared, start) if start else _UNKNOWN

    @property
    def correlation(self) -> Measured:
        """Of rewards and controls inside groups, of the newest round with such groups."""
        return correlation_of(self._newest.compared)

    @property
    def start(self) -> Start | None:
        """What was usual at the start; None while that is not known."""
        return self._signals.start

    @property
    def seen(self) -> Seen:
        """What was found in the responses of the newest round."""
        return self._round.seen

    @property
    def _newest(self) -> Round:
        return self._round if self._round.compared else self._last

    def _add(self, verdict: Verdict) -> None:
        phase, step = when_of(verdict.group) or ("", None)
        if phase == EVAL:
            return
        if self._is_over(step):
            self._close()
            self._round = Round(step)
        elif self._round.step is None:
            self._round.step = step
        self._round.seen.add(verdict.group.responses, self._patterns, self.options.opening)
        if group := Compared.of(verdict):
            self._round.compared.append(group)

    def _is_over(self, step: int | None) -> bool:
        """Whether a group of ``step`` begins another round; late ones of earlier steps do not."""
        if step is None:
            return self._round.seen.groups >= self.options.round
        return self._round.step is not None and step > self._round.step

    def _close(self) -> None:
        done = self._round
        if done.compared:
            self._last = done
            self._recent.append(done.compared)
        if self._signals.start is None:
            self._starting.add(done.compared)
            self._signals.begin(self._starting.start)
        else:
            self._signals.add_compared(done.compared)
        self._signals.add_artefacts(done.seen)
        recent = [group for groups in self._recent for group in groups]
        for alarm in self._signals.begun(Figures.of(done.step, recent, self._signals.start)):
            self._alarm(alarm)

    def _alarm(self, alarm: Alarm) -> None:
        self.alarms.append(alarm)
        self.raises += self.options.alarm == "raise_k" and alarm.of_gap
        if self._acts:
            logger.warning("watch: %s", alarm.said)
            self._stopped = self._stopped or (alarm.said if self.options.alarm == "stop" else "")

    @contextmanager
    def _quiet(self) -> Iterator[None]:
        self._acts = False
        try:
            yield
        finally:
            self._acts = True
