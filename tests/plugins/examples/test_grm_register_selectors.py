"""A plug-in that offers a selector: the longest judgments vote."""

from __future__ import annotations

import sys
from dataclasses import replace

from grm_plugin import GRM, Group, hookimpl
from grm_plugin.pipeline.selecting import Selection
from grm_plugin.plugins import Plugin
from grm_plugin.testing import scripted


class Longest:
    def __init__(self, options, limits) -> None:
        self.keep = options.get("keep")

    async def start(self) -> None: ...

    async def select(self, group, judgments, size) -> Selection:
        keep = self.keep or size.k_meta or max(1, size.k // 2)
        ranked = sorted(judgments, key=lambda judgment: -len(judgment.text))[:keep]
        return Selection(tuple(replace(one, voted=one in ranked) for one in judgments))

    async def close(self) -> None: ...


@hookimpl
def grm_register_selectors(register) -> None:
    register("longest", Longest)


def test_only_the_selected_judgments_vote_and_all_are_kept() -> None:
    script = ["\\boxed{1}", "A long critique. \\boxed{10}"]
    plugins = scripted(script, Plugin("example", sys.modules[__name__]))
    with GRM(plugins=plugins, engine="scripted", select="longest", k=2) as grm:
        verdict = grm.score(Group.of("q", ["a"]))
    assert verdict.rewards == (1,)
    assert [one.voted for one in verdict.judgments] == [False, True]
