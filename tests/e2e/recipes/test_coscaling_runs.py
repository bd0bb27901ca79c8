"""Short runs of the co-scaling study with TRL's own trainer, and what is told of them."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("trl")

from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification  # noqa: E402
from trl import GRPOConfig, ModelConfig, TrlParser  # noqa: E402

from grm_plugin.errors import ConfigError, EngineError  # noqa: E402
from grm_plugin.records import read_verdicts  # noqa: E402
from grm_plugin.reference.judge import BASE  # noqa: E402
from grm_plugin.reference.policy import POLICY_MODEL, write_prompts  # noqa: E402
from grm_plugin.reference.tasks.rm_data import rm_rows  # noqa: E402
from recipes.coscaling import measure, policy  # noqa: E402
from recipes.coscaling.dense import main as train_dense  # noqa: E402
from recipes.coscaling.figures.runs import Run, read_run  # noqa: E402
from recipes.coscaling.plan import HERE, kept_folder, kept_steps, plan  # noqa: E402

ARMS = ("checker", "grm_k8", "scalar", "scalar_ensemble", "scalar_k4", "cascade", "refreshed")
RESPONSES = 8  # of a round: 2 prompts x 4


@pytest.fixture(scope="module")
def prompts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_prompts(tmp_path_factory.mktemp("prompts"), 16, seed=3)


@pytest.fixture(scope="module")
def scalars(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three scalar RMs with heads of chance, each as `grm train scalar` leaves one."""
    made = []
    for seed in (1, 2, 3):
        folder = tmp_path_factory.mktemp(f"scalar{seed}")
        torch.manual_seed(seed)
        model = AutoModelForSequenceClassification.from_pretrained(BASE, num_labels=1)
        model.save_pretrained(folder)
        for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
            shutil.copy(BASE / name, folder)
        (folder / "scalar.json").write_text(json.dumps({"center": 0.0, "spread": 1.0}))
        made.append(folder)
    return made


def trained(arm: str, prompts: Path, folder: Path, *more: str, rounds: int = 1) -> Path:
    """The output folder of a short run."""
    judge = arm if arm == "checker" else f"{HERE}/arms/{arm}.yaml"
    options = {
        "--config": f"{HERE}/grpo.yaml",
        "--judge": judge,
        "--data": prompts,
        "--output_dir": folder,
        "--max_steps": 2 * rounds,
        "--per_device_train_batch_size": RESPONSES // 2,
        "--steps_per_generation": 2,
        "--keep_steps": 2,
        "--save_steps": 2,
    }
    flat = [str(text) for option in options.items() for text in option]
    kinds = (policy.Arm, GRPOConfig, ModelConfig)
    policy.main(*TrlParser(kinds).parse_args_and_config([*flat, *more]))
    return folder


def measured(run: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """What is read of a run, its policies measured on a few queries."""
    few = {name: one.model_copy(update={"number": 4}) for name, one in plan().queries.items()}
    small = plan().model_copy(update={"queries": few})
    monkeypatch.setattr(measure, "plan", lambda _: small)
    truth = run.with_name(f"{run.name}.json")
    measure.main(run, truth)
    return read_run(run, truth, edge=1, responses=RESPONSES)


def models(arm: str, scalars: Sequence[Path]) -> list[str]:
    """The options by which an arm finds its models."""
    if arm == "checker":
        return []
    if arm == "scalar_ensemble":
        return ["--set", f"scalar.classifier.models=[{', '.join(map(str, scalars))}]"]
    alone = [] if arm == "scalar" else [f"engine.model={BASE}"]
    if arm == "refreshed":
        return ["--refresh", str(scalars[0]), "--set", *alone, "scalar.audit=1.0"]
    needs = [f"scalar.classifier.model={scalars[0]}"] if arm in _WITH_SCALAR else []
    return ["--set", *alone, *needs]


_WITH_SCALAR = ("scalar", "scalar_k4", "cascade")


@pytest.mark.parametrize("arm", ARMS)
def test_an_arm_trains_a_policy_and_is_told_of(
    arm: str, prompts: Path, scalars: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = trained(arm, prompts, tmp_path / arm / "1", *models(arm, scalars))
    found = measured(run, monkeypatch)
    assert (found.arm, found.seed, found.steps_P) == (arm, 1, [0, 2])
    assert all(0 <= one <= 1 for one in (*found.heldout_P, *found.tune_P, *found.truth_R))
    assert found.spent_P["seconds"][-1] > 0
    assert all(spread > 0 for spread in found.deviations)
    assert math.isfinite(found.slope) and (found.slope == 1) == (arm == "checker")
    assert (found.spent_P["flops"][-1] > 0) == (arm != "checker")
    assert (found.spent_P["tokens"][-1] > 0) == (
        arm not in {"checker", "scalar", "scalar_ensemble"}
    )


def test_an_ensemble_reads_as_many_tokens_as_its_members_together(
    prompts: Path, scalars: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spent = [
        measured(trained(arm, prompts, tmp_path / arm / "1", *models(arm, scalars)), monkeypatch)
        .spent_P["flops"][-1]
        for arm in ("scalar", "scalar_ensemble")
    ]  # fmt: skip
    assert spent[1] == pytest.approx(3 * spent[0])


def test_a_control_judge_is_no_part_of_what_rewards_cost(
    prompts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = ["--set", f"engine.model={BASE}", "watch.control.share=1.0"]
    spent = []
    for arm, settings in (("grm_k8", more), ("unwatched_k8", more[:2])):
        run = trained(arm, prompts, tmp_path / arm / "1", *settings)
        spent.append(measured(run, monkeypatch).spent_P)
    assert spent[0]["flops"][-1] == spent[1]["flops"][-1]
    assert spent[0]["tokens"][-1] == spent[1]["tokens"][-1]


def test_a_run_that_was_stopped_goes_on_and_ends_as_one_that_was_not(
    prompts: Path, tmp_path: Path
) -> None:
    whole = trained("checker", prompts, tmp_path / "whole", rounds=3)
    halves = trained("checker", prompts, tmp_path / "halves", rounds=2)
    trained("checker", prompts, halves, rounds=3)
    assert kept_steps(halves) == kept_steps(whole) == [0, 2, 4, 6]
    last = [AutoModelForCausalLM.from_pretrained(kept_folder(run, 6)) for run in (whole, halves)]
    for one, other in zip(*(model.parameters() for model in last), strict=True):
        torch.testing.assert_close(one, other)
    rows = [json.loads(line) for line in (halves / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows if "loss" in row] == [1, 2, 3, 4, 5, 6]
    assert all(row["cpu_seconds"] > 0 for row in rows if "loss" in row)


def test_a_run_with_a_judge_goes_on_with_its_record_and_its_costs(
    prompts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "growing" / "1"
    for rounds in (1, 2):
        trained("growing", prompts, run, *models("growing", ()), rounds=rounds)
    found = measured(run, monkeypatch)
    assert found.steps_P == [0, 2, 4]
    assert 0 < found.spent_P["flops"][1] < found.spent_P["flops"][2]
    verdicts = list(read_verdicts(run / "verdicts.jsonl"))
    assert len(verdicts) == 2 * RESPONSES // 4
    assert sum(one.cost.flops or 0 for one in verdicts) == found.spent_P["flops"][2]


def test_a_refresh_that_can_not_begin_ends_the_run(
    prompts: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    nowhere = ["--refresh", str(tmp_path / "nowhere"), "--set", f"engine.model={BASE}"]
    with pytest.raises(EngineError, match="refresh of the scalar RM ended"):
        trained("refreshed", prompts, tmp_path / "run", *nowhere)
    assert "nowhere" in capfd.readouterr().err


def test_a_run_does_not_go_on_with_another_reward(
    prompts: Path, scalars: list[Path], tmp_path: Path
) -> None:
    run = trained("scalar", prompts, tmp_path, *models("scalar", scalars))
    with pytest.raises(ConfigError, match="another run"):
        trained("scalar", prompts, run, *models("scalar", scalars[1:]), rounds=2)


def test_weights_are_averaged_over_the_last_kept_steps_and_never_with_the_first(
    prompts: Path, tmp_path: Path
) -> None:
    run = trained("checker", prompts, tmp_path, rounds=3)
    name = "model.embed_tokens.weight"
    kept = {
        step: AutoModelForCausalLM.from_pretrained(kept_folder(run, step)).state_dict()[name]
        for step in (0, 2, 4, 6)
    }
    found = {step: model.state_dict()[name].clone() for step, model in measure.policies(run, 2)}
    torch.testing.assert_close(found[0], kept[0])
    torch.testing.assert_close(found[2], kept[2])
    torch.testing.assert_close(found[6], (kept[4] + kept[6]) / 2)


def test_policies_start_from_the_shipped_one(prompts: Path, tmp_path: Path) -> None:
    run = trained("checker", prompts, tmp_path)
    ours, theirs = (
        AutoModelForCausalLM.from_pretrained(folder).state_dict()
        for folder in (kept_folder(run, 0), POLICY_MODEL)
    )
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_a_folder_without_weights_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="found none"):
        list(measure.policies(tmp_path, 3))


def test_dense_supervision_leaves_a_trunk_that_a_scalar_rm_starts_from(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    groups = tmp_path / "groups.jsonl"
    rows = rm_rows(12, seed=5, split="spct", responses=(2, 4))
    groups.write_text("".join(json.dumps(row) + "\n" for row in rows))
    train_dense(groups, BASE, tmp_path / "trunk", 3.0, 5e-4, 1)
    before, after = (
        AutoModelForCausalLM.from_pretrained(folder).state_dict()
        for folder in (BASE, tmp_path / "trunk")
    )
    assert before.keys() == after.keys()
    assert not torch.equal(before["model.norm.weight"], after["model.norm.weight"])
    made = AutoModelForSequenceClassification.from_pretrained(tmp_path / "trunk", num_labels=1)
    assert made.config.num_labels == 1
    assert "nats a head" in capsys.readouterr().err
