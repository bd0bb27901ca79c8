"""Scalar scores on record: replays, other settings, other k."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from grm_plugin import GRM, Group
from grm_plugin.errors import (
    RecordError,
)
from grm_plugin.evaluation.accuracy import settled_at
from grm_plugin.evaluation.resettling import Ballot, rule_on_record
from grm_plugin.records import from_record, read_verdicts, to_record
from grm_plugin.testing import scripted
from grm_plugin.types.scalars import sigmoid
from tests.core.honest_judge import honest, noisy
from tests.pipeline.scalar_rm import SURE, UNSURE, ScalarRM, grm, group, parts


def recorded(path: Path, scalar: dict[str, Any], asked: list[Group], **settings: Any) -> list[Any]:
    with grm(scalar, noisy, record=path, **settings) as judge:
        return judge.score_batch(asked)


ASKED = [group((2, -n / 3), (9, n / 3), (5, 0.0), prompt=f"q{n}") for n in range(12)]


@pytest.mark.parametrize(
    "scalar",
    [
        {"use": "vote", "weight": 3},
        {"use": "cascade", "audit": 0.5},
        {"use": "cascade", "weight": 2, "sure": 0.7},
        {"use": "alone"},
    ],
)
def test_a_replay_comes_to_the_same_rewards_without_a_scalar_model(
    tmp_path: Path, scalar: dict[str, Any]
) -> None:
    path = tmp_path / "verdicts.jsonl"
    before = recorded(path, scalar, ASKED, k=4)
    replay = {"name": "replay", "path": str(path)}
    with GRM(engine=replay, scalar=scalar, k=4) as judge:
        after = judge.score_batch(ASKED)
    assert [one.rewards for one in after] == [one.rewards for one in before]
    assert [one.scalar for one in after] == [one.scalar for one in before]


def test_the_settings_of_a_replay_may_weigh_and_scale_anew(tmp_path: Path) -> None:
    path = tmp_path / "verdicts.jsonl"
    recorded(path, {"weight": 3}, ASKED, k=4)
    replay = {"name": "replay", "path": str(path)}
    for scalar in ({"weight": 1, "spread": 0.5}, {"use": "cascade", "sure": 0.75, "audit": 1e-9}):
        expected = recorded(tmp_path / "again.jsonl", scalar, ASKED, k=4)
        with GRM(engine=replay, scalar=scalar, k=4) as judge:
            found = judge.score_batch(ASKED)
        assert [one.rewards for one in found] == [one.rewards for one in expected]
        (tmp_path / "again.jsonl").unlink()


def test_a_replay_of_a_cascade_decides_anew_what_another_scaling_makes_unsure(
    tmp_path: Path,
) -> None:
    path = tmp_path / "verdicts.jsonl"
    recorded(path, {"use": "cascade", "audit": 1e-9}, [SURE, UNSURE], k=2)
    replay = {"name": "replay", "path": str(path)}
    with GRM(engine=replay, scalar={"use": "cascade", "spread": 20, "audit": 1e-9}, k=2) as judge:
        was_sure, unsure = judge.score_batch([SURE, UNSURE])
    assert was_sure.rewards is None  # no sample of it is on record
    assert "a scalar RM decided this group" in was_sure.failures[0].detail
    assert unsure.rewards == pytest.approx((1 / 9, 8 / 9))
    with GRM(engine=replay, scalar={"use": "cascade", "spread": 0.01, "audit": 1e-9}) as judge:
        was_sure, now_sure = judge.score_batch([SURE, UNSURE])
    assert not was_sure.scalar.judged and not now_sure.scalar.judged
    assert now_sure.rewards == pytest.approx((sigmoid(10.0), 0.5))


def test_a_record_without_scalar_scores_needs_a_classifier(tmp_path: Path) -> None:
    path = tmp_path / "verdicts.jsonl"
    with GRM(plugins=scripted(honest), engine="scripted", k=2, record=path) as judge:
        judge.score(SURE)
    replay = {"name": "replay", "path": str(path)}
    with (
        GRM(engine=replay, scalar={"weight": 2}) as judge,
        pytest.raises(RecordError, match="on record without scalar scores"),
    ):
        judge.score(SURE)
    with GRM(plugins=parts(ScalarRM()), engine=replay, scalar={"classifier": "said"}) as judge:
        assert judge.score(SURE).scalar.scores == (-3.0, 3.0)


def test_a_sure_group_has_nothing_for_a_replay_by_the_judge_alone(tmp_path: Path) -> None:
    path = tmp_path / "verdicts.jsonl"
    recorded(path, {"use": "cascade", "audit": 1e-9}, [SURE], k=2)
    with GRM(engine={"name": "replay", "path": str(path)}, k=2) as judge:
        found = judge.score(SURE)
    assert found.rewards is None and "a scalar RM decided this group" in found.failures[0].detail


def test_verdicts_with_scalar_scores_are_recorded_and_read(tmp_path: Path) -> None:
    path = tmp_path / "verdicts.jsonl"
    verdicts = recorded(path, {"use": "cascade"}, [SURE, UNSURE], k=2)
    assert list(read_verdicts(path)) == verdicts
    assert from_record(to_record(verdicts[0])) == verdicts[0]


@pytest.mark.parametrize(
    ("wrong", "telling"),
    [
        ({"scores": [1.0]}, "scalar: expected 2 finite scores"),
        ({"spread": 0.0}, "a spread above 0"),
        ({"agreement": 1.5}, "agreement: expected a number in 0..1"),
        ({"failures": {"5": "x"}}, "failures of some of 2 responses"),
        ({"judged": "yes"}, "expected true or false"),
    ],
)
def test_scalar_scores_that_can_not_be_are_refused(wrong: dict[str, Any], telling: str) -> None:
    with grm({"use": "alone"}) as judge:
        record = to_record(judge.score(SURE))
    record["scalar"] |= wrong
    with pytest.raises(RecordError, match=telling):
        from_record(record)


@pytest.mark.parametrize("scalar", [{"weight": 3}, {"use": "cascade", "weight": 1, "audit": 0.5}])
def test_fewer_recorded_samples_settle_as_a_judge_with_that_k(
    tmp_path: Path, scalar: dict[str, Any]
) -> None:
    many = recorded(tmp_path / "many.jsonl", scalar, ASKED, k=8)
    few = recorded(tmp_path / "few.jsonl", scalar, ASKED, k=2)
    rule = rule_on_record(many[0].origin, plugins=parts(ScalarRM()))
    for verdict, expected in zip(many, few, strict=True):
        (found, *_) = Ballot(rule, as_judged=False).rewards(verdict, 2, 1)
        assert found == pytest.approx(expected.rewards)
        if verdict.judgments:
            assert next(settled_at(verdict, rule, k=2)).rewards == pytest.approx(found)
