"""What people write first, before they have read much: each mistake is told with what to write."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import pytest

from grm_plugin import GRM, GRMConfig, Group
from grm_plugin.errors import ConfigError, InputError, PluginError
from grm_plugin.testing import scripted

PLUG_IN = r"""
from grm_plugin import hookimpl
from grm_plugin.testing import ScriptedEngine

@hookimpl
def grm_register_engines(register):
    register("nine_three", lambda options, limits: ScriptedEngine([r"\boxed{9, 3}"]))
"""
GROUP = Group.of("2 + 2?", ["4", "5"])


def judge() -> GRM:
    return GRM(plugins=scripted([r"\boxed{9, 3}"]), engine="scripted", k=1)


def test_a_models_name_is_no_configuration_and_the_answer_shows_how_a_judge_is_named() -> None:
    told = r"config 'gpt-4o': expected a YAML file .*engine=\{'name': 'litellm', 'model': 'gpt-4o'"
    with pytest.raises(ConfigError, match=told):
        GRM("gpt-4o")


def test_settings_in_a_mapping_are_told_to_be_keywords() -> None:
    mapping: Any = {"engine": "reference"}
    with pytest.raises(ConfigError, match=r"expected the path of a YAML file.* are keywords"):
        GRM(mapping)


def test_a_judge_takes_the_path_of_its_configuration(tmp_path: Path) -> None:
    (tmp_path / "judge.yaml").write_text("engine: reference\nk: 3\n")
    assert GRM(tmp_path / "judge.yaml").config.k == 3
    assert GRM(str(tmp_path / "judge.yaml"), k=5).config.k == 5


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"permutations": 99}, "config: permutations: expected at most k = 8, got 99"),
        ({"k": "many"}, "config: k: expected a whole number, got 'many'"),
        ({"vote": 3}, "config: vote: expected a name, or keys and values, got 3"),
        ({"over_context": "cut"}, "config: over_context: expected 'refuse' or 'split', got 'cut'"),
        ({"engine": {}}, "config: engine.name: required, and not given"),
    ],
)
def test_a_configuration_made_by_hand_is_refused_in_our_words(
    settings: dict[str, object], told: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        GRMConfig(**settings)
    assert str(refused.value) == told


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"model": "gpt-4o"}, r"'model'; set engine.model, say engine=\{'name': 'server', 'model'"),
        ({"base_url": "http://x"}, "'base_url'; set engine.url, say"),
        ({"num_samples": 3}, "'num_samples'; set k$"),
        ({"engine": {"name": "server", "base_url": "http://x"}}, "'base_url'; set url$"),
        ({"engine": {"name": "server", "timeout": 3}}, "'timeout'; set request_timeout_s$"),
        ({"engine": "litellm"}, "'litellm': model: required, and not given; set engine.model$"),
    ],
)
def test_what_other_libraries_call_a_setting_is_answered_with_its_name_here(
    settings: dict[str, object], told: str
) -> None:
    with pytest.raises(ConfigError, match=told):
        GRM(**settings)


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
        config = GRMConfig(**settings)
    assert {name: getattr(config, name) for name in taken} == taken


def test_a_setting_that_is_given_by_both_its_names_is_refused() -> None:
    with pytest.raises(ConfigError, match="timeout: here it is request_timeout_s, which is set"):
        GRMConfig(timeout=3, request_timeout_s=4)
    with pytest.raises(ConfigError, match="max_retries: expected a number, got 'a few'"):
        GRMConfig(max_retries="a few")


def test_a_row_is_no_group_and_the_answer_says_how_to_make_one() -> None:
    row: Any = {"prompt": "2 + 2?", "responses": ["4", "5"]}
    with judge() as grm:
        with pytest.raises(InputError, match=r"a prompt and its responses, such as score\(prompt"):
            grm.score(row)
        with pytest.raises(InputError, match=r"got .*; Group.of\(prompt, responses\)$"):
            grm.score_batch([row])


def test_a_field_that_a_group_has_not_is_named_with_the_nearest_that_it_has() -> None:
    unknown = r"unknown group field 'referense'; known: .*; did you mean 'reference'\?"
    with judge() as grm, pytest.raises(InputError, match=unknown):
        grm.score("2 + 2?", ["4", "5"], referense="4")


def test_one_group_and_several_are_told_apart() -> None:
    with judge() as grm:
        with pytest.raises(InputError, match="expected a Group, or a prompt"):
            grm.score([GROUP])  # type: ignore[list-item]
        for several in (grm.score_batch, lambda group: list(grm.score_many(group))):
            with pytest.raises(InputError, match="expected several groups, got one"):
                several(GROUP)  # type: ignore[arg-type]


def test_responses_that_are_missing_are_told() -> None:
    with pytest.raises(TypeError, match="responses: expected several texts, got None"):
        Group.of("2 + 2?", None)  # type: ignore[arg-type]


@pytest.mark.parametrize("given", ["module", "name", "list", "names"])
def test_a_plug_in_may_be_given_as_a_module_or_by_its_name_alone_or_in_a_list(
    given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "judge_of_mine.py").write_text(PLUG_IN)
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("judge_of_mine")
    ways = {"module": module, "name": module.__name__, "list": [module], "names": ["judge_of_mine"]}
    with GRM(plugins=ways[given], engine="nine_three") as grm:
        rewards = grm.score(GROUP).rewards
    del sys.modules["judge_of_mine"]
    assert rewards is not None


def test_a_plug_in_that_is_not_there_or_has_no_hook_is_named() -> None:
    with pytest.raises(PluginError, match="plug-in 'not_there' can not be imported: No module"):
        GRM(plugins=["not_there"])
    with pytest.raises(PluginError, match="plug-in 'json' has no hook: expected functions such as"):
        GRM(plugins=[importlib.import_module("json")])
