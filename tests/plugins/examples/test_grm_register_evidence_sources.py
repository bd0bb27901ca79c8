"""A plug-in that offers an evidence source: it says whether a response is code that parses."""

from __future__ import annotations

import ast
import sys

from grm_plugin import GRM, Group, hookimpl
from grm_plugin.options import Options, read_options
from grm_plugin.plugins import Plugin
from grm_plugin.testing import scripted


class ParsesOptions(Options):
    """``language``: how the facts call the language."""

    language: str = "Python"


class Parses:
    def __init__(self, options, limits) -> None:
        self.language = read_options(ParsesOptions, "evidence source 'parses'", options).language

    async def start(self) -> None: ...

    async def facts(self, group: Group) -> list[str]:
        return [self._fact(text) for text in group.responses]

    def _fact(self, text: str) -> str:
        try:
            ast.parse(text)
        except SyntaxError as error:
            return f"is not {self.language}: {error.msg}"
        return f"is {self.language}"

    async def close(self) -> None: ...


@hookimpl
def grm_register_evidence_sources(register) -> None:
    register("parses", Parses)


def test_the_judge_is_shown_the_evidence() -> None:
    plugins = scripted(["\\boxed{5, 5}"], Plugin("example", sys.modules[__name__]))
    with GRM(plugins=plugins, engine="scripted", evidence=["parses"], k=1) as grm:
        verdict = grm.score(Group.of("q", ["1 + 1", "1 +"]))
        assert "is not Python: invalid syntax" in grm.engine.requests[0].messages[0].content
    assert verdict.shown.evidence == ("is Python", "is not Python: invalid syntax")
