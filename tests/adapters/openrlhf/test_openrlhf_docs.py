from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from grm_openrlhf.host import Host
from grm_openrlhf.options import OpenRLHFOptions, options_of
from grm_plugin import GRMConfig

PAGE = (Path(__file__).parents[3] / "docs/how-to/train-with-openrlhf.md").read_text()
SETTINGS = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.S)]


@pytest.mark.parametrize("settings", SETTINGS)
def test_settings_on_the_page_are_settings(settings: dict[str, Any]) -> None:
    assert options_of(GRMConfig.model_validate({"engine": "reference", **settings}))


def test_the_page_shows_every_option_of_the_adapter() -> None:
    sections = [one.get("adapters", {}).get("openrlhf", {}) for one in SETTINGS]
    assert {key for section in sections for key in section} == set(OpenRLHFOptions.model_fields)


def test_options_of_the_host_on_the_page_are_the_installed_ones() -> None:
    known = {one for action in Host.installed().parser()._actions for one in action.option_strings}
    named = set(re.findall(r"--[a-z]+\.[a-z_.]+[a-z]", PAGE)) - {"--grm.k"}
    assert named
    assert named <= known
