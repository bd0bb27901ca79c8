"""A plug-in that offers a voter: the worst score of each response."""

from __future__ import annotations

import sys

from grm_plugin import GRM, Group, hookimpl
from grm_plugin.plugins import Plugin
from grm_plugin.testing import scripted


def worst(scores_K_N, scale):
    return tuple(scale.to_unit(min(column)) for column in zip(*scores_K_N, strict=True))


@hookimpl
def grm_register_voters(register) -> None:
    register("worst", worst)


def test_the_voter_decides_the_reward() -> None:
    plugins = scripted(["\\boxed{10}", "\\boxed{1}"], Plugin("example", sys.modules[__name__]))
    with GRM(plugins=plugins, engine="scripted", vote="worst", k=2) as grm:
        assert grm.score(Group.of("q", ["a"])).rewards == (0,)
