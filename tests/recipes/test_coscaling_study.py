"""The co-scaling study, before anything is trained: its stages and its arms."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from grm_plugin import GRM
from grm_plugin.cli import app
from grm_plugin.cli.judge import read_pairs
from grm_plugin.config import GRMConfig
from grm_plugin.errors import ConfigError
from grm_plugin.pipeline.control_judge import control_config
from grm_plugin.reference.reward_models import SCALAR_MODEL
from grm_plugin.watching.start import FEWEST_GROUPS
from recipes.coscaling import ensemble
from recipes.coscaling.chain import Chain
from recipes.coscaling.openrlhf import LEARNING_RATE
from recipes.coscaling.plan import CHECKER, EMBEDDED, HERE, Arm, kept_folder, plan
from recipes.coscaling.study import stages
from recipes.stages import Stage

CHAIN = Chain(Path("out/coscaling"), judge=Path("judge"), base=Path("base"), meta=Path("meta"))
MADE = stages(CHAIN, plan())
NAMED = {stage.name: stage for stage in MADE}
RUN = [arm for arm in plan().arms if not arm.cut]


def option(stage: Stage, name: str) -> str:
    return stage.command[stage.command.index(name) + 1]


def test_a_name_stands_for_one_command_and_one_output() -> None:
    assert len(NAMED) == len({stage.makes for stage in MADE}) == len(MADE)


def test_whatever_a_stage_reads_an_earlier_one_makes() -> None:
    for place, stage in enumerate(MADE):
        named = [Path(text) for text in stage.command if text.startswith("out/coscaling/")]
        for path in {*named, *stage.uses} - {stage.makes, *stage.makes.parents, SCALAR_MODEL}:
            if path.name.isdecimal() and path.parent.parent.name == "runs":
                path = stage.uses[0]  # a run is there when its last weights are
            assert any(one.makes in {path, *path.parents} for one in MADE[:place]), (stage, path)


def test_every_policy_waits_for_the_scalar_rms_that_it_is_rewarded_by() -> None:
    for arm in RUN:
        for seed in range(1, arm.seeds + 1):
            reads = {one.name for one in MADE if NAMED[f"{arm.name} {seed}"].reads(one)}
            asked = {f"scalar RM {name}" for name in arm.asks(seed) if name != EMBEDDED}
            assert reads == {"prompts", *asked}


def test_an_arm_may_ask_the_scalar_rm_that_is_shipped_which_nothing_trains() -> None:
    command = NAMED["cascade 2"].command
    assert f"scalar.classifier.model={SCALAR_MODEL}" in command
    made = {stage.name for stage in stages(CHAIN, plan(), ["cascade"])}
    assert not {"groups", "scalar RM 1", "scalar RM doubled"} & made


def test_rewards_are_compared_within_groups_as_two_models_give_them_in_some_arms() -> None:
    assert yaml.safe_load((HERE / "grpo.yaml").read_text())["scale_rewards"] == "group"


def test_arms_differ_in_their_reward_and_their_length_alone() -> None:
    told = ("--judge", "--beta", "--max_steps", "--output_dir")
    for seed in (1, 2, 3):
        commands = []
        for arm in (one for one in RUN if one.trainer == "trl"):
            command = list(NAMED[f"{arm.name} {seed}"].command)
            for name in told:
                command[command.index(name) + 1] = ""
            ends = [command.index(name) for name in ("--refresh", "--set") if name in command]
            commands.append(command[: min(ends, default=len(command))])
        assert all(command == commands[0] for command in commands)


def test_seeds_of_a_scalar_arm_take_its_scalar_rms_in_turn() -> None:
    asked = [NAMED[f"scalar {seed}"].command[-1].rpartition("/")[2] for seed in range(1, 6)]
    assert asked == ["1", "2", "3", "1", "2"]


def test_the_alarm_of_the_study_is_armed_in_time_by_a_judge_of_other_weights() -> None:
    named = dict(one.split("=") for one in NAMED["grm_k8 1"].command if one.startswith("watch."))
    judge = GRMConfig.load(HERE / "arms/grm_k8.yaml", **{"engine.model": "judge", **named})
    control = control_config(judge)
    assert judge.watch and judge.watch.control and control
    assert control.engine.options == {"stage": "base", "model": "base"}
    assert judge.engine.options == {"model": "judge"}
    groups = judge.watch.control.share * plan().responses / 4
    rounds = max(judge.watch.start, FEWEST_GROUPS / groups)
    assert rounds <= plan().rounds / 4


def test_a_run_is_measured_where_its_last_weights_are_kept() -> None:
    for arm in (one for one in RUN if one.trainer == "trl"):
        trained = NAMED[f"{arm.name} 1"]
        steps, every = (int(option(trained, name)) for name in ("--max_steps", "--keep_steps"))
        assert steps % every == 0 and steps >= plan().rounds * plan().updates
        assert trained.makes == kept_folder(CHAIN.run(arm, 1), steps)
        assert NAMED[f"truth {arm.name} 1"].reads(trained)


def test_no_query_is_both_trained_on_and_measured() -> None:
    settings = plan()
    asked = [settings.prompts, *settings.queries.values()]
    assert len({(one.split, one.seed) for one in asked}) == len(asked)
    assert settings.queries["heldout"].split == "heldout"


def test_arms_without_their_meta_rm_are_left_out() -> None:
    without = Chain(Path("out"), judge=Path("judge"), base=Path("base"))
    assert "growing_meta 1" in {one.name for one in stages(CHAIN, plan(), ["growing_meta"])}
    assert {one.name for one in stages(without, plan(), ["growing_meta"])} == {"prompts", "figures"}


def test_an_arm_that_is_cut_is_run_by_its_name_alone() -> None:
    cut = [arm.name for arm in plan().arms if arm.cut]
    assert not {name.rpartition(" ")[0] for name in NAMED} & {*cut}
    for name in cut:
        assert f"{name} 1" in {stage.name for stage in stages(CHAIN, plan(), [name])}


def test_openrlhf_and_trl_learn_at_one_rate_and_count_the_same_steps() -> None:
    grpo = yaml.safe_load((HERE / "grpo.yaml").read_text())
    assert grpo["learning_rate"] == LEARNING_RATE
    stage = NAMED["openrlhf_grm_k8 1"]
    assert option(stage, "--rounds") == str(plan().rounds)
    assert stage.makes.name == f"{plan().rounds * plan().updates:05d}"
    ours, theirs = (
        yaml.safe_load((HERE / f"arms/{name}.yaml").read_text())["schedule"]["stages"]
        for name in ("growing", "growing_openrlhf")
    )
    assert [one | {"step": one["step"] // plan().updates} for one in ours] == theirs


def test_a_round_is_what_the_trainer_says() -> None:
    grpo = yaml.safe_load((HERE / "grpo.yaml").read_text())
    assert grpo["steps_per_generation"] == plan().updates
    assert grpo["per_device_train_batch_size"] * plan().updates == plan().responses
    longest = max(arm.rounds for arm in plan().arms)
    assert longest * plan().responses // grpo["num_generations"] <= plan().prompts.number


@pytest.mark.parametrize("arm", plan().arms, ids=lambda arm: arm.name)
def test_the_judge_of_every_arm_can_be_made(arm: Arm) -> None:
    (stage,) = (one for one in stages(CHAIN, plan(), [arm.name]) if one.name == f"{arm.name} 1")
    named = read_pairs([one for one in stage.command if re.match(r"[a-z._]+=", one)], "--set")
    if "--refresh" in stage.command:
        named["scalar.classifier.model"] = "newest"
    if arm.settings == CHECKER:
        assert not named
    else:
        GRM(arm.settings, plugins=[ensemble], **named).close()


@pytest.mark.parametrize(
    "stage", [one for one in MADE if one.command[0] == "grm"], ids=lambda stage: stage.name
)
def test_grm_takes_the_options_of_its_stages(stage: Stage) -> None:
    command: Any = get_command(app)
    words = list(stage.command[1:])
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    read = command.make_context("grm", words).params
    assert read["folder"] == stage.makes
    assert read["learning_rate"] == plan().scalar.options["learning-rate"]


def test_single_arms_can_be_run_alone() -> None:
    made = [stage.name for stage in stages(CHAIN, plan(), ["checker"])]
    runs = [name for seed in (1, 2, 3) for name in (f"checker {seed}", f"truth checker {seed}")]
    assert made == ["prompts", *runs, "figures"]
    with pytest.raises(ConfigError, match="grm_k9"):
        stages(CHAIN, plan(), ["grm_k9"])


def test_a_scalar_rm_is_trained_before_the_first_run_that_asks_it_and_others_at_the_end() -> None:
    names = [stage.name for stage in MADE]
    assert names[:5] == ["prompts", "groups", "grm_k8 1", "truth grm_k8 1", "scalar RM 1"]
    assert names[names.index("dense trunk") :][:3] == [
        "dense trunk",
        "scalar RM dense",
        "scalar_dense 1",
    ]
    assert names[-3:] == ["scalar RM base", "scalar RM doubled", "figures"]


def test_how_flat_a_scalar_rm_is_tells_the_same_training_with_twice_the_passes() -> None:
    made = [stage.name for stage in stages(CHAIN, plan(), ["scalar_dense"])]
    assert [f"scalar RM {name}" in made for name in (1, "doubled", "dense", "base")] == [
        True
    ] * 3 + [False]
    once, twice = (list(NAMED[f"scalar RM {name}"].command) for name in (1, "doubled"))
    place = once.index("--epochs") + 1
    assert float(twice.pop(place)) == 2 * float(once.pop(place))
    assert once[:-1] == twice[:-1]  # but for their folders


def test_the_protocol_names_the_seeds_of_all_data() -> None:
    protocol = Path("docs/decisions/0023-grm-against-a-scalar-rm.md").read_text(encoding="utf-8")
    settings = plan()
    for one in (settings.prompts, settings.scalar.groups, *settings.queries.values()):
        assert f"| `{one.split}`, seed {one.seed} | {one.number:,} |" in protocol


def test_no_recipe_needs_the_tests() -> None:
    for path in HERE.parent.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"^\s*(from|import) tests\b", text, re.MULTILINE), path


def test_an_early_stop_leaves_whole_seeds_of_the_arms_that_claims_hang_on() -> None:
    order = [(arm.name, seed) for arm, seed in plan().runs()]
    most = [arm.name for arm in plan().arms if arm.seeds == 5]
    assert order[: 5 * len(most)] == [(name, seed) for seed in range(1, 6) for name in most]


def test_figures_are_made_again_after_whatever_was_run_more() -> None:
    assert stages(CHAIN, plan(), ["checker"])[-1].anew
    assert [stage.name for stage in MADE if stage.anew] == ["figures"]
