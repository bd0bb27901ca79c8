"""``OutcomeReward`` as TRL calls it: labels from columns, ends from the trainer, what is logged."""

from __future__ import annotations

import pickle
import statistics
from types import SimpleNamespace
from typing import Any

import pytest

from grm_plugin.errors import ConfigError, InputError, TemplateError
from grm_plugin.spct.asking import Asking
from grm_trl import OutcomeReward

EOS, PAD = 2, 0
FORM = "Specific Criteria:\n1. truth (weight 5)\n2. tone (weight 5)\nScores: \\boxed{{{}}}"
RIGHT, WRONG, TIE = FORM.format("8, 5"), FORM.format("5, 8"), FORM.format("8, 8")


class Trainer:
    """What a reward call says of a trainer, and what that logs."""

    eos_token_ids = (EOS,)
    num_generations = 2

    def __init__(self, opening: str = "") -> None:
        self.model = SimpleNamespace(training=True)
        self.processing_class = SimpleNamespace(
            eos_token_id=EOS, pad_token_id=PAD, apply_chat_template=lambda *_, **__: opening
        )
        self.told: dict[str, list[float]] = {}

    @property
    def logged(self) -> dict[str, float]:
        """As TRL averages what one process told."""
        return {name: statistics.fmean(values) for name, values in self.told.items()}

    def log_metric(self, name: str, value: float) -> None:
        self.told.setdefault(name, []).append(value)

    def log_extra(self, column: str, values: list[Any]) -> None: ...

    def call(self, reward: OutcomeReward, texts: list[Any], **columns: Any) -> list[float]:
        n = len(texts)
        given = {
            "prompts": [[{"role": "user", "content": f"q{i // 2}"}] for i in range(n)],
            "completions": texts,
            "completion_ids": [[7, EOS]] * n,
            "label": [0] * n,
            "responses": [2] * n,
            "subset": ["code" if i < 2 else "chat" for i in range(n)],
            **columns,
        }
        log = {"log_extra": self.log_extra, "log_metric": self.log_metric}
        return reward(**given, **log)


@pytest.fixture
def reward() -> OutcomeReward:
    return OutcomeReward(template="grm")


def test_right_is_plus_one_and_wrong_tied_and_unreadable_are_minus_one(
    reward: OutcomeReward,
) -> None:
    found = Trainer().call(reward, [RIGHT, WRONG, TIE, "nothing"])
    assert found == [1.0, -1.0, -1.0, -1.0]


def test_completions_may_be_messages(reward: OutcomeReward) -> None:
    texts = [[{"role": "assistant", "content": text}] for text in (RIGHT, WRONG)]
    assert Trainer().call(reward, texts) == [1.0, -1.0]


def test_a_completion_without_an_end_token_was_cut_and_is_wrong(reward: OutcomeReward) -> None:
    trainer = Trainer()
    found = trainer.call(reward, [RIGHT, RIGHT], completion_ids=[[7, EOS], [7, 8]])
    assert found == [1.0, -1.0]
    assert trainer.logged["outcome/readable"] == 0.5


def test_a_thought_that_the_chat_template_opened_is_no_answer(reward: OutcomeReward) -> None:
    texts = ["\\boxed{5, 8}", f"\\boxed{{5, 8}}</think>{RIGHT}"]
    assert Trainer("assistant: <think>\n").call(reward, texts, label=[1, 0]) == [-1.0, 1.0]


def test_single_responses_are_read_by_their_own_template(reward: OutcomeReward) -> None:
    texts = ["Scores: \\boxed{1}", "Scores: \\boxed{1}"]
    assert Trainer().call(reward, texts, responses=[1, 1], label=[1, 0]) == [1.0, -1.0]


def test_form_ties_criteria_and_collapse_by_subset_are_logged(reward: OutcomeReward) -> None:
    trainer = Trainer()
    trainer.call(reward, [RIGHT, WRONG, TIE, TIE])
    assert trainer.logged == {
        "outcome/readable": 1.0,
        "outcome/ties": 0.5,
        "outcome/margin": 1.5,
        "outcome/criteria": 2.0,
        "outcome/largest_weight": 0.5,
        "outcome/code/reward": 0.0,
        "outcome/code/no_spread": 0.0,
        "outcome/chat/reward": -1.0,
        "outcome/chat/no_spread": 1.0,
    }


def test_the_mean_over_processes_weighs_every_judgment_and_group_alike(
    reward: OutcomeReward,
) -> None:
    few, many = Trainer(), Trainer()
    few.call(reward, [RIGHT, RIGHT], subset=["code"] * 2)
    many.call(reward, [WRONG, WRONG, "nothing", "nothing"], subset=["code"] * 4)

    def mean(name: str) -> float:  # as TRL gathers it: all sums by all counts
        return statistics.fmean(few.told[f"outcome/{name}"] + many.told[f"outcome/{name}"])

    assert mean("code/reward") == pytest.approx((2 - 4) / 6)
    assert mean("readable") == pytest.approx(4 / 6)
    assert mean("margin") == 3


@pytest.mark.parametrize(
    ("columns", "telling"),
    [
        ({"label": None}, "no column 'label'; make its rows with `grm train rl-data`"),
        ({"responses": ["2", "2"]}, "column 'responses': expected whole numbers, got '2'"),
        ({"label": [0]}, "column 'label': expected 2 numbers, got 1"),
        ({"label": [0, 2]}, "expected a place in 0..1, got 2 for 2 responses"),
    ],
)
def test_rows_of_something_else_are_refused(
    reward: OutcomeReward, columns: dict[str, Any], telling: str
) -> None:
    with pytest.raises(InputError, match=telling):
        Trainer().call(reward, [RIGHT, WRONG], **columns)


def test_answers_to_another_template_are_refused(reward: OutcomeReward) -> None:
    digest = Asking.of(reward.config).groups.template.digest
    assert Trainer().call(reward, [RIGHT], template_hash=[digest]) == [1.0]
    with pytest.raises(TemplateError, match=r"template 'grm' is not the one .* make the rows"):
        Trainer().call(reward, [RIGHT], template_hash=["other"])


def test_a_copy_in_another_process_rewards_alike(reward: OutcomeReward) -> None:
    copy = pickle.loads(pickle.dumps(OutcomeReward(template="reference", name="right")))
    assert (copy.__name__, copy.template) == ("right", "reference")
    assert Trainer().call(copy, [RIGHT, WRONG]) == [1.0, -1.0]


def test_the_ready_object_takes_its_template_from_the_judges_settings(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "judge.yaml").write_text("engine: reference\n")
    monkeypatch.setenv("GRM_CONFIG", str(tmp_path / "judge.yaml"))
    import grm_trl

    monkeypatch.delitem(vars(grm_trl), "outcome_reward", raising=False)
    assert grm_trl.outcome_reward.template == "reference"
    monkeypatch.delitem(vars(grm_trl), "outcome_reward")


def test_a_wrong_setting_is_told_when_the_reward_is_made() -> None:
    with pytest.raises(ConfigError, match="tempalte"):
        OutcomeReward(tempalte="grm")
