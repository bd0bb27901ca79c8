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
from grm_plugin.watching.drifts import joined
from grm_plugin.watching.gap import Measured, correlation_of
from grm_plugin.watching.options import WatchOptions
from grm_plugin.watching.raising import raised
from grm_plugin.watching.sources import Source, sourced
from grm_plugin.watching.start import Start

logger = logging.getLogger(__name__)
PATIENCE = 3
"""Times the rounds of a start after which it is told that nothing can alarm yet."""


@dataclass
class Round:
    """What came of one training step so far.

    Args:
        step: None where no trainer tells one.
        compared: groups that both judges gave rewards.
        parts: what the judge and a scalar RM gave them, each on its own scale.
        asked: groups that the control judge was asked about.
        seen: what was found in all responses.
    """

    step: int | None
    compared: list[Compared] = field(default_factory=list)
    parts: dict[Source, list[Compared]] = field(default_factory=dict)
    asked: int = 0
    seen: Seen = field(default_factory=Seen)

    def add(self, verdict: Verdict) -> None:
        """Count what both judges say of a group, if both do."""
        self.asked += verdict.control is not None
        if group := Compared.of(verdict):
            self.compared.append(group)
            for source, part in sourced(verdict):
                self.parts.setdefault(source, []).append(part)


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
        self._signals = Signals(options.start, self._patterns)
        self._round = self._last = Round(None)
        self._recent: deque[Round] = deque(maxlen=int(PRESENT))
        self._acts, self._stopped = True, ""
        self._silent, self._asked, self._told = 0, 0, False
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
        """Of the newest round with groups of the control judge; NaN before a start is known."""
        return self._signals.drifts.gap(self._newest.parts)

    @property
    def correlation(self) -> Measured:
        """Of rewards and controls inside groups, of the newest round with such groups."""
        return correlation_of(self._newest.compared)

    @property
    def start(self) -> Start | None:
        """What was usual at the start, of the source of most groups; None while none is known."""
        return self._signals.drifts.usual

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
        self._round.add(verdict)

    def _is_over(self, step: int | None) -> bool:
        """Whether a group of ``step`` begins another round; late ones of earlier steps do not."""
        if step is None:
            return self._round.seen.groups >= self.options.round
        return self._round.step is not None and step > self._round.step

    def _close(self) -> None:
        done = self._round
        if done.compared:
            self._last = done
            self._recent.append(done)
        self._signals.drifts.add(done.parts)
        self._tell_of_silence(done)
        self._signals.add_artefacts(done.seen)
        apart = self._signals.apart
        for alarm in self._signals.begun(self._figures(done.step)):
            self._alarm(alarm)
        self.raises += self.options.alarm == "raise_k" and self._signals.apart and not apart

    def _tell_of_silence(self, done: Round) -> None:
        """Once, when it takes long until an alarm could come."""
        drifts = self._signals.drifts
        if not self.controls or (drifts.present and not drifts.lacks):
            self._silent, self._asked = 0, 0
            return
        self._silent, self._asked = self._silent + 1, self._asked + done.asked
        if self._acts and not self._told and self._silent >= PATIENCE * self.options.start:
            self._told = True
            logger.warning(
                "watch: for %d rounds no alarm of the control judge could come: %s",
                *(self._silent, "; ".join(self._why())),
            )

    def _why(self) -> Iterator[str]:
        lacks = self._signals.drifts.lacks
        if not lacks:
            asked = f"{self._asked} groups that the control judge was asked about"
            yield f"of {asked} both judges scored none"
        for source, why in lacks.items():
            yield f"of rewards of {source}: {why}"

    def _figures(self, step: int | None) -> Figures:
        recent = [group for one in self._recent for group in one.compared]
        parts = joined(*(one.parts for one in self._recent))
        return Figures.of(step, recent, parts, self._signals.drifts)

    def _alarm(self, alarm: Alarm) -> None:
        self.alarms.append(alarm)
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
