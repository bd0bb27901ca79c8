"""A plug-in that observes verdicts; it may ask for any of the hook's arguments."""

from __future__ import annotations

import sys

from grm_plugin import GRM, Group, hookimpl
from grm_plugin.plugins import Plugin
from grm_plugin.testing import scripted

dropped: dict[str, int] = {}


@hookimpl
def grm_on_verdict(verdict) -> None:
    for reason, count in verdict.failures_by_reason.items():
        dropped[reason] = dropped.get(reason, 0) + count


def test_the_observer_sees_what_was_dropped() -> None:
    script = ["\\boxed{5}", "no box", "no box", "\\boxed{50}"]
    plugins = scripted(script, Plugin("example", sys.modules[__name__]))
    with GRM(plugins=plugins, engine="scripted", k=4) as grm:
        grm.score_batch([Group.of("q", ["a"]), Group.of("p", ["b"])])
    assert dropped == {"unreadable": 4, "out_of_range": 2}
