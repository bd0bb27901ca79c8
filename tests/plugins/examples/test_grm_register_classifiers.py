"""A plug-in that offers a classifier: a meta RM that likes long judgments."""

from __future__ import annotations

import sys

from grm_plugin import GRM, Group, hookimpl
from grm_plugin.options import Options, read_options
from grm_plugin.plugins import Plugin
from grm_plugin.testing import scripted


class LengthOptions(Options):
    """``sign``: 1 likes long judgments, -1 short ones."""

    sign: float = 1.0


class Length:
    def __init__(self, options, limits) -> None:
        self.sign = read_options(LengthOptions, "classifier 'length'", options).sign

    async def start(self) -> None: ...

    async def logits(self, texts) -> list[float]:
        return [self.sign * len(text) for text in texts]

    async def close(self) -> None: ...


@hookimpl
def grm_register_classifiers(register) -> None:
    register("length", Length)


def test_the_meta_rm_runs_on_the_classifier() -> None:
    script = ["\\boxed{1}", "A long critique. \\boxed{10}"]
    plugins = scripted(script, Plugin("example", sys.modules[__name__]))
    for sign, reward in [(1, 1), (-1, 0)]:
        select = {"name": "meta_rm", "k_meta": 1, "classifier": {"name": "length", "sign": sign}}
        with GRM(plugins=plugins, engine="scripted", select=select, k=2) as grm:
            assert grm.score(Group.of("q", ["a"])).rewards == (reward,)
