"""What people write first with TRL: a reward answers each mistake as the judge itself does."""

from __future__ import annotations

from typing import Any

import pytest

from grm_plugin.errors import ConfigError
from grm_trl import GRMReward


def test_a_models_name_is_no_configuration_and_the_answer_shows_how_a_judge_is_named() -> None:
    told = r"config 'gpt-4o': expected a YAML file .*engine=\{'name': 'litellm', 'model': 'gpt-4o'"
    with pytest.raises(ConfigError, match=told):
        GRMReward("gpt-4o")


def test_settings_in_a_mapping_are_told_to_be_keywords() -> None:
    mapping: Any = {"engine": "reference"}
    with pytest.raises(ConfigError, match=r"expected the path of a YAML file.* are keywords"):
        GRMReward(mapping)


@pytest.mark.parametrize(
    ("settings", "taken", "told"),
    [
        ({"max_retries": 3}, {"tries": 4}, "max_retries=3 is taken as tries=4"),
        ({"timeout": 30}, {"request_timeout_s": 30}, "timeout=30 is taken as request_timeout_s=30"),
    ],
)
def test_retries_and_timeout_are_taken_with_a_word_on_what_they_are_called(
    settings: dict[str, int], taken: dict[str, int], told: str
) -> None:
    with pytest.warns(UserWarning, match=told):
        reward = GRMReward(engine="reference", **settings)
    assert {name: getattr(reward.config, name) for name in taken} == taken
