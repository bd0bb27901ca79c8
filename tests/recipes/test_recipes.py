"""Every key of every recipe against the installed libraries' own definitions."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from grm_plugin import GRM, GRMConfig
from grm_plugin.errors import TemplateError

trl = pytest.importorskip("trl")

from accelerate.commands.config.config_args import load_config_from_file  # noqa: E402
from accelerate.commands.launch import launch_command_parser  # noqa: E402
from trl import DatasetMixtureConfig, GRPOConfig, ModelConfig  # noqa: E402
from trl.scripts.grpo import GRPOScriptArguments, make_parser  # noqa: E402

from tests.recipes.whole import PROMPT, whole_recipes  # noqa: E402

ROOT = Path(__file__).parents[2]
RECIPES = ROOT / "recipes"
GRPO = sorted(RECIPES.glob("*/grpo/*.yaml"))
JUDGES = sorted(RECIPES.glob("grm/*.yaml"))
ACCELERATE = sorted(RECIPES.glob("accelerate_configs/*.yaml"))
KNOWN = {
    field.name
    for kind in (GRPOScriptArguments, GRPOConfig, ModelConfig, DatasetMixtureConfig)
    for field in dataclasses.fields(kind)
}


@pytest.fixture(autouse=True)
def _at_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(os, "environ", dict(os.environ))  # recipes set variables


def read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def named(paths: list[Path]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("path", paths, ids=lambda path: str(path.relative_to(RECIPES)))


PUBLISHED = [path for path in JUDGES if path.name.startswith("deepseek")]


@named(PUBLISHED)
def test_weights_that_were_trained_on_a_published_prompt_name_a_file_for_it(path: Path) -> None:
    """Our own words would go unnoticed; a file that is not there yet does not."""
    with pytest.raises(TemplateError, match=rf"grm/{PROMPT}' can not be read.*write your prompt"):
        GRM(GRMConfig.load(path))
    whole = whole_recipes() / "grm" / path.name
    with GRM(GRMConfig.load(whole).but(schedule=None)) as grm:
        assert grm.template.name == str(whole.with_name(PROMPT))


def test_there_are_recipes_of_every_sort() -> None:
    assert len(GRPO) == 20
    assert len(JUDGES) == 21
    assert len(ACCELERATE) == 4


@named(GRPO)
def test_every_key_is_a_setting_of_trl_or_of_accelerate_launch(path: Path) -> None:
    launcher = {action.dest for action in launch_command_parser()._actions}
    assert set(read(path)) - KNOWN - launcher - {"env", "accelerate_config"} == set()


@named(GRPO)
def test_trl_reads_the_values(path: Path, tmp_path: Path) -> None:
    settings = read(path) | {"use_cpu": True, "bf16": False}
    local = tmp_path / "recipe.yaml"
    local.write_text(yaml.safe_dump(settings))
    arguments = ["--config", str(local), "--output_dir", str(tmp_path)]
    *_, launcher = make_parser().parse_args_and_config(arguments, return_remaining_strings=True)
    assert {one for one in launcher if one.startswith("--")} <= {
        "--accelerate_config",
        "--num_processes",
    }


@named(GRPO)
def test_groups_are_whole_on_every_process(path: Path) -> None:
    settings = read(path)
    rounds = settings.get("steps_per_generation") or settings.get("gradient_accumulation_steps", 1)
    rows = settings["per_device_train_batch_size"] * rounds
    assert rows % settings["num_generations"] == 0


@named(GRPO)
def test_what_a_recipe_names_is_there(path: Path) -> None:
    settings = read(path)
    judge = settings.get("env", {}).get("GRM_CONFIG")
    scalar = GRMConfig.load(judge).scalar if judge else None
    if scalar and scalar.use == "cascade":  # rewards of two models, on two scales
        assert settings.get("scale_rewards") == "group"
        assert GRMConfig.load(judge).adapters["trl"]["round_to"]
    else:
        assert settings.get("scale_rewards") in ("batch", "none")
    for name in (settings.get("accelerate_config"), settings.get("env", {}).get("GRM_CONFIG")):
        assert name is None or (ROOT / name).is_file()


@named(JUDGES)
def test_judge_settings_are_valid(path: Path) -> None:
    config = GRMConfig.load(path)
    known = ("reference", "server") if config.asks_a_judge else ("default",)
    assert config.engine.name in known


@named(GRPO)
def test_a_recipe_whose_k_follows_what_was_logged_logs_every_step(path: Path) -> None:
    settings = read(path)
    judge = settings.get("env", {}).get("GRM_CONFIG")
    schedule = GRMConfig.load(judge).schedule if judge else None
    if schedule and schedule.metric:
        assert settings["logging_steps"] == 1


def texts(settings: Any) -> Iterator[str]:
    """Every text in ``settings``, however deep."""
    if isinstance(settings, str):
        yield settings
    elif isinstance(settings, dict | list):
        for part in settings.values() if isinstance(settings, dict) else settings:
            yield from texts(part)


@named(GRPO)
def test_a_policy_is_written_nowhere_where_a_judge_reads(path: Path) -> None:
    own = Path(read(path)["output_dir"])
    for judge in JUDGES:
        for place in (Path(text) for text in texts(read(judge)) if text.startswith("out/")):
            assert own != place and own not in place.parents and place not in own.parents, judge


MIXES = ("scalar", "scalar_k4", "cascade", "refreshed", "reliability", "watched")


@pytest.mark.parametrize("mix", MIXES)
@pytest.mark.parametrize("place", ["reference", "Qwen3-8B"])
def test_every_mix_of_a_judge_and_a_scalar_rm_has_a_recipe_that_does_what_its_name_says(
    place: str, mix: str
) -> None:
    recipe = read(RECIPES / place / "grpo" / f"config_{mix}.yaml")
    config = GRMConfig.load(recipe["env"]["GRM_CONFIG"])
    scalar = config.scalar
    assert mix in recipe["output_dir"].replace("-", "_")
    assert (scalar.use if scalar else None) == {
        "scalar": "alone", "scalar_k4": "vote", "cascade": "cascade", "refreshed": "cascade",
    }.get(mix)  # fmt: skip
    assert (config.schedule is not None) == (config.budget is not None) == (mix == "reliability")
    assert (config.watch is not None and config.watch.control is not None) == (mix == "watched")
    assert (mix == "refreshed") == bool(
        scalar and scalar.classifier and scalar.classifier.options.get("reload")
    )


@pytest.mark.parametrize("place", ["reference", "Qwen3-8B"])
def test_a_watched_recipe_gives_the_control_judge_the_groups_that_an_alarm_needs(
    place: str,
) -> None:
    recipe = read(RECIPES / place / "grpo" / "config_watched.yaml")
    calls = recipe.get("gradient_accumulation_steps") or recipe["steps_per_generation"]
    responses = recipe["per_device_train_batch_size"] * calls * recipe.get("num_processes", 1)
    watch = GRMConfig.load(recipe["env"]["GRM_CONFIG"]).watch
    assert watch is not None
    assert watch.control is not None
    assert watch.control.share * responses / recipe["num_generations"] >= 8


@pytest.mark.parametrize("mix", ["cascade", "refreshed"])
@pytest.mark.parametrize("place", ["reference", "Qwen3-8B"])
def test_a_cascade_has_the_audits_that_find_a_hacked_scalar_rm_out_in_16_steps(
    place: str, mix: str
) -> None:
    """Ranks share them, and some 25 it takes; see the guide."""
    recipe = read(RECIPES / place / "grpo" / f"config_{mix}.yaml")
    calls = recipe.get("gradient_accumulation_steps") or recipe["steps_per_generation"]
    responses = recipe["per_device_train_batch_size"] * calls * recipe.get("num_processes", 1)
    scalar = GRMConfig.load(recipe["env"]["GRM_CONFIG"]).scalar
    assert scalar is not None
    assert scalar.audit * responses / recipe["num_generations"] * 16 >= 25


@pytest.mark.parametrize(
    ("place", "usual"), [("reference", "config_grm_k8"), ("Qwen3-8B", "config_8gpu")]
)
def test_mixes_are_trained_as_the_judge_alone_is_but_for_their_reward(
    place: str, usual: str
) -> None:
    names = (usual, *(f"config_{mix}" for mix in MIXES))
    found = [read(RECIPES / place / "grpo" / f"{name}.yaml") for name in names]
    assert len({one.pop("output_dir") for one in found}) == len(names)
    assert len({one.pop("env")["GRM_CONFIG"] for one in found}) == len(names)
    scales = dict(zip(names, [one.pop("scale_rewards") for one in found], strict=True))
    two_models = {"config_cascade", "config_refreshed"}  # whose rewards are on two scales
    assert {name for name in names if scales[name] != scales[usual]} == two_models
    assert {scales[name] for name in two_models} == {"group"}
    for name, one in zip(names, found, strict=True):
        assert one == found[0], name


def test_a_judge_and_its_control_judge_of_every_reference_recipe_can_be_made() -> None:
    for path in RECIPES.glob("grm/reference-*.yaml"):
        with GRM(GRMConfig.load(path)) as grm:
            assert grm.config.engine.name in ("reference", "none")


@named(ACCELERATE)
def test_accelerate_reads_its_configs(path: Path) -> None:
    config = load_config_from_file(str(path))
    assert config.num_machines == (2 if path.stem.endswith("2nodes") else 1)
    assert config.num_processes in (1, 8 * config.num_machines)


def test_the_table_lists_every_recipe_and_commands_name_files_that_exist() -> None:
    text = (RECIPES / "README.md").read_text(encoding="utf-8")
    for path in (*GRPO, *JUDGES, *ACCELERATE):
        assert str(path.relative_to(RECIPES)) in text
    for name in re.findall(r"recipes/[\w./-]+\.(?:yaml|py)", text):
        assert (ROOT / name).is_file()
