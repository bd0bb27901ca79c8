"""A budget ends training as a dead judge does, and what was judged is on record."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from grm_plugin.engine import Draw
from grm_plugin.errors import BudgetError, JudgeDeadError
from grm_plugin.records import read_verdicts
from grm_plugin.testing import scripted
from grm_trl import GRMReward

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


def test_a_resumed_run_counts_what_it_spent_before_and_a_new_one_does_not(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def made(record: str) -> GRMReward:
        judge = scripted([Draw(r"\boxed{9, 3}", "stop", 9_000, 20)])
        where = tmp_path / record
        return GRMReward(plugins=judge, budget={"tokens": 18_500}, record=where, **JUDGE)

    new, later = SimpleNamespace(global_step=0), SimpleNamespace(global_step=1)
    for state in (new, later):
        reward = made("a")
        assert None not in reward(**TWO, trainer_state=state)
        reward.close()
    with pytest.raises(BudgetError, match="18,040 tokens of 18,500 tokens is spent"):
        made("a")(**TWO, trainer_state=later)
    assert None not in made("a")(**TWO, trainer_state=new)
    assert not caplog.text
    assert None not in made("b")(**TWO, trainer_state=later)
    assert "nothing of the steps before 1 is on record" in caplog.text
