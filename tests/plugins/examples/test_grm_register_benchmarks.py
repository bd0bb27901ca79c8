"""A plug-in that offers a benchmark: groups whose metadata names the best response."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from grm_plugin import GRM, Group, hookimpl
from grm_plugin.engine import Limits
from grm_plugin.options import Options, read_options
from grm_plugin.pipeline.voting import best_of
from grm_plugin.plugins import Plugin
from grm_plugin.testing import scripted


class SumsOptions(Options):
    """``size``: how many sums."""

    size: int = 3


def sums(options, limits) -> Iterator[Group]:
    size = read_options(SumsOptions, "benchmark 'sums'", options).size
    for n in range(size):
        yield Group.of(f"{n} + 1?", [str(n), str(n + 1)], id=str(n), metadata={"best": 1})


@hookimpl
def grm_register_benchmarks(register) -> None:
    register("sums", sums)


def test_the_benchmarks_groups_can_be_judged() -> None:
    plugins = scripted(["\\boxed{5, 5}"], Plugin("example", sys.modules[__name__]))
    groups = list(plugins.make("benchmark", "sums", {"size": 2}, Limits()))
    with GRM(plugins=plugins, engine="scripted", k=1) as grm:
        for verdict in grm.score_many(groups):
            assert best_of(verdict.rewards, ties="none") is None
            assert verdict.group.metadata["best"] == 1
