"""A plug-in that offers a stopper: samples are drawn a few at a time."""

from __future__ import annotations

import sys

from grm_plugin import hookimpl
from grm_plugin.engine import Limits
from grm_plugin.options import Options, read_options
from grm_plugin.plugins import Plugin
from grm_plugin.testing import scripted


class AFewOptions(Options):
    """``few``: samples drawn at a time."""

    few: int = 2


class AFew:
    def __init__(self, options, limits) -> None:
        self.few = read_options(AFewOptions, "stopper 'a_few'", options).few


@hookimpl
def grm_register_stoppers(register) -> None:
    register("a_few", AFew)


def test_the_stopper_has_its_options() -> None:
    plugins = scripted([], Plugin("example", sys.modules[__name__]))
    assert plugins.make("stopper", "a_few", {"few": 4}, Limits()).few == 4
