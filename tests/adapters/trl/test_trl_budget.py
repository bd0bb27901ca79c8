"""A budget ends training as a dead judge does, and what was judged is on record."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from grm_plugin.engine import Draw
from grm_plugin.errors import BudgetError, JudgeDeadError
from grm_plugin.records import read_verdicts
from grm_plugin.testing import scripted
from grm_trl import GRMReward, budgets

JUDGE = {"engine": "scripted", "k": 1, "max_tokens": 20, "prices": {"prompt": 2, "output": 8}}


def test_the_call_that_the_budget_can_not_pay_for_ends_training_and_money_is_logged(
    tmp_path: Path,
) -> None:
    judge, record = scripted([Draw(r"\boxed{9, 3}", "stop", 400, 20)]), tmp_path / "r.jsonl"
    reward = GRMReward(plugins=judge, budget={"money": 0.0125}, record=record, **JUDGE)
    logged: dict[str, float] = {}
    call = {
        "prompts": ["a", "a", "b", "b"],
        "completions": ["1", "2", "3", "4"],
        "log_metric": logged.__setitem__,
    }
    with pytest.raises(BudgetError, match=r"budget\.money: \$0\.0\d+ of \$0\.01\d* is spent"):
        for _ in range(20):
            assert None not in reward(**call)
    reward.close()
    assert issubclass(BudgetError, JudgeDeadError)
    assert logged["grm/money"] == pytest.approx(2 * 0.00096)
    assert logged["grm/unpriced_rate"] == 0
    verdicts = list(read_verdicts(record))
    assert len(verdicts) > 4
    assert sum(one.cost.money or 0.0 for one in verdicts) <= 0.0125


TWO = {"prompts": ["a", "a"], "completions": ["1", "2"]}


def made(record: Path, tokens: int = 18_500) -> GRMReward:
    judge = scripted([Draw(r"\boxed{9, 3}", "stop", 9_000, 20)])
    return GRMReward(plugins=judge, budget={"tokens": tokens}, record=record, **JUDGE)


def at(step: int) -> SimpleNamespace:
    return SimpleNamespace(global_step=step)


def test_a_resumed_run_counts_what_it_spent_before(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for step in (0, 1):
        reward = made(tmp_path / "a")
        assert None not in reward(**TWO, trainer_state=at(step))
        reward.close()
    with pytest.raises(BudgetError, match="18,040 tokens of 18,500 tokens is spent"):
        made(tmp_path / "a")(**TWO, trainer_state=at(1))
    assert not caplog.text
    assert None not in made(tmp_path / "b")(**TWO, trainer_state=at(1))
    assert "nothing of the steps before 1 is on record" in caplog.text


def test_a_run_that_was_killed_before_its_first_checkpoint_has_spent_what_is_on_record(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        reward = made(tmp_path / "a")
        assert None not in reward(**TWO, trainer_state=at(0))
        reward.close()
    assert "another run needs a record of its own" in caplog.text
    with pytest.raises(BudgetError, match="18,040 tokens of 18,500 tokens is spent"):
        made(tmp_path / "a")(**TWO, trainer_state=at(0))


@pytest.mark.parametrize(("world", "told"), [(1, "18,040"), (2, "9,020")])
def test_a_run_that_goes_on_with_other_ranks_has_spent_what_all_of_them_did(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, world: int, told: str
) -> None:
    for rank in range(2):
        reward = made(tmp_path / f"a.rank{rank}")
        assert None not in reward(**TWO, trainer_state=at(0))
        reward.close()
    monkeypatch.setattr(budgets, "here", lambda: (0, world))
    judge = made(tmp_path / "c", tokens=18_100)._grm
    budgets.spend_earlier(judge, tmp_path / "a", {"trainer_state": at(1)})
    assert f"{judge._keeper.budget.spent.tokens:,}" == told
