"""What the co-scaling study reads of prompts, groups and verdicts, with the embedded judge."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from grm_plugin import GRM, Group, Verdict
from grm_plugin.errors import RecordError
from grm_plugin.evaluation.truth import Ratings, truth_of
from grm_plugin.reference.policy import true_quality, write_prompts
from grm_plugin.reference.tasks.task import Requirement, Task
from grm_plugin.reference.tasks.task import true_quality as quality_of
from grm_plugin.types import Cost
from recipes.coscaling import openrlhf
from recipes.coscaling.groups import main as write_groups
from recipes.coscaling.openrlhf import rows
from recipes.coscaling.plan import plan
from recipes.coscaling.spending import spent


def test_groups_are_rated_by_the_checker_and_name_no_best(tmp_path: Path) -> None:
    path = tmp_path / "groups.jsonl"
    write_groups("spct", 1, 6, "2,4", path)
    found = [json.loads(line) for line in path.read_text().splitlines()]
    assert [len(row["responses"]) for row in found] == [2, 4] * 3
    for row in found:
        asked = tuple(
            Requirement(one["kind"], tuple(one["words"]), tuple(one["numbers"]))
            for one in row["requirements"]
        )
        task = Task(row["prompt"], asked)
        assert row["ratings"] == [quality_of(task, text) for text in row["responses"]]
        group = Group.of(row["prompt"], row["responses"], metadata={"ratings": row["ratings"]})
        assert isinstance(truth_of(group), Ratings)
        assert "best" not in row


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the verdicts of two rounds, as OpenRLHF's processes leave them."""
    pytest.importorskip("torch")
    folder = tmp_path_factory.mktemp("run")
    prompts = write_prompts(folder, 3, seed=9)
    asked = [json.loads(line)["prompt"] for line in prompts.read_text().splitlines()]
    for process, steps in enumerate(((0, 1), (1,))):
        record = folder / f"verdicts.jsonl.{process}"
        with GRM(engine="reference", k=2, record=record) as grm:
            for prompt, step in zip(asked[2 * process :], steps, strict=False):
                texts = ["sunrise, seaweed", "hooray: milkman; 7"]
                grm.score(Group.of(prompt, texts, metadata={"step": step}))
    return folder


def test_rounds_of_several_processes_become_one_log(run: Path) -> None:
    first, second = rows(run, run / "train.jsonl")
    assert [first["step"], second["step"]] == [plan().updates, 2 * plan().updates]
    assert second["tokens"] > first["tokens"] > 0
    assert second["flops"] > first["flops"] > 2 * 945_920 * first["tokens"] * 0.5
    asked = [json.loads(line) for line in (run / "train.jsonl").read_text().splitlines()]
    texts = ["sunrise, seaweed", "hooray: milkman; 7"]
    known = true_quality(texts, [asked[0]["requirements"]] * 2)
    assert first["true_quality"] == pytest.approx(sum(known) / 2)
    assert 0 <= first["reward"] <= 1
    assert first["follows/count"] == 2
    assert "cpu_seconds" not in first  # of several processes that nobody counted
    if first["grm/truth_correlation"] is not None:  # of two responses it is one of both
        assert abs(first["grm/truth_correlation"]) == pytest.approx(1)
    assert first["follows/x"] == pytest.approx(first["true_quality"])
    assert first["follows/y"] == pytest.approx(first["reward"])


def test_a_verdict_of_which_no_flops_are_known_makes_no_arm_cheap() -> None:
    group, record = Group.of("q", ["a", "b"], id="g7"), Path("run/verdicts.jsonl")
    known = Verdict(group, (0.5, 1.0), cost=Cost(output_tokens=4, flops=3e9))
    assert spent([known, known], record) == {"flops": 6e9, "tokens": 8}
    unknown = Verdict(group, (0.5, 1.0), cost=Cost(output_tokens=4))
    told = r"run/verdicts\.jsonl: group g7: cost\.flops: expected .* got null; set flops_per_token"
    with pytest.raises(RecordError, match=told):
        spent([known, unknown], record)


def test_a_training_that_ended_is_run_again_only_where_its_judge_or_prompts_changed(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[Path] = []
    monkeypatch.setattr(openrlhf, "_train", lambda chosen, out: trained.append(out))
    judge, prompts, out = tmp_path / "judge.yaml", tmp_path / "train.jsonl", tmp_path / "run"
    judge.write_text("k: 2\n")
    shutil.copy(run / "train.jsonl", prompts)
    shutil.copytree(run, out)
    for times, edited in ((1, None), (1, None), (2, judge), (3, prompts), (3, None)):
        if edited:
            edited.write_text(f"{edited.read_text()}\n")
        openrlhf.main(str(judge), prompts, out, seed=1, rounds=2)
        assert len(trained) == times
        assert len((out / "metrics.jsonl").read_text().splitlines()) == 2
