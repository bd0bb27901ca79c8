"""A run is watched: alarms begin once, say what they saw, and warn, raise k or stop."""

from __future__ import annotations

import logging
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grm_plugin import GRM, Group, Size
from grm_plugin.engine import SampleRequest
from grm_plugin.errors import AlarmError, JudgeDeadError
from grm_plugin.hosts.watch_metrics import numbers
from grm_plugin.records import read_verdicts
from grm_plugin.testing import ScriptedEngine
from grm_plugin.types import Group as Judged
from grm_plugin.types import Verdict
from grm_plugin.watching.options import WatchOptions
from grm_plugin.watching.watch import Watch
from tests.watching.judges import controlled, run, two

CONTROL = {"share": 0.5, "judge": {"k": 8}}


def watch(**options: Any) -> Watch:
    return Watch(WatchOptions.model_validate({"control": CONTROL, **options}))


def test_a_clean_run_does_not_alarm_and_a_bias_is_noticed_once_with_figures_and_examples(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clean, biased = watch(), watch()
    clean.add(run(120))
    assert clean.alarms == []
    verdicts = run(120, onset=80)
    with caplog.at_level(logging.WARNING):
        biased.add(verdicts)
    begun = [alarm for alarm in biased.alarms if alarm.signal == "onset"]
    assert len(begun) == 1
    assert 80 <= (begun[0].step or 0) <= 100
    known = {one.group.fingerprint for one in verdicts}
    assert len(begun[0].fingerprints) == 3
    assert known.issuperset(begun[0].fingerprints)
    for part in (
        "rewards have begun to leave",
        f"at step {begun[0].step}",
        " z (error 0.",
        "inside groups 0.",
    ):
        assert part in begun[0].said
    assert sum(alarm.said in caplog.text for alarm in biased.alarms) == len(biased.alarms)
    assert caplog.text.count("rewards have begun to leave") == 1


def test_the_gap_is_in_z_of_the_start_and_unknown_before_it() -> None:
    seen = watch(start=20)
    seen.add(run(19))
    assert numbers(seen)["control_gap_z"] != numbers(seen)["control_gap_z"]
    seen.add(run(60, onset=50, bias=0.2)[19 * 8 :])
    start = seen.start
    assert start is not None
    assert start.reward == pytest.approx(0.4, abs=0.02)
    assert numbers(seen)["control_gap_z"] == pytest.approx(0.2 / start.reward_sd, abs=0.25)
    assert 0 < numbers(seen)["control_gap_error"] < 0.3


def test_evaluations_and_groups_without_a_control_do_not_count() -> None:
    seen = watch()
    for verdict in run(120, onset=60):
        step = verdict.group.metadata["step"]
        seen.add([_as(verdict, step, "eval")])
    seen.add(controlled(step, [0.9, 0.1], None) for step in range(120))
    seen.add(controlled(step, None, [0.9, 0.1]) for step in range(120, 240))
    assert seen.start is None
    assert seen.alarms == []


def _as(verdict: Verdict, step: int, phase: str) -> Verdict:
    when = {"step": step, "phase": phase}
    return replace(verdict, group=replace(verdict.group, metadata=when))


def test_without_steps_so_many_groups_are_a_round() -> None:
    seen = watch(round=8)
    seen.add(replace(one, group=replace(one.group, metadata={})) for one in run(120, onset=80))
    assert [alarm.signal for alarm in seen.alarms][:1] == ["onset"]
    assert seen.alarms[0].step is None


def test_rewards_that_go_against_the_control_judge_inside_groups_alarm() -> None:
    seen, turned = watch(), []
    for verdict in run(70):
        step = verdict.group.metadata["step"]
        if step >= 40 and verdict.rewards:
            mean = sum(one or 0 for one in verdict.rewards) / len(verdict.rewards)
            turned.append(
                replace(verdict, rewards=tuple(2 * mean - (one or 0) for one in verdict.rewards))
            )
        else:
            turned.append(verdict)
    seen.add(turned)
    assert [alarm.signal for alarm in seen.alarms] == ["correlation"]


def test_an_artefact_that_spreads_alarms_without_a_control_judge() -> None:
    seen = Watch(WatchOptions(artefacts={"praise": "great answer", "thanks": "^thank you"}))
    for step in range(60):
        share = 0 if step < 30 else (step - 30) / 10
        for group in range(8):
            texts = ["Great  ANSWER: 5" if i < share else "5" for i in range(4)]
            seen.add([controlled(step, [0.5] * 4, None, name=f"{step} {group}", texts=texts)])
    assert [alarm.signal for alarm in seen.alarms] == ["artefact praise"]
    assert 30 <= (seen.alarms[0].step or 0) <= 50
    assert "was in 0% at the start" in seen.alarms[0].said
    found = numbers(seen)
    assert (found["artefact_praise"], found["artefact_thanks"], found["alarms"]) == (0.75, 0.0, 1)
    assert found["artefact_opening"] == 0.75
    assert "control_gap_z" not in found


def test_an_alarm_that_raises_k_goes_to_the_next_size_of_the_schedule_or_doubles() -> None:
    options = WatchOptions.model_validate({"control": CONTROL, "alarm": "raise_k", "most": 12})
    seen = Watch(options, [Size(k=2), Size(k=5)])
    assert seen.raised(Size(k=2)) == Size(k=2)
    seen.add(run(120, onset=80))
    assert len(seen.alarms) > 1
    assert seen.raises == 1, "they tell of one event"
    assert seen.raised(Size(k=2)).k == 5
    assert seen.raised(Size(k=11)).k == 12
    assert seen.raised(Size(k=20)).k == 20


def test_one_bias_is_one_event_however_its_signals_come_and_go() -> None:
    seen = watch(alarm="raise_k")
    seen.add(run(250, onset=60, bias=0.12))
    signals = [alarm.signal for alarm in seen.alarms]
    assert sorted(signals) == ["level", "onset"]
    assert seen.raises == 1


@pytest.mark.parametrize(
    ("controls", "groups", "why"),
    [
        (None, 8, "of 120 groups that the control judge was asked about both judges scored none"),
        (
            [0.5, 0.5],
            8,
            "of rewards of the judge: the control judge says the same of every response",
        ),
        (
            [0.4, 0.6],
            1,
            "the control judge gave 15 groups rewards in 15 rounds, and 40 in 5 are needed",
        ),
    ],
)
def test_an_alarm_that_can_not_come_is_told_of_once(
    controls: list[float] | None, groups: int, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    seen = watch(start=5)
    for step in range(30):
        names = [f"{step} {number}" for number in range(groups)]
        seen.add(controlled(step, [0.2 + step / 90, 0.4], controls, name=name) for name in names)
    told = [one for one in caplog.messages if "no alarm of the control judge could come" in one]
    assert len(told) == 1
    assert why in told[0]
    assert "for 15 rounds" in told[0]


def test_what_is_rebuilt_is_as_if_the_run_had_never_stopped(
    caplog: pytest.LogCaptureFixture,
) -> None:
    verdicts = run(120, onset=60)
    whole, again = watch(), watch(alarm="stop")
    whole.add(verdicts)
    at = 100 * 8
    with caplog.at_level(logging.WARNING):
        caplog.clear()
        again.rebuild(verdicts[:at])
        assert caplog.text == ""
        again.add(verdicts[at:])
    assert [one.signal for one in again.alarms] == [one.signal for one in whole.alarms]
    assert again.gap == whole.gap


class Turning(ScriptedEngine):
    """A judge that is honest until it is told to praise everything."""

    def __init__(self) -> None:
        super().__init__(self._answer)
        self.praises = False

    def _answer(self, request: SampleRequest, i: int) -> str:
        spread = int(request.group[:6], 16) % 4 + (request.seed + i) % 2
        first, second = (9, 9) if self.praises else (2 + spread, 1 + spread)
        return f"\\boxed{{{first}, {second}}}"


def batch(step: int, groups: int = 8) -> list[Group]:
    when = {"step": step, "phase": "train"}
    return [Judged.of(f"{step} {n}", ["4", "5"], metadata=when) for n in range(groups)]


def judging(judge: ScriptedEngine, **watching: Any) -> GRM:
    options = {"control": {"share": 1.0, "judge": {"engine": "second"}}, "start": 5, **watching}
    plugins = two(judge, Turning())
    return GRM(plugins=plugins, engine="scripted", k=2, watch=options)


def test_an_alarm_that_stops_ends_the_run_with_an_error_of_its_own_and_loses_nothing(
    tmp_path: Path,
) -> None:
    judge = Turning()
    record = tmp_path / "verdicts.jsonl"
    options = {"control": {"share": 1.0, "judge": {"engine": "second"}}, "start": 5}
    options |= {"alarm": "stop"}
    plugins = two(judge, Turning())
    settings: dict[str, Any] = {"engine": "scripted", "k": 2, "watch": options, "record": record}
    asked = 0
    stops = pytest.raises(AlarmError, match=r"rewards have begun to leave.*alarm is stop")
    with GRM(plugins=plugins, **settings) as grm, stops as raised:
        for step in range(60):
            judge.praises = step >= 20
            asked += 8
            grm.score_batch(batch(step))
    assert 20 < step <= 40
    with pytest.raises(AlarmError):  # nor does a caller who tries again
        grm.score_batch(batch(step + 1))
    assert isinstance(raised.value, JudgeDeadError)
    assert len(raised.value.verdicts) == 8
    assert len(list(read_verdicts(record))) == asked
    assert str(pickle.loads(pickle.dumps(raised.value))) == str(raised.value)

    with GRM(plugins=two(judge, Turning()), **settings) as grm:  # the run goes on
        grm.score_batch(batch(step + 1))
        assert grm.watch is not None
        assert grm.watch.start is not None, "what was usual is known from the record"


def test_an_alarm_that_raises_k_holds_for_the_next_batches_and_not_for_evaluations() -> None:
    judge = Turning()
    with judging(judge, alarm="raise_k") as grm:
        for step in range(40):
            judge.praises = step >= 20
            verdicts = grm.score_batch(batch(step))
        assert {one.origin["k"] for one in verdicts} == {2 * 2**grm.watch.raises}  # type: ignore[union-attr]
        test = [Judged.of("q", ["4", "5"], metadata={"step": 40, "phase": "eval"})]
        assert {one.origin["k"] for one in grm.score_batch(test)} == {2}
        asked = grm.score_batch(batch(40), size=Size(k=3))
        assert {one.origin["k"] for one in asked} == {3 * 2**grm.watch.raises}  # type: ignore[union-attr]


def test_a_run_that_goes_on_without_a_record_says_that_watching_starts_anew(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with judging(Turning()) as grm, caplog.at_level(logging.WARNING):
        grm.score_batch(batch(7))
        grm.score_batch(batch(8))
    assert caplog.text.count("the run goes on at step 7 without a record") == 1


def test_a_stream_is_watched_as_a_batch_is() -> None:
    judge = Turning()
    with judging(judge, alarm="stop") as grm:

        def groups() -> Any:
            for step in range(60):
                judge.praises = step >= 20
                yield from batch(step)

        with pytest.raises(AlarmError):
            list(grm.score_many(groups()))
