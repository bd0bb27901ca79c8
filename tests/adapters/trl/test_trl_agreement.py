"""What ranks compare before the first reward, and how they name what differs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm_plugin import GRM
from grm_plugin.pipeline.voting import mean
from grm_plugin.plugins import Plugin
from grm_plugin.testing import scripted
from grm_trl import RankError, agreement
from grm_trl.options import TRLOptions

settings = st.dictionaries(st.sampled_from("abc"), st.sampled_from(["1", "2"]), max_size=3)


@given(st.lists(settings, min_size=1, max_size=5))
def test_ranks_go_on_exactly_when_all_say_the_same(ranks: list[dict[str, str]]) -> None:
    if all(rank == ranks[0] for rank in ranks):
        agreement.check(ranks)
        return
    with pytest.raises(RankError, match="different settings") as caught:
        agreement.check(ranks)
    for name in "abc":
        differs = len({rank.get(name) for rank in ranks}) > 1
        assert (f"{name} is '" in str(caught.value)) == differs


def test_a_difference_names_the_ranks_of_every_value() -> None:
    ranks = [{"k": "8"}] * 12 + [{"k": "4"}, {}]
    with pytest.raises(
        RankError,
        match=r"k is '8' on ranks 0, 1, 2, 3, 4, 5, 6, 7 and 4 more, '4' on rank 12, 'nothing' on",
    ):
        agreement.check(ranks)


def terms(**settings: Any) -> agreement.Terms:
    plugins = settings.pop("plugins", scripted("9"))
    grm = GRM(plugins=plugins, **{"engine": "scripted", **settings})
    return agreement.terms(grm, TRLOptions(), plugins)


SERVER = {"name": "server", "model": "grm"}


@pytest.mark.parametrize(
    ("one", "other", "differs"),
    [
        ({"k": 2}, {"k": 4}, ["k"]),
        ({"temperature": 0.5}, {"temperature": 1}, ["temperature"]),
        ({"stop": "ranking"}, {"stop": {"name": "ranking", "error": 0.1}}, ["stop.error"]),
        ({"record": "a.jsonl", "tries": 2}, {"group_timeout_s": 9}, []),
        (
            {"engine": {**SERVER, "url": "http://a:1"}},
            {"engine": {**SERVER, "urls": ["http://b:1"]}},
            [],
        ),
        (
            {"engine": {**SERVER, "url": "http://a:1"}},
            {"engine": {"name": "server", "url": "http://a:1", "model": "another"}},
            ["engine.model"],
        ),
        (
            {"engine": {"name": "server", "serve": {"model": "a", "port": 8001}}},
            {"engine": {"name": "server", "serve": {"model": "b", "env": {"KEY": "secret"}}}},
            ["engine.serve.model"],
        ),
    ],
)
def test_settings_that_change_a_reward_are_terms_and_addresses_are_not(
    one: dict[str, Any], other: dict[str, Any], differs: list[str]
) -> None:
    left, right = terms(**one), terms(**other)
    found = {name for name in {*left, *right} if left.get(name) != right.get(name)}
    assert sorted(found) == differs


def test_a_part_that_only_one_rank_has_installed_is_a_difference() -> None:
    class Extra:
        """Offers a template."""

        from grm_plugin.hookspecs import hookimpl

        @hookimpl
        def grm_register_templates(self, register: Callable[[str, Any], None]) -> None:
            register("extra", "somewhere.txt")

    both = [terms(plugins=scripted("9")), terms(plugins=scripted("9", Plugin("extra", Extra())))]
    with pytest.raises(RankError, match=r"template 'extra' is 'nothing' on rank 0, 'offered' on"):
        agreement.check(both)


class Tools:
    """Offers a voter and an evidence source with options of their own."""

    from grm_plugin.hookspecs import hookimpl

    @hookimpl
    def grm_register_voters(self, register: Callable[[str, Any], None]) -> None:
        register("mine", lambda options, limits: mean)

    @hookimpl
    def grm_register_evidence_sources(self, register: Callable[[str, Any], None]) -> None:
        register("tests", lambda options, limits: Tests())


class Tests:
    async def start(self) -> None: ...

    async def close(self) -> None: ...

    async def facts(self, group: Any) -> list[str]:
        return []


@pytest.mark.parametrize(
    ("one", "other", "differs"),
    [
        (
            {"vote": {"name": "mine", "tries": 1}},
            {"vote": {"name": "mine", "tries": 2}},
            "vote.tries",
        ),
        (
            {"evidence": [{"name": "tests", "command": "pytest"}]},
            {"evidence": [{"name": "tests", "command": "true"}]},
            "evidence.1.command",
        ),
        ({"evidence": []}, {"evidence": ["tests"]}, "evidence.1"),
    ],
)
def test_what_a_plug_in_calls_a_command_or_tries_decides_rewards_for_all_we_know(
    one: dict[str, Any], other: dict[str, Any], differs: str
) -> None:
    plugins = scripted("9", Plugin("tools", Tools(), "tools 1.0"))
    left, right = terms(plugins=plugins, **one), terms(plugins=plugins, **other)
    assert differs in {name for name in {*left, *right} if left.get(name) != right.get(name)}


def test_ranks_with_two_versions_of_the_plug_in_that_offers_a_named_part_differ() -> None:
    both = [
        terms(plugins=scripted("9", Plugin("tools", Tools(), source)), vote="mine")
        for source in ("tools 1.0", "tools 1.1")
    ]
    with pytest.raises(RankError, match=r"source of voter 'mine' is 'tools 1.0' on rank 0, 'tool"):
        agreement.check(both)
