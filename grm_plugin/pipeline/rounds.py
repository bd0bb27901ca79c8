"""Draws the samples of a group in rounds, until its stopper has enough of them."""

from __future__ import annotations

import time
from dataclasses import replace

from grm_plugin.config import GRMConfig
from grm_plugin.pipeline.case import Case
from grm_plugin.pipeline.combining import size_of_first
from grm_plugin.pipeline.course import Course
from grm_plugin.pipeline.drawing import Drawer
from grm_plugin.pipeline.planner import Planner
from grm_plugin.pipeline.planning import between
from grm_plugin.pipeline.stopping import Stopper, checked_more
from grm_plugin.running import guarded


async def draw_rounds(
    course: Course,
    config: GRMConfig,
    planner: Planner,
    drawer: Drawer,
    stopper: Stopper,
    deadline: float,
) -> None:
    """Draw samples in the order of the plan, so that those of a fixed k begin with the same.

    Args:
        course: of a group of which nothing is drawn; its case is what was drawn in the end.
        config: names the stopper, and says how many valid samples are enough.
        planner: makes orders and seeds.
        drawer: asks the judge.
        stopper: says how many samples the next round has.
        deadline: ``time.monotonic()`` of the last sample; no further round begins after it.

    Raises:
        PluginError: the stopper failed, or asked for what it may not.
    """
    whole, drawn = course.case, 0
    plan = planner.showings(whole)
    while drawn < whole.size.k and (not drawn or time.monotonic() < deadline):
        more = _further(course, config, stopper, whole, drawn)
        if not more:
            break
        showings = between(plan, drawn, drawn + more)
        course.samples += await drawer.draw(whole, course.prepared, showings, deadline)
        drawn += more
    if 0 < drawn < whole.size.k:
        size = size_of_first(config, whole.size, drawn)
        course.case = replace(whole, size=size, min_valid=config.enough(size))


def _further(course: Course, config: GRMConfig, stopper: Stopper, whole: Case, drawn: int) -> int:
    """How many samples the next round has."""
    now = config.enough(whole.size.first(max(1, drawn)))
    asked = (replace(whole, min_valid=now), course.valid, drawn)
    more = guarded.run(f"stopper {config.stop.name!r}", stopper.more, *asked)
    return checked_more(config.stop.name, more, whole, drawn)
