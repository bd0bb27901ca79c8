"""Cards and figures of the family: what was measured, what it was measured on, how it was made."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from grm_plugin.evaluation.statistics import Estimate  # noqa: E402
from grm_plugin.reference.making.card import write_card  # noqa: E402
from grm_plugin.reference.making.curves import save_curves  # noqa: E402
from grm_plugin.reference.making.generation import Completion  # noqa: E402
from grm_plugin.reference.making.measurement import Figures, Form, summarize  # noqa: E402
from grm_plugin.reference.making.network import hidden_states  # noqa: E402
from grm_plugin.reference.making.rendering import (  # noqa: E402
    render_card,
    render_meta_card,
    render_scalar_card,
)
from grm_plugin.reference.making.shipping import (  # noqa: E402
    ship_base,
    ship_judge,
    ship_meta,
    ship_scalar,
    stages_of,
)
from grm_plugin.reference.making.training import TrainingConfig, train  # noqa: E402
from grm_plugin.reference.prompt import META_TEMPLATE  # noqa: E402
from grm_plugin.reference.tasks.data import TaskGroup  # noqa: E402
from grm_plugin.reference.tasks.task import Requirement, Task  # noqa: E402
from grm_plugin.reference.tokenizer import save_tokenizer  # noqa: E402

REPORT = {"steps": 12, "groups": 3456, "seconds": 7.2, "loss": 0.1234, "parameters": 945_000}
STAGES = [{"name": "rl", "command": "python recipes/spct/grpo.py", "seconds": 1234.5}]
HALF = Estimate(0.5, 0.45, 0.55)
FORM = Form(2.5, 6.0, 0.25, flipped=0.08, miscounted=0.06, miscopied=0.01)
FIGURES = {
    4: dict.fromkeys(("greedy", "sampled"), Figures(HALF, HALF, 0.98, 0.3, {"count": 0.9}, FORM))
}
AREA = {"value": 0.7, "low": 0.65, "high": 0.75}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training of a few steps, with its log."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("base")
    config = TrainingConfig(
        folder, steps=8, tokens=600, layers=1, width=32, feed_forward=32, report_every=4, probes=4
    )
    with pytest.MonkeyPatch.context() as patch:
        # The compiled graph takes longer to build than this training takes to run.
        patch.setattr("grm_plugin.reference.making.network._compiled", hidden_states)
        train(config)
    return folder


def training(**more: Any) -> dict[str, Any]:
    return {"config": asdict(TrainingConfig(Path())), "report": REPORT, **more}


def test_the_card_says_what_was_measured() -> None:
    card = render_card(training(), FIGURES, groups={4: 300}, samples=8)
    half = "50.0 (45.0 to 55.0)"
    assert f"| 4 | 300 | 25.0 | {half} | {half} | {half} | 98.0 | 30.0 |" in card
    assert "| 4 | 2.50 | 6.00 | 0.25 | 8.0 % | 6.0 % | 1.0 % |" in card
    assert "3,456 groups" in card
    assert "count 90" in card
    assert "100 `spct`, 82 `heldout`" in card
    assert "In 40 % of the judgments it is careless: it flips 20 % of the verdicts" in card
    assert "$" not in card


def test_only_a_judge_after_spct_tells_its_stages() -> None:
    base = render_card(training(), FIGURES, groups={4: 300}, samples=8)
    final = render_card(training(stages=STAGES), FIGURES, groups={4: 300}, samples=8)
    assert "This is the base model" in base
    assert "grpo.py" not in base
    assert "This is the judge after SPCT" in final
    assert "| rl | `python recipes/spct/grpo.py` | 1,234 |" in final


def test_figures_count_ties_and_what_a_reader_can_see() -> None:
    demands = (Requirement("unique"), Requirement("include", words=("teapot",)))
    task = Task("", demands, ("opener/0", "unique/1", "include/2"))
    group = TaskGroup(task, ("teapot", "sunset"), (1.0, 0.5))
    text = (
        "Specific Criteria:\n1. include teapot (weight 10)\nAnalysis:\n"
        "Response 1 of 2: teapot1. teapot found, ok. Score 10.\n"
        "Response 2 of 2: sunset1. teapot absent, ok. Score 10.\n"
        "Scores: \\boxed{10, 10}"
    )
    told = summarize([group], [[Completion(text, True), Completion("", True)]])
    assert (told.readable, told.ties, told.single.value) == (0.5, 1.0, 0.25)
    assert (told.form.criteria, told.form.largest_weight) == (0.5, 5.0)
    assert (told.form.flipped, told.form.miscounted, told.form.miscopied) == (0.5, 0.0, 0.0)


def test_a_training_is_shipped_with_card_and_curves(trained: Path, tmp_path: Path) -> None:
    ship_base(trained, tmp_path / "base")
    write_card(tmp_path / "base", groups={4: 4}, samples=2)
    transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "base")
    assert "This is the base model" in (tmp_path / "base" / "README.md").read_text()
    assert (tmp_path / "base" / "curves.png").read_bytes().startswith(b"\x89PNG")
    figures = json.loads((tmp_path / "base" / "figures.json").read_text())
    assert figures["groups"] == {"4": 4}


def test_a_judge_is_shipped_with_the_commands_that_made_it(trained: Path, tmp_path: Path) -> None:
    journal = tmp_path / "out" / "journal.json"
    journal.parent.mkdir()
    base, rows = tmp_path / "base", tmp_path / "out" / "rl.jsonl"
    command = ["/usr/bin/python3", "grpo.py", "--model", str(base), "--data", str(rows)]
    journal.write_text(json.dumps({"rl 2": {"command": command, "seconds": 5.0}}))
    stages = stages_of(journal, ["rl"], 2, base)
    told = "python grpo.py --model OUT/base --data OUT/rl.jsonl"
    assert stages == [{"name": "rl", "command": told, "seconds": 5.0}]
    ship_judge(trained, trained, stages, tmp_path / "model", note="On one core.")
    made = json.loads((tmp_path / "model" / "training.json").read_text())
    assert made["note"] == "On one core."
    assert made["stages"] == stages
    assert made["config"]["seed"] == 20


def test_a_meta_rm_is_shipped_with_its_template_and_card(trained: Path, tmp_path: Path) -> None:
    folder = tmp_path / "trained"
    made = transformers.AutoModelForSequenceClassification.from_pretrained(trained, num_labels=1)
    made.save_pretrained(folder)
    save_tokenizer(folder)
    names = ("label", "margin", "gain", "same_margin", "in_group", "in_group_same_margin")
    found = {**dict.fromkeys(names, AREA), "judgments": 1000, "groups": 90, "right": 0.5}
    found["held_out_by"] = "source"
    report = {"training": {"folder": "/home/somebody", "steps": 9}, "validation": found}
    (folder / "report.json").write_text(json.dumps(report))
    (folder / "calibration.png").write_bytes(b"")
    (folder / "meta_template.txt").write_text(META_TEMPLATE.read_text())
    ship_meta(folder, STAGES, tmp_path / "meta", note="On one core.")
    card = (tmp_path / "meta" / "README.md").read_text()
    assert card == render_meta_card(
        {"stages": STAGES, "note": "On one core."}, {"validation": found}
    )
    assert "| judgments of the same N and margin | 0.700 (0.650 to 0.750) |" in card
    assert "none of the same source" in card and "clustered by\nsource" in card
    assert "$" not in card
    told = json.loads((tmp_path / "meta" / "report.json").read_text())
    assert told == {"training": {"steps": 9}, "validation": found}
    transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path / "meta")
    assert (tmp_path / "meta" / "meta_template.txt").exists()


def test_curves_draw_looks_that_had_nothing_to_read_yet(tmp_path: Path) -> None:
    seen = {"single": {"value": 0.0}, "readable": 0.0, "agreement": {}}
    save_curves(
        tmp_path / "c.png", [{"steps": 4, "loss": 2.0, "best of 2": seen, "best of 4": seen}]
    )
    assert (tmp_path / "c.png").stat().st_size > 1000


def test_a_scalar_rm_is_shipped_with_its_template_its_scaling_and_card(
    trained: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "trained"
    made = transformers.AutoModelForSequenceClassification.from_pretrained(trained, num_labels=1)
    made.save_pretrained(folder)
    save_tokenizer(folder)
    accuracy = {"value": 0.9, "low": 0.89, "high": 0.91}
    found = {"groups": 90, "pairs": 400, "accuracy": accuracy}
    training = {"steps": 9, "learning_rate": 0.0015, "groups": 1800, "pairs": 8000}
    mine = {"folder": "/home/somebody", "base": "/home/somebody/base"}
    report = {"training": mine | training, "validation": found}
    (folder / "report.json").write_text(json.dumps(report))
    scaling = {"center": -0.5, "spread": 1.5, "pairs": 400}
    (folder / "scalar.json").write_text(json.dumps(scaling | {"base": "/home/somebody/base"}))
    (folder / "calibration.png").write_bytes(b"")
    (folder / "meta_template.txt").write_text("{{conversation}}{{responses}}")
    ship_scalar(folder, STAGES, tmp_path / "scalar", note="On one GPU.")
    card = (tmp_path / "scalar" / "README.md").read_text()
    assert card == render_scalar_card(
        {"stages": STAGES, "note": "On one GPU."}, {"training": training, "validation": found}
    )
    assert "Of 400 held-out pairs in 90 groups" in card and "90.0 (89.0 to 91.0) %" in card
    assert "$" not in card
    assert json.loads((tmp_path / "scalar" / "scalar.json").read_text()) == scaling
    assert "somebody" not in "".join(
        path.read_text() for path in (tmp_path / "scalar").glob("*.json")
    )


def test_stages_with_and_without_a_seed_are_told_of_one_journal(tmp_path: Path) -> None:
    entries = {
        name: {"command": ["/env/bin/python", "-m", name.split()[0], str(tmp_path)], "seconds": 2.0}
        for name in ("groups", "scalar 3")
    }
    (tmp_path / "journal.json").write_text(json.dumps(entries))
    told = stages_of(tmp_path / "journal.json", ("groups", "scalar"), 3, tmp_path / "base")
    assert [one["command"] for one in told] == ["python -m groups OUT", "python -m scalar OUT"]
