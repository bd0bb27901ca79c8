"""The larger pair is the study by another plan, with models of another size."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import yaml

from recipes.coscaling.chain import Chain
from recipes.coscaling.plan import HERE, plan
from recipes.coscaling.study import stages

BY = HERE / "larger.yaml"
CHAIN = Chain(Path("out/larger"), Path("judge"), Path("judge"), policy=Path("policy"), plan=BY)
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
        assert command[command.index("--config") + 1] == str(HERE / "grpo_larger.yaml")
        assert "engine.model=judge" in NAMED[f"grm_k8 {seed}"].command
        assert str(BY) in NAMED[f"truth grm_k8 {seed}"].command
    assert str(BY) in NAMED["figures"].command
    usual = stages(replace(CHAIN, plan=HERE / "study.yaml"), plan())
    assert not any("--plan" in stage.command for stage in usual)


def test_policies_learn_as_in_the_study_but_for_the_rate_and_the_gpu() -> None:
    usual, larger = (
        yaml.safe_load((HERE / name).read_text()) for name in ("grpo.yaml", "grpo_larger.yaml")
    )
    assert usual.pop("use_cpu") is True
    assert usual | {"learning_rate": 3e-4} == larger


def test_no_data_is_shared_with_the_study() -> None:
    usual, larger = plan(), plan(BY)
    assert larger.prompts.seed != usual.prompts.seed
    for name, queries in larger.queries.items():
        assert queries.seed != usual.queries[name].seed
    protocol = Path("docs/decisions/0024-a-larger-pair.md").read_text(encoding="utf-8")
    assert "recipes/coscaling/larger.yaml" in protocol
