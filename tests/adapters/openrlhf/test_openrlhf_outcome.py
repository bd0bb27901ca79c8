"""The agent file that trains a judge: the host's own executor, and the rewards of scoring."""

from __future__ import annotations

import json
import statistics
from pathlib import Path
from typing import Any

import pytest

import grm_openrlhf
from grm_openrlhf.outcome import Outcomes
from grm_openrlhf.own_agent import load_executor
from grm_plugin import GRMConfig, prompts
from grm_plugin.errors import InputError, TemplateError
from grm_plugin.spct.asking import Asking
from tests.adapters.openrlhf.conftest import Actor

AGENT = Path(grm_openrlhf.__file__).with_name("outcome_agent.py")
PROMPT = "[Query]\nName some words\n[Response 1]\nsunrise\n[Response 2]\nteapot\n[Judgment]\n"
FORM = "Specific Criteria:\n1. include sunrise (weight 5)\nScores: \\boxed{{{}}}"
RIGHT, WRONG, TIE = FORM.format("8, 5"), FORM.format("5, 8"), FORM.format("8, 8")
TARGET = json.dumps({"label": 0, "responses": 2, "subset": "n2"})


class Characters:
    """A tokenizer whose tokens are characters; 0 is special."""

    def decode(self, token_ids: Any, *, skip_special_tokens: bool) -> str:
        return "".join(chr(one) for one in token_ids if one or not skip_special_tokens)


def rolled_out(text: str, *, label: Any = TARGET, truncated: bool = False) -> dict[str, Any]:
    """What the host's executor returns."""
    before, after = [ord(one) for one in PROMPT], [*map(ord, text), *([] if truncated else [0])]
    return {
        "prompt": PROMPT,
        "label": label,
        "observation_tokens": before + after,
        "action_ranges": [(len(before), len(before) + len(after))],
        "truncated": truncated,
        "extra_logs": {},
    }


def scored(text: str, **more: Any) -> dict[str, Any]:
    outcomes = Outcomes(GRMConfig(template="reference"))
    return outcomes.scored(rolled_out(text, **more), Characters())


async def test_the_hosts_executor_rewards_right_and_wrong_judgments(
    monkeypatch: pytest.MonkeyPatch, tokenizer: Any, tmp_path: Path
) -> None:
    (tmp_path / "judge.yaml").write_text("engine: reference\n")
    monkeypatch.setenv("GRM_CONFIG", str(tmp_path / "judge.yaml"))
    actor = Actor(load_executor(AGENT), tokenizer)
    texts = [RIGHT, WRONG, TIE, "nothing"]
    found = await actor.generate_responses(PROMPT, texts, label=TARGET)
    assert [one["reward"] for one in found] == [1.0, -1.0, -1.0, -1.0]
    assert [one["scores"] for one in found] == [1.0, 0.0, 0.0, 0.0]


def test_every_rollout_logs_the_same_numbers() -> None:
    assert scored(RIGHT)["extra_logs"] == {
        "outcome/readable": 1.0,
        "outcome/truncated": 0.0,
        "outcome/tie": 0.0,
        "outcome/margin_sum": 3.0,
        "outcome/margin_count": 1.0,
        "outcome/criteria_sum": 1.0,
        "outcome/criteria_count": 1.0,
        "outcome/largest_weight_sum": 1.0,
        "outcome/largest_weight_count": 1.0,
    }
    unread = scored("nothing")["extra_logs"]
    assert unread == dict.fromkeys(scored(RIGHT)["extra_logs"], 0.0)


def test_judgments_that_can_not_be_read_do_not_lower_the_means_of_the_others() -> None:
    logs = [scored(text)["extra_logs"] for text in (RIGHT, TIE, "nothing", "nothing")]
    mean = {name: statistics.fmean(one[name] for one in logs) for name in logs[0]}
    assert mean["outcome/margin_sum"] / mean["outcome/margin_count"] == 1.5
    assert mean["outcome/criteria_sum"] / mean["outcome/criteria_count"] == 1


def test_a_judgment_of_another_template_ends_the_run() -> None:
    known = {"label": 0, "responses": 2}
    digest = Asking.of(GRMConfig(template="reference")).groups.template.digest
    assert scored(RIGHT, label=json.dumps({**known, "template_hash": digest}))["reward"] == 1
    with pytest.raises(TemplateError, match=r"template 'reference' is not the one .* 'other'"):
        scored(RIGHT, label=json.dumps({**known, "template_hash": "other"}))


def test_single_responses_may_have_a_template_of_their_own(tmp_path: Path) -> None:
    own = tmp_path / "single.md"
    built_in = Path(prompts.__file__).with_name("grm_single.txt").read_text()
    own.write_text(f"{built_in}\nBe strict.\n")
    digest = prompts.load_template(own).digest
    target = json.dumps({"label": 1, "responses": 1, "template_hash": digest})
    outcomes = Outcomes(GRMConfig(template="reference"), single=str(own))
    found = outcomes.scored(rolled_out("Scores: \\boxed{1}", label=target), Characters())
    assert found["reward"] == 1


def test_a_rollout_that_was_cut_is_wrong() -> None:
    found = scored(RIGHT, truncated=True)
    assert found["reward"] == -1.0
    assert found["extra_logs"]["outcome/truncated"] == 1.0


def test_a_single_response_has_a_label_of_zero_or_one() -> None:
    single = json.dumps({"label": 0, "responses": 1})
    assert scored("Scores: \\boxed{0}", label=single)["reward"] == 1.0
    assert scored("Scores: \\boxed{1}", label=single)["reward"] == -1.0


@pytest.mark.parametrize("label", ["", "0", '{"label": 0}', '{"label": "0", "responses": 2}', None])
def test_a_label_from_elsewhere_ends_the_run_with_what_to_write(label: Any) -> None:
    with pytest.raises(InputError, match=r"--data\.label_key target"):
        scored(RIGHT, label=label)
