"""The larger pair is the study by another plan, with models of another size."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import yaml

from recipes.coscaling.chain import Chain
from recipes.coscaling.plan import HERE, plan
from recipes.coscaling.study import stages
from recipes.stages import Stage

BY = HERE / "larger.yaml"
CHAIN = Chain(Path("out/larger"), Path("judge"), Path("judge"), policy=Path("policy"), plan=BY)
USUAL = replace(CHAIN, policy=None, plan=HERE / "study.yaml")
NAMED = {stage.name: stage for stage in stages(CHAIN, plan(BY))}


def test_it_is_a_pair_of_arms_with_one_scalar_rm_in_turn_by_seed() -> None:
    runs = [(arm, seed) for seed in (1, 2, 3) for arm in ("grm_k8", "scalar_kl")]
    asked = ["scalar RM 1" if arm == "scalar_kl" and seed == 1 else "" for arm, seed in runs]
    each = [
        name
        for (arm, seed), rm in zip(runs, asked, strict=True)
        for name in (rm, f"{arm} {seed}", f"truth {arm} {seed}")
        if name
    ]
    assert [*NAMED] == ["prompts", "groups", *each, "figures"]


def test_every_command_is_told_of_the_plan_and_the_models() -> None:
    for seed in (1, 2, 3):
        command = NAMED[f"scalar_kl {seed}"].command
        assert command[command.index("--model_name_or_path") + 1] == "policy"
        assert command[command.index("--config") + 1] == str(HERE / "grpo.yaml")
        assert "engine.model=judge" in NAMED[f"grm_k8 {seed}"].command
        assert str(BY) in NAMED[f"truth grm_k8 {seed}"].command
    assert str(BY) in NAMED["figures"].command
    assert not any("--plan" in stage.command for stage in stages(USUAL, plan()))


def options(stage: Stage) -> dict[str, str]:
    """The options of the trainer, without what names files and models."""
    words = stage.command[3 : stage.command.index("--set")]
    named = {"--judge", "--data", "--output_dir", "--model_name_or_path"}
    pairs = zip(words[::2], words[1::2], strict=True)
    return {name: value for name, value in pairs if name not in named}


def test_policies_learn_as_in_the_study_but_for_the_rate_and_the_gpu() -> None:
    usual = {stage.name: stage for stage in stages(USUAL, plan())}
    theirs, ours = options(usual["grm_k8 1"]), options(NAMED["grm_k8 1"])
    assert theirs["--config"] == str(HERE / "grpo.yaml")
    assert yaml.safe_load((HERE / "grpo.yaml").read_text())["use_cpu"] is True
    assert ours == theirs | {"--use_cpu": "False", "--learning_rate": "0.0003"}


def test_no_data_is_shared_with_the_study() -> None:
    usual, larger = plan(), plan(BY)
    assert larger.prompts.seed != usual.prompts.seed
    for name, queries in larger.queries.items():
        assert queries.seed != usual.queries[name].seed
    protocol = Path("docs/decisions/0024-a-larger-pair.md").read_text(encoding="utf-8")
    assert "recipes/coscaling/larger.yaml" in protocol
