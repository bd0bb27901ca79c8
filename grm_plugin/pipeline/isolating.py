"""Judges a group again without the responses that make every answer to it unreadable."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

from grm_plugin.config import GRMConfig
from grm_plugin.pipeline import culprits
from grm_plugin.pipeline.case import Run
from grm_plugin.pipeline.course import Course
from grm_plugin.pipeline.drawing import Drawer
from grm_plugin.pipeline.planner import Planner
from grm_plugin.prompts import Template
from grm_plugin.types import Sample


async def isolate(
    course: Course,
    config: GRMConfig,
    template: Template,
    planner: Planner,
    drawer: Drawer,
    deadline: float,
) -> None:
    """Find who breaks a group that was judged as one list, and draw samples of the others.

    Args:
        course: of a group whose samples are drawn; a run of the others is added to it.
        config: says how many draws the search may cost.
        template: says how few responses can be shown.
        planner: makes orders and seeds.
        drawer: asks the judge.
        deadline: ``time.monotonic()`` of the last sample.
    """
    case = course.case
    if not (_is_suspicious(course) and _afford(course, config, planner, drawer)):
        return
    numbers = itertools.count(1)  # a run of a number draws with seeds of its own

    async def probe(runs: Sequence[Run]) -> Sequence[Sample]:
        plan = [planner.of_run(case, run, next(numbers), 1)[0] for run in runs]
        return await drawer.draw(case, course.prepared, plan, deadline)

    (run,), fewest = case.runs, template.layout.responses[0]
    found = await culprits.search(run, probe, budget=config.find_culprits, fewest=fewest)
    course.probes = found.samples
    if found.rest:
        course.case = replace(case, runs=(run, found.rest))
        course.blamed = culprits.blamed(course.case.runs, case.copies)
        again = planner.of_run(case, found.rest, 1, case.size.k)
        course.samples += await drawer.draw(case, course.prepared, again, deadline)


def _afford(course: Course, config: GRMConfig, planner: Planner, drawer: Drawer) -> bool:
    """Set aside what the search and the samples without the guilty may cost, if that can be."""
    case = course.case
    if not case.allowance.limited:
        return True
    probes = culprits.most_draws(len(case.runs[0]), config.find_culprits)
    one = planner.of_run(case, case.runs[0], 1, 1)
    return case.allowance.add(drawer.most(course.prepared, one).times(probes + case.size.k))


def _is_suspicious(course: Course) -> bool:
    """Whether a group in one run of several has too few valid samples, and it may be to blame."""
    case = course.case
    return (
        len(case.runs) == 1
        and len(case.runs[0]) > 1
        and len(course.valid) < case.min_valid
        and culprits.is_suspicious(course.samples, case.min_valid)
    )
