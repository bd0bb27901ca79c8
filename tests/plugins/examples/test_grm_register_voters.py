"""A plug-in that offers a voter: a low quantile of the scores of each response."""

from __future__ import annotations

import sys

from grm_plugin import GRM, Group, hookimpl
from grm_plugin.options import Options, read_options
from grm_plugin.plugins import Plugin
from grm_plugin.testing import scripted


class LowOptions(Options):
    """``share``: the share of scores that may lie below the reward, 0..1."""

    share: float = 0.0


class Low:
    def __init__(self, options, limits) -> None:
        self.share = read_options(LowOptions, "voter 'low'", options).share

    def __call__(self, scores_K_N, scale):
        columns = zip(*scores_K_N, strict=True)
        place = int(self.share * (len(scores_K_N) - 1))
        return tuple(scale.to_unit(sorted(column)[place]) for column in columns)


@hookimpl
def grm_register_voters(register) -> None:
    register("low", Low)


def test_the_voter_decides_the_reward() -> None:
    plugins = scripted(["\\boxed{10}", "\\boxed{1}"], Plugin("example", sys.modules[__name__]))
    for vote, reward in [("low", 0), ({"name": "low", "share": 1}, 1)]:
        with GRM(plugins=plugins, engine="scripted", vote=vote, k=2) as grm:
            assert grm.score(Group.of("q", ["a"])).rewards == (reward,)
