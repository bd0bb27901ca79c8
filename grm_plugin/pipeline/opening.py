"""A group before anything is drawn of it: what is shown of it, in which runs, and at which size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from grm_plugin.config import GRMConfig
from grm_plugin.engine import Engine, Recorded
from grm_plugin.pipeline import culprits
from grm_plugin.pipeline.case import Case, Run, copies
from grm_plugin.pipeline.course import Course
from grm_plugin.pipeline.fitting import Fitter
from grm_plugin.pipeline.past import usual_size
from grm_plugin.pipeline.planner import Planner
from grm_plugin.pipeline.plans import Plan
from grm_plugin.pipeline.sources import Sources
from grm_plugin.prompts import Prepared, Template
from grm_plugin.running import guarded
from grm_plugin.running.budget import Allowance
from grm_plugin.size import Size
from grm_plugin.types import Group


@dataclass(frozen=True)
class Opener:
    """Opens courses of groups that were checked.

    Args:
        config: the settings.
        engine: the judge, which may refuse a group, and measures prompts.
        template: the prompt.
        sources: add principles and evidence to what is shown.
        fitter: says which responses are shown together.
        planner: says in which order, and by which marks.
        forms: of an answer, which nothing that is shown may look like.
    """

    config: GRMConfig
    engine: Engine
    template: Template
    sources: Sources
    fitter: Fitter
    planner: Planner
    forms: Sequence[str]

    @property
    def plan(self) -> Plan:
        """Which responses one call shows."""
        return self.fitter.plan

    async def opened(
        self,
        group: Group,
        past: Recorded | None,
        size: Size | None,
        started: float,
        deadline: float,
        allowance: Allowance,
    ) -> Course:
        """A course of ``group``.

        Args:
            group: as it is asked about.
            past: what is on record of it, in a replay.
            size: of the group; None: the configured one, or that on record.
            started: ``time.monotonic()`` when its judging began.
            deadline: ``time.monotonic()`` by which it is to end.
            allowance: what it may spend.

        Raises:
            InputError: the group can not be judged as it is.
            PluginError, SourceError: a part failed; names it.
        """
        shown = await self._shown(group, past, deadline)
        prepared = self.template.prepare(
            shown,
            control=getattr(self.engine, "control_tokens", ()),
            forms=self.forms,
            nonce=self.planner.nonce(group.fingerprint),
        )
        runs = past.runs if past else await self._runs(group, shown, prepared, deadline)
        size = size or usual_size(past, self.config)
        enough = self.config.enough(size)
        members = tuple(runs), copies(shown, runs)
        case = Case(group, shown, *members, size, enough, deadline, allowance)
        course = Course(case, prepared, started, size)
        if past and self.plan.name == "list":
            course.blamed = culprits.blamed(case.runs, case.copies)
        return course

    async def _shown(self, group: Group, past: Recorded | None, deadline: float) -> Group:
        """The group with what sources add, or as it was shown then."""
        shown = (past.shown or group) if past else await self.sources.shown(group, deadline)
        if admit := getattr(self.engine, "admit", None):
            guarded.run(f"{self._judge}: admit", admit, group)
        if self.config.asks_a_judge:
            self.template.check(shown, self.plan.together)
        return shown

    async def _runs(
        self, group: Group, shown: Group, prepared: Prepared, deadline: float
    ) -> Sequence[Run]:
        asked = (shown, prepared, self.planner.ring(group.fingerprint))
        fit = self.fitter.runs
        return await guarded.call(f"{self._judge}: tokens", fit, *asked, deadline=deadline)

    @property
    def _judge(self) -> str:
        return f"engine {self.config.engine.name!r}"
