from __future__ import annotations

from pathlib import Path

import pytest

from grm_openrlhf.command import Ours, split
from grm_plugin.errors import ConfigError

ON = ["--reward_model", "grm_plugin"]


def test_ours_is_taken_out_and_the_rest_keeps_its_order() -> None:
    ours, rest = split(["--a", "1", *ON, "--grm_config", "grm.yaml", "--b", "--grm.k", "4", "--c"])
    assert ours == Ours("grm_plugin", Path("grm.yaml"), {"k": 4})
    assert rest == ["--a", "1", "--b", "--c"]


def test_a_value_may_follow_an_equals_sign() -> None:
    ours, rest = split(["--reward_model=grm_plugin", "--grm_config=g.yaml", "--grm.k=4"])
    assert ours == Ours("grm_plugin", Path("g.yaml"), {"k": 4})
    assert rest == []


def test_an_override_is_a_yaml_value_under_a_dotted_key() -> None:
    words = ["--grm.engine.urls", "[http://a:1, http://b:1]", "--grm.temperature", "0.7"]
    assert split([*ON, *words])[0].overrides == {
        "engine.urls": ["http://a:1", "http://b:1"],
        "temperature": 0.7,
    }


def test_options_of_the_host_are_not_taken_for_misspelt_ones_of_ours() -> None:
    words = ["--reward.model", "a/b", "--reward_pretrain", "a/b", "--grammar", "x", "-grm_k"]
    assert split(words)[1] == words


def test_without_ours_everything_is_the_hosts() -> None:
    assert split(["--reward.remote_url", "http://a"]) == (
        Ours(),
        ["--reward.remote_url", "http://a"],
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--reward_model", "gpt"], "expected grm_plugin, got 'gpt'"),
        (["--grm.k", "4"], "--grm.k needs --reward_model grm_plugin"),
        ([*ON, "--grm.k"], "--grm.k: expected a value"),
        ([*ON, "--grm_config", "--seed"], "--grm_config: expected a value, got '--seed'"),
        ([*ON, "--grm.k", "[1"], "--grm.k: expected a YAML value"),
        (["--reward_model", "grm-plugin"], "expected grm_plugin, got 'grm-plugin'; the judge its"),
        (["--reward-model", "grm_plugin"], "did you mean --reward_model?"),
        (
            [*ON, "--grm-config", "g.yaml"],
            "--grm-config: no such option; did you mean",
        ),
        ([*ON, "--grmconfig=g.yaml"], "--grmconfig: no such option; did you mean --grm_config?"),
        ([*ON, "--grm_k", "4"], "--grm_k: no such option; did you mean --grm.k"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(words: list[str], told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        split(words)
    assert told in str(caught.value)
