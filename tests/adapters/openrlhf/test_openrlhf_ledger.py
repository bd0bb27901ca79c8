from __future__ import annotations

import asyncio
import logging
import statistics
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm_openrlhf.ledger import Ledger, Means, RoundId
from grm_openrlhf.rounds import Place, Rounds
from grm_openrlhf.weightless import left_out, without_weight
from grm_plugin.hosts.counting import Tally
from grm_plugin.types import Group, Verdict

REWARDS = st.lists(st.floats(0, 1), max_size=4)


def group() -> asyncio.Future[object]:
    return asyncio.get_running_loop().create_future()


def verdict(*rewards: float) -> Verdict:
    """Of a group with these rewards; unscored without any."""
    return Verdict(Group.of("q", [str(one) for one in rewards] or ["a"]), rewards or None)


async def judged(place: Place, *rewards: float) -> Means | None:
    """Say a group's rewards; what it would hear without any."""
    place.judged(verdict(*rewards))
    return await asyncio.wait_for(place.means(), 1)


async def test_a_group_without_a_reward_hears_what_the_others_of_its_round_came_to() -> None:
    rounds = Rounds(Ledger(), "one", training=True)
    places = [rounds.enter(group()) for _ in range(3)]
    hears = asyncio.create_task(judged(places[0]))
    await asyncio.sleep(0)
    assert not hears.done()
    places[1].judged(verdict(0.2, 0.4))
    places[2].judged(verdict(0.9))
    assert await hears == Means(pytest.approx(0.6), pytest.approx(0.65))


async def test_siblings_share_a_place() -> None:
    rounds = Rounds(Ledger(), "one", training=True)
    siblings = group()
    assert rounds.enter(siblings) is rounds.enter(siblings)
    assert rounds.enter(group()) is not rounds.enter(siblings)


async def test_a_group_that_is_lost_is_not_waited_for() -> None:
    rounds = Rounds(Ledger(), "one", training=True)
    lost = group()
    rounds.enter(lost)
    hears = asyncio.create_task(judged(rounds.enter(group())))
    await asyncio.sleep(0)
    lost.cancel()
    assert await hears is None


async def test_two_actors_wait_for_each_other() -> None:
    ledger = Ledger()
    one, two = (Rounds(ledger, name, training=False).enter(group()) for name in ("one", "two"))
    hears = asyncio.create_task(judged(one))
    await asyncio.sleep(0.01)
    assert not hears.done()
    assert await judged(two, 0.7) == await hears == Means(0.7, 0.7)


async def test_training_is_no_measure_for_an_evaluation() -> None:
    ledger = Ledger()
    await judged(Rounds(ledger, "one", training=True).enter(group()), 0.9)
    assert await judged(Rounds(ledger, "one", training=False).enter(group())) is None


async def test_an_earlier_batch_is_no_measure_for_the_next() -> None:
    rounds = Rounds(Ledger(), "one", training=True)
    assert await judged(rounds.enter(group()), 0.9)
    assert await judged(rounds.enter(group())) is None


async def test_an_evaluation_may_take_several_rounds_and_ends_with_training(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    ledger = Ledger(groups_per_step=1, first_step=4)
    training, evaluation = (Rounds(ledger, "one", training=kind) for kind in (True, False))
    await judged(training.enter(group()), 0.9)
    await judged(evaluation.enter(group()), 0.5)
    assert await judged(evaluation.enter(group())) == Means(0.5, 0.5)
    assert not caplog.text
    await judged(training.enter(group()), 0.9)
    (record,) = caplog.records
    assert record.message == (
        "evaluation at step 5: 1 of 2 groups had no reward and are left out of its metrics"
    )


async def test_an_evaluation_without_any_reward_says_what_becomes_of_it() -> None:
    ledger = Ledger()
    await judged(Rounds(ledger, "one", training=False).enter(group()))
    assert ledger.close().evaluation == (
        "evaluation at step 0: 1 of 1 groups had no reward, so its metrics are NaN and no "
        "checkpoint is picked by it"
    )


async def test_an_evaluation_whose_first_portion_has_no_reward_is_no_number() -> None:
    ledger = Ledger()
    rounds = Rounds(ledger, "one", training=False)
    assert await judged(rounds.enter(group())) is None
    assert await judged(rounds.enter(group()), 0.5) == Means(0.5, 0.5)
    assert "1 of 2 groups had no reward, so its metrics are NaN" in ledger.close().evaluation


async def test_an_evaluation_is_closed_when_all_its_rounds_are_over(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    ledger = Ledger()
    late = RoundId("one", 1, training=False)
    await ledger.begin(late)
    training = asyncio.create_task(ledger.begin(RoundId("one", 1, training=True)))
    await asyncio.sleep(0.01)
    assert not training.done()
    await ledger.end(late, Tally.of([verdict(0.5)]))
    await training
    assert "0 of 1 groups had no reward" in caplog.text


async def test_an_actor_that_never_ends_its_round_does_not_hold_up_others_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("grm_openrlhf.ledger._PATIENCE_S", 0.05)
    ledger = Ledger()
    await ledger.begin(RoundId("lost", 1, training=True))
    assert await judged(Rounds(ledger, "one", training=True).enter(group())) is None


async def test_a_round_that_is_told_late_of_its_beginning_ends_after_it() -> None:
    class Slow(Ledger):
        async def begin(self, round_id: RoundId) -> None:
            await asyncio.sleep(0.02)
            await super().begin(round_id)

    assert await judged(Rounds(Slow(), "one", training=True).enter(group()), 0.5)


async def test_a_ledger_that_is_lost_is_heard_of_by_those_who_wait() -> None:
    class Lost(Ledger):
        async def end(self, round_id: RoundId, tally: Tally, verdicts: Any = ()) -> Any:
            raise RuntimeError("no ledger")

    with pytest.raises(RuntimeError, match="no ledger"):
        await judged(Rounds(Lost(), "one", training=True).enter(group()))


@given(st.lists(REWARDS, min_size=1, max_size=8))
def test_every_group_is_counted_and_those_without_a_reward_apart(groups: list[list[float]]) -> None:
    async def run() -> None:
        ledger = Ledger()
        rounds = Rounds(ledger, "one", training=True)
        for place, rewards in [(rounds.enter(group()), rewards) for rewards in groups]:
            place.judged(verdict(*rewards))
        await asyncio.sleep(0.001)
        found = ledger.close().training
        assert (found.groups, found.unscored.total()) == (len(groups), groups.count([]))

    asyncio.run(run())


@given(st.integers(1, 8), st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_numbers_of_a_group_that_is_left_out_keep_both_means(
    responses: int, rewards: list[float]
) -> None:
    mean, best = statistics.fmean(rewards), max(rewards)
    found = left_out(responses, mean, best)
    assert len(found) == responses
    assert statistics.fmean(found) == pytest.approx(mean)
    assert responses == 1 or max(found) == pytest.approx(best)


@pytest.mark.parametrize(
    ("ranges", "kept"),
    [
        ([(5, 9)], [(4, 5)]),
        ([(5, 5), (7, 9)], [(6, 7)]),
        ([(0, 3)], [(1, 2)]),
        ([(1, 3)], [(1, 2)]),
    ],
)
def test_the_last_token_of_the_prompt_stays(
    ranges: list[tuple[int, int]], kept: list[tuple[int, int]]
) -> None:
    output = {"action_ranges": ranges, "truncated": True, "reward": 1.0}
    found = without_weight(output, max_length=100)
    assert found == {"action_ranges": kept, "truncated": False, "reward": 1.0}


@pytest.mark.parametrize("ranges", [[], [(5, 5)], [(100, 120)]])
def test_an_output_without_any_action_stays_as_it_is(ranges: list[tuple[int, int]]) -> None:
    output = {"action_ranges": ranges, "truncated": True}
    assert without_weight(output, max_length=100) == output


async def test_every_rollout_actor_has_a_number_that_stays() -> None:
    ledger = Ledger()
    found = [await ledger.number(actor) for actor in ("a", "b", "a", "c", "b")]
    assert found == [0, 1, 0, 2, 1]


async def test_all_compare_with_what_the_first_one_said() -> None:
    ledger = Ledger()
    assert [await ledger.first("model", one) for one in ("grm-a", "grm-b")] == ["grm-a", "grm-a"]
    assert await ledger.first("else", "c") == "c"
