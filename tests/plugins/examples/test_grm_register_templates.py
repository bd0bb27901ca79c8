"""A plug-in that offers a prompt template."""

from __future__ import annotations

import sys
from pathlib import Path

from grm_plugin import GRM, Group, hookimpl
from grm_plugin.plugins import Plugin
from grm_plugin.testing import scripted


@hookimpl
def grm_register_templates(register) -> None:
    register("five", Path(__file__).parent / "five.txt")


def test_the_template_is_shown_and_sets_the_scale() -> None:
    plugins = scripted(["\\boxed{5, 3}"], Plugin("example", sys.modules[__name__]))
    with GRM(plugins=plugins, engine="scripted", template="five", k=1, duplicates="keep") as grm:
        rewards = grm.score(Group.of("q", ["a", "b"])).rewards
        assert sorted(rewards) == [0.5, 1]
        assert grm.engine.requests[0].messages[0].content.startswith("From 1 to 5, how good")
