"""A plug-in that offers an adapter: what a trainer is given, and the options of its section."""

from __future__ import annotations

import sys

import pytest

from grm_plugin import GRM, hookimpl
from grm_plugin.errors import ConfigError
from grm_plugin.hookspecs import Adapter
from grm_plugin.options import Options
from grm_plugin.plugins import Plugin
from grm_plugin.testing import scripted


class MyOptions(Options):
    """``round_to``: the step that rewards are rounded to."""

    round_to: float | None = None


@hookimpl
def grm_register_adapters(register) -> None:
    register("my-trainer", Adapter("my_package.rewards:GRMReward", MyOptions))


def test_the_adapter_is_listed_with_who_offers_it() -> None:
    plugins = scripted([], Plugin("example", sys.modules[__name__]))
    (offer,) = [one for one in plugins.offers() if one.name == "my-trainer"]
    assert (offer.kind, offer.plugin) == ("adapter", "example")
    assert offer.part.part == "my_package.rewards:GRMReward"


def test_a_typo_in_the_adapters_section_is_found_when_the_judge_is_made() -> None:
    plugins = scripted([], Plugin("example", sys.modules[__name__]))
    with pytest.raises(ConfigError, match="adapter 'my-trainer': unknown key 'roundto'"):
        GRM(plugins=plugins, engine="scripted", adapters={"my-trainer": {"roundto": 0.5}})
