"""A plug-in that offers an evidence source: it runs what a response computes."""

from __future__ import annotations

import ast
import sys

from grm_plugin import GRM, Group, hookimpl
from grm_plugin.plugins import Plugin
from grm_plugin.testing import scripted


async def parses(group: Group) -> list[str]:
    return [_parses(text) for text in group.responses]


def _parses(text: str) -> str:
    try:
        ast.parse(text)
    except SyntaxError as error:
        return f"is not Python: {error.msg}"
    return "is Python"


@hookimpl
def grm_register_evidence_sources(register) -> None:
    register("parses", parses)


def test_the_judge_is_shown_the_evidence() -> None:
    plugins = scripted(["\\boxed{5, 5}"], Plugin("example", sys.modules[__name__]))
    with GRM(plugins=plugins, engine="scripted", evidence=("parses",), k=1) as grm:
        verdict = grm.score(Group.of("q", ["1 + 1", "1 +"]))
        assert "is not Python: invalid syntax" in grm.engine.requests[0].messages[0].content
    assert verdict.group.evidence == ("is Python", "is not Python: invalid syntax")
