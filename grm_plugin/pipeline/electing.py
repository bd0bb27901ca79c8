"""Asks the selector which judgments vote, within its time, and checks what it answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from grm_plugin.config import GRMConfig
from grm_plugin.pipeline.case import Case
from grm_plugin.pipeline.checking import checked_selection
from grm_plugin.pipeline.combining import ballots
from grm_plugin.pipeline.course import Course
from grm_plugin.pipeline.plans import Plan
from grm_plugin.pipeline.selecting import Selection, Selector
from grm_plugin.running import guarded
from grm_plugin.size import Size
from grm_plugin.types import Judgment, Reason


async def select(course: Course, config: GRMConfig, plan: Plan, selector: Selector) -> Selection:
    """Select within each run, so that every response keeps judgments that vote.

    Raises:
        PluginError: the selector failed, or changed what it was given; names it.
    """
    case, name = course.case, config.select.name
    parts = [Selection((), course.failed)]
    for number in range(len(case.runs)):
        valid = [one for one in course.valid if one.run == number]
        for judgments, size in ballots(config, plan, valid, case.size):
            parts.append(await _asked(case, judgments, size, selector, name))
    return Selection(
        tuple(judgment for part in parts for judgment in part.judgments),
        tuple(failure for part in parts for failure in part.failures),
        _together(part.tokens for part in parts),
    )


def _together(tokens: Iterable[int | None]) -> int | None:
    """Of all parts; None when those of one are not known."""
    found = list(tokens)
    return None if None in found else sum(one or 0 for one in found)


async def _asked(
    case: Case, valid: Sequence[Judgment], size: Size, selector: Selector, name: str
) -> Selection:
    owner, until = f"selector {name!r}", case.deadline
    try:
        selection = await guarded.call(
            owner, selector.select, case.shown, valid, size, deadline=until
        )
    except guarded.PartTimeout:
        detail = f"the group's deadline passed before the {owner} answered"
        return Selection((), tuple(one.failed(Reason.TIMEOUT, detail) for one in valid))
    return checked_selection(name, selection, valid)
