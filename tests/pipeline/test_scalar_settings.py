"""Settings of a scalar RM that do not fit, and what it may cost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from grm_plugin import GRM
from grm_plugin.errors import (
    BudgetError,
    ConfigError,
)
from grm_plugin.testing import scripted
from tests.core.honest_judge import honest
from tests.pipeline.scalar_rm import SURE, grm, group


@pytest.mark.parametrize(
    ("scalar", "settings", "telling"),
    [
        ({"use": "cascade", "audit": 0}, {}, "audit: expected a share above 0"),
        ({"weight": -1}, {}, "scalar.weight: expected at least 0, got -1"),
        ({"weight": 0}, {}, "which is no vote"),
        ({"sure": 0.4}, {}, "scalar.sure: expected at least 0.5"),
        ({"judge_accuracy": 0.5}, {}, "scalar.judge_accuracy: expected more than 0.5"),
        ({"spread": 0}, {}, "scalar.spread: expected more than 0"),
        ({"raw": True}, {}, "expected it with use: alone only"),
        ({"use": "alone"}, {"engine": "scripted"}, "so engine would do nothing"),
        ({"use": "alone"}, {"select": {"name": "meta_rm", "k_meta": 2}}, "so select would do"),
        ({}, {"stop": "advantage"}, "stop: advantage does not reckon"),
        ({"use": "cascade"}, {"vote": "sum"}, "expected vote: mean, median"),
        ({"classifier": None}, {}, "scalar: classifier: required, and not given"),
        ({"classifier": "nobody"}, {}, "unknown classifier 'nobody'"),
        ({"odd": 1}, {}, "unknown key 'scalar.odd'"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_starts(
    scalar: dict[str, Any], settings: dict[str, Any], telling: str
) -> None:
    with pytest.raises(ConfigError, match=telling):
        grm(scalar, **settings)


def test_no_engine_is_for_a_scalar_rm_alone() -> None:
    with pytest.raises(ConfigError, match="engine: none is for a scalar RM alone"):
        GRM(engine="none")


def test_a_size_for_a_meta_rm_is_refused_alone() -> None:
    from grm_plugin import Size

    with (
        grm({"use": "alone"}) as judge,
        pytest.raises(ConfigError, match="k_meta: expected none"),
    ):
        judge.score(SURE, size=Size(k=4, k_meta=2))


def test_prices_and_a_budget_in_money_hold_for_the_scalar_rm() -> None:
    priced = {"use": "alone", "prices": {"prompt": 1_000_000}}
    with grm(priced) as judge:
        assert judge.score(SURE).cost.money == pytest.approx(14.0)
    groups = [group((2, -3), (9, 3), prompt=f"q{n}") for n in range(40)]
    with (
        grm({"use": "alone", "prices": {"prompt": 10_000}}, budget={"money": 5}) as judge,
        pytest.raises(BudgetError) as ended,
    ):
        judge.score_batch(groups)
    spent = sum(one.cost.money for one in ended.value.verdicts)
    assert 0 < len(ended.value.verdicts) < 40 and spent <= 5


def test_a_budget_holds_for_a_scalar_rm_that_is_asked_in_a_replay(tmp_path: Path) -> None:
    path = tmp_path / "verdicts.jsonl"
    groups = [group((2, -3), (9, 3), prompt=f"q{n}") for n in range(20)]
    with GRM(plugins=scripted(honest), engine="scripted", k=1, record=path) as judge:
        judge.score_batch(groups)
    priced = {"use": "vote", "prices": {"prompt": 10_000}}
    more = {"engine": {"name": "replay", "path": str(path)}, "budget": {"money": 5}}
    more["prices"] = {"prompt": 0, "output": 0}
    with grm(priced, **more) as judge, pytest.raises(BudgetError) as ended:
        judge.score_batch(groups)
    assert 0 < len(ended.value.verdicts) < 20
    assert sum(one.cost.money for one in ended.value.verdicts) <= 5
