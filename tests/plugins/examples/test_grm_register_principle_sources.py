"""A plug-in that offers a principle source: code is judged as code."""

from __future__ import annotations

import sys

from grm_plugin import Group, hookimpl
from grm_plugin.engine import Limits
from grm_plugin.options import Options, read_options
from grm_plugin.plugins import Plugin
from grm_plugin.testing import scripted


class ByTopicOptions(Options):
    """``code``: the principles for questions that hold code."""

    code: tuple[str, ...] = ("It runs.", "It is short.")


class ByTopic:
    def __init__(self, options, limits) -> None:
        self.code = read_options(ByTopicOptions, "principle source 'by_topic'", options).code

    async def start(self) -> None: ...

    async def principles(self, group: Group) -> tuple[str, ...]:
        return self.code if "def " in group.conversation[-1].content else ()

    async def close(self) -> None: ...


@hookimpl
def grm_register_principle_sources(register) -> None:
    register("by_topic", ByTopic)


async def test_the_group_decides_which_principles_it_is_judged_by() -> None:
    plugins = scripted([], Plugin("example", sys.modules[__name__]))
    source = plugins.make("principle source", "by_topic", {"code": ["It runs."]}, Limits())
    assert await source.principles(Group.of("Why? def f(): ...", ["a"])) == ("It runs.",)
    assert await source.principles(Group.of("Why?", ["a"])) == ()
