"""The pipeline on one screen: sources -> render -> draw -> read -> enough? -> select -> settle."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from grm_plugin.config import GRMConfig
from grm_plugin.engine import Engine, Recorded, replays
from grm_plugin.errors import PluginError, SourceError
from grm_plugin.options import Part
from grm_plugin.pipeline.checking import checked_group
from grm_plugin.pipeline.combining import check_size_of
from grm_plugin.pipeline.course import Course
from grm_plugin.pipeline.default import NO_JUDGE
from grm_plugin.pipeline.drawing import Drawer
from grm_plugin.pipeline.electing import select
from grm_plugin.pipeline.isolating import isolate
from grm_plugin.pipeline.opening import Opener
from grm_plugin.pipeline.origin import origin
from grm_plugin.pipeline.past import check_past, past_of
from grm_plugin.pipeline.planner import Planner
from grm_plugin.pipeline.rounds import draw_rounds
from grm_plugin.pipeline.scalar_stage import ScalarStage
from grm_plugin.pipeline.selecting import Selection, Selector
from grm_plugin.pipeline.settling import Rule, Settled, settle
from grm_plugin.pipeline.stopping import Stopper
from grm_plugin.prices import Amount
from grm_plugin.prompts import Template
from grm_plugin.running.budget import Allowance, Budget
from grm_plugin.size import Size
from grm_plugin.types import Cost, Group, Sample, Verdict

# The share of a group's time that is kept for the selector.
_SELECTING = 0.1


class Startable(Protocol):
    """A part with a life of its own."""

    async def start(self) -> None:
        """Make ready."""

    async def close(self) -> None:
        """Free what ``start`` took; may be called twice."""


@dataclass(frozen=True)
class Scorer:
    """The parts that turn a group into a verdict; all of it runs on one event loop."""

    config: GRMConfig
    contract: Part
    engine: Engine
    template: Template
    opener: Opener
    planner: Planner
    drawer: Drawer
    stopper: Stopper
    selector: Selector
    rule: Rule
    budget: Budget
    scalar: ScalarStage | None = None

    def parts(self) -> Iterator[tuple[str, Startable]]:
        """What has to be started before the first group, and closed, by what messages call it."""
        if self.config.engine.name != NO_JUDGE:
            yield f"engine {self.config.engine.name!r}", self.engine
        if not self.alone:
            yield f"selector {self.config.select.name!r}", self.selector
            yield from self.opener.sources.parts()
        if self.scalar:
            yield self.scalar.rater.owner, self.scalar.rater

    @property
    def alone(self) -> bool:
        """Whether a scalar RM decides every group, so that there is no judge."""
        return not self.config.asks_a_judge

    async def judge(
        self, group: Group, size: Size | None, *, deadline: float, allowance: Allowance
    ) -> Verdict:
        """Score one group. A part that fails leaves it unscored, and is named.

        Args:
            group: what to judge.
            size: how many samples to draw of each run; None is the configured number, or in a
                replay the recorded one where ``k`` was left out.
            deadline: ``time.monotonic()`` after which open samples are dropped as ``timeout``; a
                group's own time begins when the judge can take its requests.
            allowance: what it may spend.

        Raises:
            InputError: the group can not be judged as given; no token was spent.
            BudgetError: the budget might not pay for it; no token was spent.
            PluginError: the judge could take no more requests by the deadline.
        """
        await self.drawer.turn(deadline)
        started, latest = time.monotonic(), deadline
        deadline = min(latest, started + self.config.group_timeout_s)
        try:
            group = checked_group(group)
            past = past_of(self.engine, group)
            self._check_asked(group, past)
            course = await self.opener.opened(group, past, size, started, deadline, allowance)
        except (SourceError, PluginError) as error:
            cost = Cost(seconds=time.monotonic() - started)
            return Verdict(group, None, unscored=str(error), cost=cost, origin=self.origin(size))
        await self._afford(course, past, latest)
        try:
            settled = await self._settled(course, past)
        except PluginError as error:
            settled = Settled(None, str(error))
        return course.verdict(settled, self.origin(course.size), self.drawer.pricing)

    async def _settled(self, course: Course, past: Recorded | None) -> Settled:
        if self.scalar:
            course.case = await self.scalar.rated(course.case, past)
        if course.case.asks_the_judge:
            await self._draw(course, past)
        judgments = course.selection.judgments if course.selection else ()
        if self.scalar:
            course.case = self.scalar.learned(course.case, judgments, self.rule, past=bool(past))
        return settle(judgments, course.case, self.rule)

    async def _draw(self, course: Course, past: Recorded | None) -> None:
        """Draw samples of the judge, and let the selector choose among them."""
        case = course.case
        drawn_by = case.deadline - _SELECTING * (case.deadline - course.started)
        await draw_rounds(course, self.config, self.planner, self.drawer, self.stopper, drawn_by)
        if not past:
            await isolate(course, self.config, self.template, self.planner, self.drawer, drawn_by)
        course.selection = await self._select(course)

    def _check_asked(self, group: Group, past: Recorded | None) -> None:
        if past:
            check_past(past, group, self.opener.plan, self.config)
        else:
            self.check(group)

    def check(self, group: Group) -> None:
        """Refuse what a template can not show, before sources are asked and tokens are spent.

        Raises:
            InputError: names the group.
            TemplateError: the template has no place for what the group carries.
        """
        if self.alone and self.scalar:  # the judge's template is never shown, nor is a source
            self.scalar.rater.check(group)
            return
        coming = ["principles"] if self.config.principles else []
        coming += ["evidence"] if self.config.evidence else []
        self.template.check(group, self.opener.plan.together, coming=coming)
        if self.scalar:
            self.scalar.rater.check(group, coming)

    def check_size(self, size: Size) -> None:
        """Refuse a size that the settings do not allow, or with which the plan gives nothing.

        Raises:
            ConfigError: says what to write.
        """
        self.config.check_size(size)
        check_size_of(self.config, self.opener.plan, size, "size: ")

    def check_budget(self, *, started: bool, section: str = "") -> None:
        """Refuse a budget that could not be kept: see :meth:`Pricing.check`.

        Raises:
            ConfigError: prices or sizes are not known, or the judge is not told when to stop.
        """
        limits, owner = self.budget.limits, f"engine {self.config.engine.name!r}"
        if limits is None or replays(self.engine):  # a replay costs nothing
            return
        self.drawer.pricing.check(limits, owner, started=started, section=section)
        if self.scalar:
            self.scalar.rater.check_budget(limits, started=started)

    def origin(self, size: Size | None = None) -> Mapping[str, Any]:
        """What makes the reward of a group of that size what it is, for records."""
        settings = origin(
            self.config.model_copy(update={"contract": self.contract}),
            self.opener.plan,
            self.engine,
            self.template,
            size or self.config.size,
        )
        scalar = {"scalar": self.scalar.origin} if self.scalar else {}
        return {**settings, **getattr(self.selector, "origin", {}), **scalar}

    async def _select(self, course: Course) -> Selection:
        found = await select(course, self.config, self.opener.plan, self.selector)
        samples: list[Sample] = [*found.judgments, *found.failures]
        rated = self.drawer.pricing.ratings(course.valid, samples, found.tokens)
        course.case.allowance.settle(Amount(), rated)
        return found

    async def _afford(self, course: Course, past: Recorded | None, latest: float) -> None:
        """Set aside what may be spent; the time that this waits for others is not the group's own.

        Raises:
            BudgetError: the budget might not pay for it.
        """
        case = course.case
        rates = self.scalar is not None and self.scalar.asks(past)
        if not case.allowance.limited or (past and not rates):  # what is replayed was paid for
            return
        before = time.monotonic()
        showings = [] if self.alone or past else self.planner.showings(case)
        most = Amount() if past else self.drawer.most(course.prepared, showings)
        if self.scalar and rates:
            most = most.plus(self.scalar.most(case.shown))
        await case.allowance.take(most, case.asked.label)
        course.postpone(time.monotonic() - before, latest)
