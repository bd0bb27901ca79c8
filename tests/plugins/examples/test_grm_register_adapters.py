"""A plug-in that offers an adapter: the import path of what a trainer is given, for listings."""

from __future__ import annotations

import sys

from grm_plugin import hookimpl
from grm_plugin.plugins import Plugin
from grm_plugin.testing import scripted


@hookimpl
def grm_register_adapters(register) -> None:
    register("my-trainer", "my_package.rewards:GRMReward")


def test_the_adapter_is_listed_with_who_offers_it() -> None:
    plugins = scripted([], Plugin("example", sys.modules[__name__]))
    (offer,) = [one for one in plugins.offers() if one.name == "my-trainer"]
    assert (offer.kind, offer.plugin) == ("adapter", "example")
    assert offer.part == "my_package.rewards:GRMReward"
