"""A scalar RM in front of the judge: who decides a group, and what audits change."""

from __future__ import annotations

import math
import threading
from pathlib import Path
from typing import Any

import pytest

from grm_plugin import Group
from grm_plugin.errors import (
    EngineError,
    JudgeDeadError,
)
from grm_plugin.hosts.counting import Tally
from grm_plugin.hosts.metrics import numbers
from grm_plugin.hosts.recorded import when
from grm_plugin.hosts.rounding import as_trained
from grm_plugin.hosts.scalar_telling import decided
from grm_plugin.testing import ScriptedEngine
from grm_plugin.types.scalars import sigmoid
from tests.core.honest_judge import honest
from tests.pipeline.scalar_rm import SURE, UNSURE, ScalarRM, grm, group


def test_a_cascade_asks_the_judge_only_where_the_scalar_rm_is_unsure() -> None:
    engine = ScriptedEngine(honest)
    with grm({"use": "cascade", "sure": 0.8, "audit": 1e-9}, engine, k=2) as judge:
        sure, unsure = judge.score_batch([SURE, UNSURE])
    assert sure.rewards == (sigmoid(-3.0), sigmoid(3.0)) and not sure.judgments
    assert sure.scored and not sure.unscored and not sure.scalar.judged
    assert unsure.rewards == pytest.approx((1 / 9, 8 / 9)) and len(unsure.judgments) == 2
    assert {request.group for request in engine.requests} == {UNSURE.fingerprint}
    assert sure.cost.output_tokens == 0


def test_an_audited_group_is_judged_although_the_scalar_rm_is_sure() -> None:
    with grm({"use": "cascade", "audit": 1}, k=2) as judge:
        found = judge.score(SURE)
    assert found.scalar.audited and found.scalar.judged and found.scalar.agreement == 1.0
    assert found.rewards == pytest.approx((1 / 9, 8 / 9))


def test_a_judge_that_errs_is_held_against_less_and_the_verdict_says_so() -> None:
    claims = []
    for accuracy in (1.0, 0.8):
        section = {"use": "cascade", "audit": 1, "judge_accuracy": accuracy}
        with grm(section, k=8) as judge:
            found = judge.score(SURE)
        assert found.origin["scalar"]["judge_accuracy"] == accuracy
        claims.append(found.scalar.claim)
    assert claims[1] - 0.5 == pytest.approx((2 * 0.8 - 1) * (claims[0] - 0.5))


def test_the_audited_share_is_as_it_is_set_and_the_same_every_time() -> None:
    groups = [group((2, -3), (9, 3), prompt=f"q{n}") for n in range(400)]
    audited = []
    for _ in range(2):
        with grm({"use": "cascade", "audit": 0.25}, k=1) as judge:
            audited.append([one.scalar.audited for one in judge.score_batch(groups)])
    assert audited[0] == audited[1]
    assert sum(audited[0]) / 400 == pytest.approx(0.25, abs=3 * math.sqrt(0.25 * 0.75 / 400))


def test_a_hacked_scalar_rm_loses_its_say_and_one_that_is_right_keeps_it() -> None:
    def judged_share(logit: float) -> float:
        groups = [group((2, -logit), (9, logit), prompt=f"q{n}") for n in range(60)]
        with grm({"use": "cascade", "audit": 0.5}, k=8, max_concurrent_groups=1) as judge:
            found = judge.score_batch(groups)
        late = [one.scalar for one in found[-10:]]
        assert {one.sure for one in late} == ({1.0} if logit < 0 else {0.8})
        return sum(one.judged for one in late) / len(late)

    assert judged_share(-3.0) == 1.0
    assert judged_share(3.0) < 1.0


def test_an_alarm_is_told_and_audits_go_on_being_counted(caplog: Any) -> None:
    groups = [group((2, 3), (9, -3), prompt=f"q{n}") for n in range(60)]
    with grm({"use": "cascade", "audit": 0.5}, k=8, max_concurrent_groups=1) as judge:
        found = judge.score_batch(groups)
    assert [one.message for one in caplog.records if "sure is raised from 0.8 to 1" in one.message]
    late = Tally()
    for one in found[-10:]:
        late.add(one)
    told = numbers(late)
    assert told["sure_threshold"] == told["audited_rate"] == 1.0
    assert told["audit_agreement"] == 0.0 and told["audit_claim"] > 0.9
    assert "judged, as all groups are now" in decided(found[-1].scalar)


def test_groups_whose_votes_crowd_at_the_end_of_their_scale_are_counted() -> None:
    """Two are sure and one of them teaches nothing once it is rounded; judged ones do not count."""
    rounding = {"metadata": when(0, training=True, round_to=0.02)}
    crowded = group((2, 5), (9, 7), prompt="crowded", **rounding)
    asked = [crowded, SURE, UNSURE, group((2, 9.0), (9, 9.1))]
    with grm({"use": "cascade", "audit": 1e-9}) as judge:
        found = judge.score_batch(asked)
    assert [one.scalar.judged for one in found] == [False, False, True, True]
    assert as_trained(found[0]).rewards == pytest.approx((1.0, 1.0))
    assert numbers(Tally.of(found))["scalar_saturated_rate"] == 0.5
    with grm({"use": "alone"}) as judge:
        assert numbers(Tally.of(judge.score_batch(asked)))["scalar_saturated_rate"] == 0.25
    with grm({"use": "alone", "raw": True}) as judge:
        assert math.isnan(numbers(Tally.of(judge.score_batch(asked)))["scalar_saturated_rate"])


def test_what_audits_found_outlives_a_restart_at_a_later_step(tmp_path: Path) -> None:
    def asked(step: int) -> list[Group]:
        more = {"metadata": when(step, training=True)}
        return [group((2, 3), (9, -3), prompt=f"{step} {n}", **more) for n in range(60)]

    settings = {"k": 8, "record": tmp_path / "verdicts.jsonl", "max_concurrent_groups": 1}
    section = {"use": "cascade", "audit": 0.5}
    with grm(section, **settings) as judge:
        judge.score_batch(asked(0))
    with grm(section, **settings) as judge:
        assert {one.scalar.sure for one in judge.score_batch(asked(1))} == {1.0}
    with grm(section, **settings) as judge:  # a run that begins knows nothing of others
        assert judge.score_batch(asked(0))[0].scalar.sure == 0.8


def test_processes_that_learn_together_have_one_threshold_whoever_judged_what() -> None:
    hacked = [group((2, 3), (9, -3), prompt=f"q{n}") for n in range(40)]
    section, settings = {"use": "cascade", "audit": 1}, {"k": 8, "max_concurrent_groups": 1}
    with grm(section, **settings) as alone, grm(section) as one, grm(section, **settings) as other:
        alone.score_batch(hacked)
        one.audits.together = other.audits.together = True
        found = other.score_batch(hacked)
        assert {verdict.scalar.sure for verdict in found} == {0.8}  # until it is told
        for judge in (one, other):
            judge.audits.tell(found[:25])
            judge.audits.tell(found[25:])
        assert one.audits.state == other.audits.state == alone.audits.state
        assert other.score(SURE).scalar.sure == 1.0


def test_there_are_audits_of_a_cascade_alone_and_none_in_a_replay(tmp_path: Path) -> None:
    record = tmp_path / "verdicts.jsonl"
    with grm({"use": "vote"}) as judge:
        assert judge.audits is None
    with grm({"use": "cascade", "audit": 1}, record=record) as judge:
        judge.score(SURE)
    replay = {"name": "replay", "path": str(record)}
    with grm({"use": "cascade", "audit": 1}, engine=replay) as judge:
        assert judge.audits is None


def test_what_audits_found_outlives_parts_that_block() -> None:
    released = threading.Event()

    class Blocking(ScalarRM):
        def _logit(self, text: str) -> Any:
            if "BLOCK" in text:
                released.wait(20)
            return super()._logit(text)

    soon = {"group_timeout_s": 1.0, "batch_timeout_s": 5.0, "max_concurrent_groups": 1}
    hacked = [group((2, 3), (9, -3), prompt=f"q{n}") for n in range(40)]
    with grm({"use": "cascade", "audit": 1}, k=8, rm=Blocking(), **soon) as judge:
        assert judge.score_batch(hacked)[-1].scalar.sure == 1.0
        try:
            lost = judge.score(Group.of("q", ["quality 1, scalar 1 BLOCK", "quality 2, scalar 2"]))
        finally:
            released.set()
        assert "blocks the judge's event loop" in lost.unscored
        assert judge.score(SURE).scalar.sure == 1.0


def away(*_: Any) -> str:
    raise EngineError("connection refused")


@pytest.mark.parametrize("audit", [1e-9, 1])
def test_a_dead_judge_stops_a_cascade_whatever_the_scalar_rm_decides(audit: float) -> None:
    """Be it asked about every second group, or in audits alone."""
    other = UNSURE.responses if audit < 1 else SURE.responses
    asked = [Group.of(f"q{n}", (SURE.responses, other)[n % 2]) for n in range(8)]
    dead = {"dead_groups": 4, "dead_after_s": 0}
    with (
        grm({"use": "cascade", "audit": audit}, away, k=2, **dead) as judge,
        pytest.raises(JudgeDeadError, match=r"4 groups in a row .* connection refused"),
    ):
        for one in asked:
            judge.score(one)
