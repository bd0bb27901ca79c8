"""Every setting that may name a server is known to whoever has to know all of them."""

from __future__ import annotations

from typing import Any

import pytest

from grm_openrlhf.checks import check_engine
from grm_openrlhf.options import OpenRLHFOptions
from grm_plugin import GRMConfig
from grm_plugin.cli.checks import _impatient
from grm_plugin.errors import ConfigError
from grm_plugin.hosts.agreement import flat
from grm_plugin.hosts.models import PLACES, model_at, models
from grm_trl.settings import on_rank


def config(**of_each: Any) -> GRMConfig:
    """Settings that name a server everywhere where they may."""
    server = {"name": "server", **of_each}
    judge = {
        "engine": server,
        "select": {"name": "meta_rm", "classifier": server},
        "scalar": {"classifier": server, "weight": 1},
    }
    return GRMConfig.model_validate({**judge, "watch": {"control": {"judge": judge}}})


def test_every_model_is_found() -> None:
    assert [place for place, _ in models(config(url="http://a:1"))] == list(PLACES)
    assert model_at(GRMConfig(engine="reference"), "scalar.classifier") == {}


def test_processes_may_ask_different_servers_for_one_and_the_same_reward() -> None:
    own = {"api_key_env": "A_KEY", "serve": {"model": "m", "port": 1, "gpus": [0]}}
    other = {"api_key_env": "B_KEY", "serve": {"model": "m", "port": 2, "gpus": [1]}}
    for one, another in (({"url": "http://a:1"}, {"url": "http://b:1"}), (own, other)):
        assert flat(config(**one).model_dump(mode="json")) == flat(
            config(**another).model_dump(mode="json")
        )


def test_ranks_share_every_server_that_the_settings_start() -> None:
    shared = {
        place: part["serve"]["shared"]
        for place, part in models(on_rank(config(serve={"model": "m"}), 1))
    }
    assert set(shared) == set(PLACES)
    assert len(set(shared.values())) == 1


def test_a_check_waits_for_no_server() -> None:
    patient = models(_impatient(config(url="http://a:1")))
    assert {part["start_timeout_s"] for _, part in patient} == {0}


@pytest.mark.parametrize("place", PLACES[1:])
def test_no_rollout_actor_starts_a_server_of_its_own(place: str) -> None:
    served = config(url="http://a:1").but(**{f"{place}.serve": {"model": "m"}})
    with pytest.raises(ConfigError, match=rf"^{place}\.serve would start a server in every"):
        check_engine(served, OpenRLHFOptions())
    check_engine(config(url="http://a:1"), OpenRLHFOptions())
