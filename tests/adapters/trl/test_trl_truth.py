"""What is known of completions beside the judge: in records and in the log, and nowhere else."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from grm_plugin.errors import ConfigError, InputError
from grm_plugin.testing import ScriptedEngine
from grm_plugin.types import Group, Verdict
from grm_trl import GRMReward
from grm_trl.truth import numbers
from tests.adapters.trl.test_trl_reward import Trainer

Make = Callable[..., GRMReward]
ROWS = {"prompts": ["p", "p", "q", "q"], "completions": ["x", "yyy", "zz", "zzzz"]}


def lengths(completions: Sequence[str], prompts: Sequence[str], **_: Any) -> list[float]:
    """Knows how good a completion is: as long as it is."""
    return [float(len(one)) for one in completions]


def of_some(completions: Sequence[str], **_: Any) -> list[float | None]:
    return [None if one == "x" else 1.0 for one in completions]


def of_one(**_: Any) -> list[float]:
    return [1.0]


def endless(completions: Sequence[str], **_: Any) -> list[float]:
    return [float("inf")] * len(completions)


def at(check: Callable[..., Any]) -> str:
    return f"{__name__}.{check.__name__}"


def test_it_is_kept_with_the_verdict_and_neither_the_judge_nor_the_trainer_sees_it(
    make: Make, engine: ScriptedEngine, tmp_path: Path
) -> None:
    plain, record = make(), tmp_path / "verdicts.jsonl"
    knowing = make(truth=at(lengths), record=record)
    trainer = Trainer()
    assert trainer.call(knowing, **ROWS) == Trainer().call(plain, **ROWS)
    asked = [request.messages for request in engine.requests]
    assert sorted(map(str, asked[: len(asked) // 2])) == sorted(map(str, asked[len(asked) // 2 :]))
    knowing.close()
    verdicts = [json.loads(line) for line in record.read_text().splitlines()]
    found = {str(one["group"]["metadata"]["ratings"]) for one in verdicts}
    assert found == {"[1.0, 3.0]", "[2.0, 4.0]"}
    assert trainer.numbers["grm/truth_mean"] == 2.5
    assert -1 <= trainer.numbers["grm/truth_correlation"] <= 1


def test_without_it_nothing_is_logged_of_it(make: Make) -> None:
    trainer = Trainer()
    trainer.call(make(), **ROWS)
    assert not [name for name in trainer.numbers if "truth" in name]


def test_a_group_of_which_not_all_is_known_carries_none(make: Make, tmp_path: Path) -> None:
    reward = make(truth=at(of_some), record=tmp_path / "verdicts.jsonl")
    Trainer().call(reward, **ROWS)
    reward.close()
    verdicts = map(json.loads, (tmp_path / "verdicts.jsonl").read_text().splitlines())
    found = sorted(str(one["group"]["metadata"].get("ratings")) for one in verdicts)
    assert found == ["None", "[1.0, 1.0]"]


@pytest.mark.parametrize("name", ["ratings", "best", "correct"])
def test_a_column_that_would_be_read_as_the_truth_is_refused_before_the_run(
    make: Make, name: str
) -> None:
    with pytest.raises(
        ConfigError, match=f"truth: .* metadata: names '{name}'; rename that column"
    ):
        make(truth=at(of_some), columns={"metadata": [name]})
    make(columns={"metadata": [name]})


@pytest.mark.parametrize("ratings", ["high", 5, [1.0, None], [1.0]])
def test_metadata_that_is_no_truth_is_none_in_the_log(ratings: Any) -> None:
    group = Group.of("q", ["a", "b"], metadata={"ratings": ratings})
    assert math.isnan(numbers([Verdict(group, (0.1, 0.9))])["truth_mean"])


@pytest.mark.parametrize(
    "path", ["no_such_module.check", f"{__name__}.missing", f"{__name__}.ROWS"]
)
def test_a_path_that_leads_to_no_function_is_refused_before_the_run(make: Make, path: str) -> None:
    with pytest.raises(ConfigError, match=r"truth: expected the import path of a function such as"):
        make(truth=path)


@pytest.mark.parametrize(
    ("check", "problem"),
    [(of_one, "expected 2 numbers, one per completion"), (endless, "expected finite numbers")],
)
def test_a_check_that_gives_something_else_is_named(
    make: Make, check: Callable[..., Any], problem: str
) -> None:
    with pytest.raises(InputError, match=f"truth: {problem}"):
        Trainer().call(make(truth=at(check)))
