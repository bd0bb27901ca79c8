"""What the first pages show happened, and the judgments that they show are right."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from docs.generate import HERE
from grm_plugin.cli.demo import heldout
from grm_plugin.records import read_verdicts
from grm_plugin.reference.judge import MODEL
from grm_plugin.reference.tasks.task import Requirement, Task
from grm_plugin.reference.tasks.truth import is_true
from grm_plugin.types import Verdict

pytest.importorskip("transformers", reason="the embedded judge runs")
ROOT = HERE.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
SHOWN = re.compile(r"^\$ (grm show .* --id .*)\n((?:.*\n)*?)```$", re.M)
GRM = [sys.executable, "-m", "grm_plugin"]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where ``grm demo`` ran, on as many groups as the README shows of."""
    folder = tmp_path_factory.mktemp("demo")
    subprocess.run([*GRM, "demo", "--groups", "2"], cwd=folder, check=True, capture_output=True)
    return folder


def flat(text: str) -> str:
    return " ".join(text.split())


def test_the_verdict_in_the_readme_is_what_grm_show_shows(demo: Path) -> None:
    ((command, shown),) = SHOWN.findall(README)
    printed = subprocess.run(
        [*GRM, *command.split()[1:]], cwd=demo, check=True, capture_output=True, text=True
    )
    told, place = flat(printed.stdout), 0
    for piece in map(flat, shown.split("...")):
        place = told.find(piece, place)
        assert place >= 0, piece


def test_the_judgment_in_the_readme_is_true_in_every_word(demo: Path) -> None:
    _, verdict = read_verdicts(demo / "out/demo/verdicts.jsonl")
    (judgment,) = (one for one in verdict.judgments if one.sample == 3)
    asked = heldout(2, seed=0)[1]
    assert is_true(judgment.text, asked.task, [asked.responses[n] for n in judgment.order])
    assert verdict.rewards is not None
    assert max(verdict.rewards) == verdict.rewards[asked.best or 0]


def test_how_often_the_judge_is_right_is_told_as_its_card_has_it() -> None:
    figures = json.loads((MODEL / "figures.json").read_text())["4"]["sampled"]
    one, eight = re.findall(r"(\d+) % of held-out groups.*?(\d+) %", README, re.S)[0]
    assert (int(one), int(eight)) == (
        round(100 * figures["single"]["value"]),
        int(100 * figures["best_of"]["value"] + 0.5),
    )


def test_the_first_judgment_of_the_tutorial_is_true_in_every_word() -> None:
    verdict = run_tutorial()
    group, judgment = verdict.group, verdict.judgments[0]
    demands = (Requirement("include", ("sunrise",)), Requirement("exclude", ("teapot",)))
    task = Task(group.conversation[-1].content, demands)
    assert is_true(judgment.text, task, [group.responses[n] for n in judgment.order])
    assert verdict.rewards is not None
    assert verdict.rewards[0] > verdict.rewards[1]


def run_tutorial() -> Verdict:
    text = (HERE / "tutorial.md").read_text(encoding="utf-8")
    first = re.findall(r"^```python\n(.*?)^```", text, re.M | re.S)[0]
    names: dict[str, object] = {}
    exec(compile(first, "tutorial.md", "exec"), names)
    verdict = names["verdict"]
    assert isinstance(verdict, Verdict)
    return verdict
