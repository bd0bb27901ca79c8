"""The pipeline on one screen: sources -> render -> draw -> read -> enough? -> select -> settle."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from grm_plugin.config import GRMConfig
from grm_plugin.engine import Engine, Recorded
from grm_plugin.errors import PluginError, RecordError, SourceError
from grm_plugin.options import Part
from grm_plugin.pipeline import culprits
from grm_plugin.pipeline.case import Case, copies
from grm_plugin.pipeline.checking import checked_group
from grm_plugin.pipeline.combining import check_size_of
from grm_plugin.pipeline.course import Course
from grm_plugin.pipeline.drawing import Drawer
from grm_plugin.pipeline.electing import select
from grm_plugin.pipeline.fitting import Fitter
from grm_plugin.pipeline.isolating import isolate
from grm_plugin.pipeline.origin import origin
from grm_plugin.pipeline.planner import Planner
from grm_plugin.pipeline.rounds import draw_rounds
from grm_plugin.pipeline.selecting import Selection, Selector
from grm_plugin.pipeline.settling import Rule, Settled, settle
from grm_plugin.pipeline.sources import Sources
from grm_plugin.pipeline.stopping import Stopper
from grm_plugin.prices import Amount
from grm_plugin.prompts import Template
from grm_plugin.running import guarded
from grm_plugin.running.budget import Allowance, Budget
from grm_plugin.size import Size
from grm_plugin.types import Cost, Group, Verdict

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
    sources: Sources
    fitter: Fitter
    planner: Planner
    drawer: Drawer
    stopper: Stopper
    selector: Selector
    rule: Rule
    budget: Budget

    def parts(self) -> Iterator[tuple[str, Startable]]:
        """What has to be started before the first group, and closed, by what messages call it."""
        yield f"engine {self.config.engine.name!r}", self.engine
        yield f"selector {self.config.select.name!r}", self.selector
        yield from self.sources.parts()

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
            course = await self._begin(checked_group(group), size, started, deadline, allowance)
        except (SourceError, PluginError) as error:
            cost = Cost(seconds=time.monotonic() - started)
            return Verdict(group, None, unscored=str(error), cost=cost, origin=self.origin(size))
        if not self._past(group):  # what is replayed was paid for
            await self._afford(course, latest)
        drawn_by = course.case.deadline - _SELECTING * (course.case.deadline - course.started)
        try:
            await draw_rounds(
                course, self.config, self.planner, self.drawer, self.stopper, drawn_by
            )
            if not self._past(group):
                await isolate(
                    course, self.config, self.template, self.planner, self.drawer, drawn_by
                )
            course.selection = await self._select(course)
            settled = settle(course.selection.judgments, course.case, self.rule)
        except PluginError as error:
            settled = Settled(None, str(error))
        return course.verdict(settled, self.origin(course.size), self.drawer.pricing)

    def check(self, group: Group) -> None:
        """Refuse what the template can not show, before sources are asked and tokens are spent.

        Raises:
            InputError: names the group.
            TemplateError: the template has no place for what the group carries.
        """
        coming = ["principles"] if self.config.principles else []
        coming += ["evidence"] if self.config.evidence else []
        self.template.check(group, self.fitter.plan.together, coming=coming)

    def check_size(self, size: Size) -> None:
        """Refuse a size that the settings do not allow, or with which the plan gives nothing.

        Raises:
            ConfigError: says what to write.
        """
        self.config.check_size(size)
        check_size_of(self.config, self.fitter.plan, size, "size: ")

    def check_budget(self) -> None:
        """Refuse a budget that could not be kept with the judge that has started.

        Raises:
            ConfigError: its prices are not known, or it is not told when to stop.
        """
        if self.config.budget:
            owner = f"engine {self.config.engine.name!r}"
            self.drawer.pricing.check(self.config.budget, owner, started=True)

    def origin(self, size: Size | None = None) -> Mapping[str, Any]:
        """What makes the reward of a group of that size what it is, for records."""
        settings = origin(
            self.config.model_copy(update={"contract": self.contract}),
            self.fitter.plan,
            self.engine,
            self.template,
            size or self.config.size,
        )
        return {**settings, **getattr(self.selector, "origin", {})}

    async def _begin(
        self,
        group: Group,
        size: Size | None,
        started: float,
        deadline: float,
        allowance: Allowance,
    ) -> Course:
        past = self._past(group)
        if past:
            self._check_recorded(group, past)
        else:
            self.check(group)
        shown = (past.shown or group) if past else await self.sources.shown(group, deadline)
        judge = f"engine {self.config.engine.name!r}"
        if admit := getattr(self.engine, "admit", None):
            guarded.run(f"{judge}: admit", admit, group)
        self.template.check(shown, self.fitter.plan.together)
        prepared = self.template.prepare(
            shown,
            control=getattr(self.engine, "control_tokens", ()),
            forms=self.drawer.reader.contract.forms,
            nonce=self.planner.nonce(group.fingerprint),
        )
        if past:
            runs = past.runs
        else:
            asked = (shown, prepared, self.planner.ring(group.fingerprint))
            fit = self.fitter.runs
            runs = await guarded.call(f"{judge}: tokens", fit, *asked, deadline=deadline)
        size = size or self._usual_size(past)
        enough = self.config.enough(size)
        members = tuple(runs), copies(shown, runs)
        case = Case(group, shown, *members, size, enough, deadline, allowance)
        course = Course(case, prepared, started, size)
        if past and self.fitter.plan.name == "list":
            course.blamed = culprits.blamed(case.runs, case.copies)
        return course

    async def _select(self, course: Course) -> Selection:
        found = await select(course, self.config, self.fitter.plan, self.selector)
        samples = [*found.judgments, *found.failures]
        rated = self.drawer.pricing.ratings(course.valid, samples, found.tokens)
        course.case.allowance.settle(Amount(), rated)
        return found

    async def _afford(self, course: Course, latest: float) -> None:
        """Set aside what the group may cost; the time that this waits for others is not its own.

        Raises:
            BudgetError: the budget might not pay for it.
        """
        case = course.case
        if not case.allowance.limited:
            return
        before = time.monotonic()
        most = self.drawer.most(course.prepared, self.planner.showings(case))
        await case.allowance.take(most, case.asked.label)
        course.postpone(time.monotonic() - before, latest)

    def _check_recorded(self, group: Group, past: Recorded) -> None:
        try:
            self.fitter.plan.check_recorded(past.plan, self.config.plan)
        except RecordError as error:
            raise RecordError(f"group {group.label} on record: {error}") from None

    def _past(self, group: Group) -> Recorded | None:
        recorded = getattr(self.engine, "recorded", None)
        return recorded(group) if recorded else None

    def _usual_size(self, past: Recorded | None) -> Size:
        if past and past.k and "k" not in self.config.model_fields_set:
            return Size(k=past.k if self.config.stop.name == "fixed" else past.most or past.k)
        return self.config.size
