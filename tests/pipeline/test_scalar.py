"""A scalar RM beside the judge, in front of it, and alone."""

from __future__ import annotations

import math
import pickle
import re
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm_plugin import GRM, Group
from grm_plugin.errors import (
    BudgetError,
    ConfigError,
    EngineError,
    JudgeDeadError,
    JudgeRefusedError,
    RecordError,
    TemplateError,
)
from grm_plugin.evaluation.accuracy import settled_at
from grm_plugin.evaluation.resettling import Ballot, rule_on_record
from grm_plugin.hosts.counting import Tally
from grm_plugin.hosts.metrics import numbers
from grm_plugin.hosts.recorded import when
from grm_plugin.hosts.scalar_telling import decided
from grm_plugin.plugins import Plugin
from grm_plugin.records import from_record, read_verdicts, to_record
from grm_plugin.testing import ScriptedEngine, scripted
from grm_plugin.types import Reason, Scalar
from grm_plugin.types.scalars import sigmoid, sureness
from tests.core.honest_judge import honest, noisy
from tests.pipeline.scalar_rm import ScalarRM, grm, group, parts

logits = st.floats(-50, 50)
SURE = group((2, -3), (9, 3))
UNSURE = group((2, 0.1), (9, 0.0))


def test_a_scalar_vote_counts_as_so_many_samples_of_the_judge() -> None:
    with grm({"weight": 2}, k=4, seed=1) as judge:
        found = judge.score(group((1, 1.0), (10, -1.0)))
    expected = [(4 * judged + 2 * sigmoid(logit)) / 6 for judged, logit in ((0, 1.0), (1, -1.0))]
    assert found.rewards == pytest.approx(expected)
    assert found.scalar is not None and found.scalar.scores == (1.0, -1.0)
    assert found.scalar.judged and found.scalar.agreement == 0.0


def test_the_share_of_the_scalar_vote_shrinks_as_k_grows() -> None:
    shares = []
    for k in (1, 4, 16):
        with grm({"weight": 4}, k=k) as judge:
            shares.append(judge.score(group((1, 9.0), (10, -9.0))).rewards[0])
    assert shares == pytest.approx([4 / 5, 4 / 8, 4 / 20], abs=1e-3)


def test_a_sum_gets_the_scalar_vote_in_points() -> None:
    with grm({"weight": 2}, k=3, vote="sum") as judge:
        found = judge.score(group((1, 0.0), (10, 0.0)))
    assert found.rewards == pytest.approx((3 + 2 * 5.5, 30 + 2 * 5.5))


def test_center_and_spread_scale_the_logits() -> None:
    with grm({"use": "alone", "center": 1.0, "spread": 2.0}) as judge:
        assert judge.score(group((1, 1.0), (1, 5.0))).rewards == (0.5, sigmoid(2.0))


def test_what_stands_beside_the_weights_holds_where_nothing_is_set() -> None:
    rm = ScalarRM()
    rm.scaling = (1.0, 4.0)
    with grm({"use": "alone", "spread": 2.0}, rm=rm) as judge:
        assert judge.score(group((1, 1.0), (1, 5.0))).rewards == (0.5, sigmoid(2.0))
        assert judge.origin["scalar"]["center"] == 1.0


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


def test_alone_no_judge_is_made_started_or_asked(recwarn: Any) -> None:
    rm = ScalarRM()
    with grm({"use": "alone"}, rm=rm) as judge:
        found = judge.score(SURE)
        assert judge.config.engine.name == "none"
    assert found.rewards == (sigmoid(-3.0), sigmoid(3.0)) and found.drawn == 0
    assert found.origin["engine"] == "none" and found.origin["scalar"]["use"] == "alone"
    assert not [one for one in recwarn if "no judge named" in str(one.message)]
    assert (rm.starts, rm.closes) == (1, 1)


def test_alone_rewards_may_be_the_logits_as_they_are() -> None:
    with grm({"use": "alone", "raw": True}) as judge:
        assert judge.score(SURE).rewards == (-3.0, 3.0)


def test_alone_a_group_may_carry_what_no_template_of_a_judge_would_show() -> None:
    asked = group((1, 1.0), (2, 2.0), reference="4", principles=("be right",))
    with grm({"use": "alone"}) as judge:
        assert judge.score(asked).scored


def test_alone_survives_pickling() -> None:
    section = {"classifier": {"name": "server", "url": "http://localhost:1"}, "use": "alone"}
    with GRM(scalar=section) as judge:
        again = pickle.loads(pickle.dumps(judge))
    assert again.config == judge.config and again.config.engine.name == "none"
    again.close()


def test_equal_responses_are_rated_once() -> None:
    rm = ScalarRM()
    with grm({"use": "alone"}, rm=rm) as judge:
        found = judge.score(group((1, 1.0), (1, 1.0), (1, 2.0)))
    assert len(rm.conversations) == 2 and found.scalar.prompt_tokens == 14
    assert found.scalar.scores == (1.0, 1.0, 2.0)


def test_it_reads_the_conversation_with_one_response_and_no_control_token() -> None:
    rm = ScalarRM()
    turns = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi <|odd|>"}]
    with grm({"use": "alone"}, rm=rm) as judge:
        judge.score(Group.of(turns, ["scalar 1 <|odd|> <|im_end|>"]))
    (read,) = rm.conversations
    assert [turn.role for turn in read] == ["system", "user", "assistant"]
    said = " ".join(turn.content for turn in read)
    assert "<|odd|>" not in said and "<|im_end|>" not in said and "odd" in said


def test_a_template_file_says_what_it_reads_instead(tmp_path: Path) -> None:
    file = tmp_path / "scalar.txt"
    file.write_text("{{conversation}}\n{{responses}}\n")
    with grm({"use": "alone", "template": str(file)}, rm=(rm := ScalarRM())) as judge:
        assert judge.score(SURE).rewards == (sigmoid(-3.0), sigmoid(3.0))
    assert not rm.conversations


@pytest.mark.parametrize("use", ["vote", "alone"])
def test_what_its_template_has_no_place_for_is_refused_before_anything_is_spent(
    use: str, tmp_path: Path
) -> None:
    file = tmp_path / "scalar.txt"
    file.write_text("{{conversation}}\n{{responses}}\n")
    engine = ScriptedEngine(honest)
    with grm({"use": use, "template": str(file)}, engine, k=2) as judge:
        for more in ({"reference": "4"}, {"principles": ("be right",)}):
            with pytest.raises(TemplateError, match=f"has {next(iter(more))} but template"):
                judge.score(group((2, -3), (9, 3), **more))
    assert not engine.requests


def test_a_template_for_a_meta_rm_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "meta.txt"
    file.write_text("{{conversation}}\n{{responses}}\n{{critique}}\n")
    with pytest.raises(TemplateError, match="a scalar RM reads no judgments"):
        grm({"use": "alone", "template": str(file)})


@pytest.mark.parametrize("use", ["vote", "cascade", "alone"])
@pytest.mark.parametrize(
    ("broken", "telling"),
    [("scalar nan", "expected a finite logit, got 'nan'"), ("AWAY", "the server is away")],
)
def test_what_it_can_not_score_is_unscored_alone(use: str, broken: str, telling: str) -> None:
    asked = Group.of("q", ["quality 2, scalar -3", f"quality 5 {broken}", "quality 9, scalar 3"])
    with grm({"use": use}, k=2) as judge:
        found = judge.score(asked)
    assert found.rewards is not None and found.rewards[1] is None
    assert None not in (found.rewards[0], found.rewards[2])
    assert telling in found.unscored_responses[1]
    assert found.scalar.scores[1] is None and telling in found.scalar.failures[1]


@pytest.mark.parametrize("use", ["vote", "cascade", "alone"])
def test_a_group_without_one_scalar_score_is_unscored_and_spends_no_sample(use: str) -> None:
    engine = ScriptedEngine(honest)
    with grm({"use": use}, engine, k=2) as judge:
        found = judge.score(Group.of("q", ["quality 1 AWAY", "quality 2 AWAY"]))
    assert found.rewards is None and "the server is away" in found.unscored
    assert not engine.requests


def test_a_scalar_rm_that_stays_away_stops_the_run() -> None:
    asked = [Group.of(f"q{n}", ["AWAY 1", "AWAY 2"]) for n in range(3)]
    with (
        grm({"use": "alone"}, dead_groups=3, dead_after_s=0) as judge,
        pytest.raises(JudgeDeadError, match="the server is away"),
    ):
        judge.score_batch(asked)


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


def test_a_scalar_rm_that_stays_away_stops_a_run_and_one_that_answers_does_not() -> None:
    lost = [Group.of(f"q{n}", ["AWAY 1", "AWAY 2"]) for n in range(9)]
    with grm({"use": "cascade", "audit": 1e-9}, dead_groups=3, dead_after_s=0) as judge:
        for n in range(6):
            judge.score_batch([lost[n], SURE])  # which resets what was lost
        with pytest.raises(JudgeDeadError, match=r"3 groups in a row .* the server is away"):
            for one in lost[6:]:
                judge.score(one)


def test_a_scalar_rm_that_refuses_us_stops_the_run_at_once() -> None:
    with (
        grm({"use": "cascade"}) as judge,
        pytest.raises(JudgeRefusedError, match=r"the scalar RM takes no request of ours.*no such"),
    ):
        judge.score(Group.of("q", ["LOCKED", "LOCKED too"]))


def test_one_that_does_not_answer_in_time_leaves_the_group_unscored() -> None:
    import asyncio

    class Slow(ScalarRM):
        async def logits_of_conversations(self, conversations):
            await asyncio.sleep(60)

    with grm({"use": "alone"}, rm=Slow(), group_timeout_s=0.2) as judge:
        found = judge.score(SURE)
    assert found.rewards is None and "deadline passed before the scalar RM" in found.unscored


def test_one_that_answers_too_little_is_named() -> None:
    class Short(ScalarRM):
        async def logits_of_conversations(self, conversations):
            return [1.0]

    with grm({"use": "alone"}, rm=Short()) as judge:
        assert "expected 2 logits, one a text" in judge.score(SURE).unscored


@pytest.mark.parametrize("wrong", [(0.0, 0.0), (0.0, -1.0), (math.nan, 1.0), (1.0,), ("x", 1.0)])
@pytest.mark.parametrize("beside_the_logits", [False, True])
def test_a_scaling_that_can_be_none_never_becomes_a_reward(
    wrong: Any, beside_the_logits: bool
) -> None:
    telling = r"scalar RM \(classifier 'said'\): scaling: expected a finite center and a spread"

    class Wrong(ScalarRM):
        def _logit(self, text: str) -> Any:
            return replace(super()._logit(text), scaling=wrong)

    rm = Wrong() if beside_the_logits else ScalarRM()
    rm.scaling = None if beside_the_logits else wrong
    with grm({"use": "alone"}, rm=rm) as judge:
        if beside_the_logits:
            found = judge.score(SURE)
            assert found.rewards is None and re.search(telling, found.unscored)
        else:
            with pytest.raises(EngineError, match=telling):
                judge.score(SURE)


def test_too_few_valid_samples_are_no_reward_whatever_the_scalar_rm_says() -> None:
    with grm({"weight": 4}, ["no box"], k=2) as judge:
        found = judge.score(SURE)
    assert found.rewards is None and found.failures[0].reason == Reason.UNREADABLE


@pytest.mark.parametrize(
    ("scalar", "settings", "telling"),
    [
        ({"use": "cascade", "audit": 0}, {}, "audit: expected a share above 0"),
        ({"weight": -1}, {}, "scalar.weight: expected at least 0, got -1"),
        ({"weight": 0}, {}, "which is no vote"),
        ({"sure": 0.4}, {}, "scalar.sure: expected at least 0.5"),
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


def test_a_voter_of_others_is_taken_where_it_says_that_its_rewards_are_shares() -> None:
    class Voter:
        unit = True

        def __call__(self, scores_K_N, scale):
            return [1.0 for _ in scores_K_N[0]]

    class Offer:
        @staticmethod
        def make(options, limits):
            return Voter()

    from grm_plugin.hookspecs import hookimpl

    class Hooks:
        @hookimpl
        def grm_register_voters(self, register):
            register("ones", Offer.make)

    plugins = parts(ScalarRM())
    more = type(plugins)([*plugins.plugins, Plugin("ones", Hooks())])
    settings = {"engine": "scripted", "vote": "ones", "k": 4}
    with GRM(plugins=more, scalar={"classifier": "said"}, **settings) as judge:
        assert judge.score(group((1, 0.0), (2, 0.0))).rewards == (0.75, 0.75)
    Voter.unit = False
    with pytest.raises(ConfigError, match="expected vote: mean"):
        GRM(plugins=more, scalar={"classifier": "said"}, **settings)


# records


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


def test_a_stopper_reckons_with_the_vote_that_is_known_from_the_start() -> None:
    """The judge is torn, and the scalar RM's weight alone settles who leads."""
    torn = group((5, 9.0), (5, -9.0))
    with grm({"weight": 64}, noisy, k=32, stop="ranking") as judge:
        settled = judge.score(torn)
    with grm({"weight": 0.01}, noisy, k=32, stop="ranking") as judge:
        open_ = judge.score(torn)
    assert settled.drawn < open_.drawn == 32


# mathematics


@given(st.lists(st.none() | logits, max_size=6), st.floats(0.1, 10))
def test_sureness_is_a_pair_accuracy_that_only_differences_decide(
    scores: list[float | None], spread: float
) -> None:
    scalar = Scalar(tuple(scores), spread=spread)
    known = [one for one in scores if one is not None]
    if len(known) < 2:
        assert scalar.sureness is None
        return
    assert 0.5 <= scalar.sureness <= 1
    moved = Scalar(tuple(None if one is None else one + 3 for one in scores), 3.0, spread)
    turned = Scalar(tuple(None if one is None else -one for one in scores), 0.0, spread)
    assert scalar.sureness == pytest.approx(moved.sureness) == pytest.approx(turned.sureness)
    assert sureness([2 * one for one in known]) >= sureness(known) - 1e-12


@given(st.lists(logits, min_size=2, max_size=5))
def test_sureness_is_what_draws_from_its_own_model_come_to(scores: list[float]) -> None:
    wins = [max(sigmoid(a - b), sigmoid(b - a)) for i, a in enumerate(scores) for b in scores[:i]]
    assert sureness(scores) == pytest.approx(sum(wins) / len(wins))


@given(st.lists(st.floats(-1e308, 1e308), min_size=2, max_size=4), st.floats(1e-300, 1e300))
def test_no_finite_logit_and_spread_give_a_vote_that_is_no_share(
    scores: list[float], spread: float
) -> None:
    scalar = Scalar(tuple(scores), 0.0, spread)
    assert all(0 <= vote <= 1 for vote in scalar.votes) and 0.5 <= scalar.sureness <= 1


@given(
    st.lists(st.tuples(st.integers(1, 10), logits), min_size=1, max_size=4),
    st.floats(0.01, 100),
    st.integers(1, 8),
)
def test_a_reward_lies_between_the_judges_and_the_scalar_vote(
    answers: list[tuple[int, float]], weight: float, k: int
) -> None:
    from grm_plugin.pipeline.scalar_voting import ScalarRule
    from grm_plugin.types import Scale

    judged = [(quality - 1) / 9 for quality, _ in answers]
    scalar = Scalar(tuple(logit for _, logit in answers))
    found = ScalarRule(weight).together(judged, scalar, k, Scale(1, 10))
    for reward, one, vote in zip(found, judged, scalar.votes, strict=True):
        assert min(one, vote) - 1e-9 <= reward <= max(one, vote) + 1e-9


def test_a_classifier_that_reads_texts_alone_needs_a_template() -> None:
    class Texts:
        async def start(self): ...
        async def logits(self, texts):
            return [0.0] * len(texts)

        async def close(self): ...

    with pytest.raises(ConfigError, match="can not fill the chat template"):
        grm({"use": "alone"}, rm=Texts())


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


def test_a_part_that_can_not_start_says_so() -> None:
    class Broken(ScalarRM):
        async def start(self) -> None:
            raise EngineError("no such folder")

    with grm({"use": "alone"}, rm=Broken()) as judge, pytest.raises(EngineError, match="no such"):
        judge.score(SURE)
