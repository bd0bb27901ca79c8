"""Ranks of a cascade learn from the audits of all of them: there is one threshold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from grm_plugin.plugins import Plugins
from grm_trl import GRMReward
from tests.e2e.trl.test_trl_ranks import run_ranks

GROUPS = 16  # a round; half of them would not do for an alarm
SCALAR = {"classifier": "opposite", "use": "cascade", "audit": 1.0}
SETTINGS = {"engine": {"name": "shown", "reads": True}, "k": 8, "scalar": SCALAR}


def rows(step: int) -> list[tuple[str, str]]:
    """Groups of two, of which the scalar RM is surely wrong."""
    return [(f"{step} {n}", f"answer {points}") for n in range(GROUPS) for points in (2, 9)]


def by_rank(step: int, one: int) -> list[list[tuple[str, str]]]:
    """The rows of two ranks, ``one`` of them on the first."""
    found = rows(step)
    return [found[:one], found[one:]]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory, environment: Mapping[str, str]) -> Any:
    """What each rank logged: of a run, of the same that goes on, and of ranks by themselves."""
    folder = tmp_path_factory.mktemp("cascade")
    settings = {**SETTINGS, "record": str(folder / "verdicts.jsonl")}
    begins = {"settings": settings, "step": 0, "rounds": [by_rank(0, GROUPS), by_rank(1, 10)]}
    goes_on = {"settings": settings, "step": 1, "rounds": [by_rank(2, GROUPS)]}
    alone = {"settings": {**SETTINGS, "groups": "local"}, "step": 0}
    local = {**alone, "rounds": [by_rank(step, GROUPS) for step in range(3)]}
    (folder / "cases.json").write_text(json.dumps([begins, goes_on, local]))
    return run_ranks(2, "rounds", folder, environment)


def sure(told: list[dict[str, float]]) -> list[float]:
    """The threshold in every round."""
    return [pytest.approx(one["sure_threshold"]) for one in told]


def test_audits_of_all_ranks_raise_the_threshold_of_each_before_the_next_round(seen: Any) -> None:
    for begins, _, _ in seen:
        assert sure(begins) == [0.8, 1.0]


def test_a_run_on_one_rank_comes_to_the_same(seen: Any, judge: Plugins) -> None:
    reward = GRMReward(plugins=judge, **SETTINGS)
    for step, (one, other) in enumerate(zip(seen[0][0], seen[1][0], strict=True)):
        asked = [[row[0] for row in rows(step)], [row[1] for row in rows(step)]]
        reward(*asked, trainer_state=SimpleNamespace(global_step=step))
        for name in ("sure_threshold", "audited_rate", "audit_agreement", "reward_mean"):
            assert one[name] == other[name] == reward.metrics[name], name


def test_a_run_that_goes_on_knows_the_audits_of_all_ranks(seen: Any) -> None:
    for _, goes_on, _ in seen:
        assert sure(goes_on) == [1.0]


def test_ranks_that_keep_to_themselves_have_a_threshold_each(seen: Any) -> None:
    """Of 8 audited groups a round, of which one round is too few to tell."""
    for _, _, local in seen:
        assert sure(local) == [0.8, 0.8, 1.0]
