from __future__ import annotations

import asyncio
import math
import pickle
import time
from typing import Any

import pytest

from grm_openrlhf.errors import SiblingError
from grm_openrlhf.judging import GroupJudge
from grm_openrlhf.ledger import Ledger
from grm_openrlhf.options import OpenRLHFOptions
from grm_openrlhf.progress import Progress
from grm_openrlhf.reading import Rollout
from grm_openrlhf.rounds import Rounds
from grm_openrlhf.settings import RunSettings
from grm_plugin import GRMConfig, Group, Message, Verdict
from grm_plugin.errors import BudgetError, JudgeDeadError, TransportError
from grm_plugin.schedule import read_schedule
from grm_plugin.testing import ScriptedEngine
from tests.adapters.openrlhf.conftest import MakeActor, shown

AWAY = TransportError("the judge is away")


def rewards(outputs: list[dict[str, Any]]) -> list[float]:
    return [output["reward"] for output in outputs]


async def test_an_unscored_group_gets_one_value_for_all_its_responses_and_says_why(
    actor: MakeActor, caplog: pytest.LogCaptureFixture
) -> None:
    found = await actor([AWAY]).generate_responses("q", ["a", "b", "c"])
    assert rewards(found) == [0.5] * 3
    assert [output["scores"] for output in found] == [0.5] * 3
    assert {len(range(*span)) for output in found for span in output["action_ranges"]} == {1}
    assert all(output["extra_logs"]["grm/unscored_rate"] == 1.0 for output in found)
    assert "has no reward" in caplog.text
    assert "the judge is away" in caplog.text


class Giving:
    """A judge that gives the rewards it is told."""

    watch = audits = None

    def __init__(self, *rewards: float | None) -> None:
        self.rewards = rewards
        self.config = GRMConfig()

    async def score_batch_async(self, groups: list[Group], size: object) -> list[Verdict]:
        self.asked = groups
        return [Verdict(group, self.rewards) for group in groups]


async def given(training: bool, *rewards: float | None, round_to: float | None = None) -> Any:
    return await given_by(Giving(*rewards), training, round_to)


async def given_by(giving: Giving, training: bool, round_to: float | None) -> Any:
    judge = GroupJudge(giving, OpenRLHFOptions(round_to=round_to), RunSettings(config={}))  # type: ignore[arg-type]
    rounds = Rounds(Ledger(), "one", training=training)
    rollouts = [Rollout((Message("user", "q"),), "a", None, training) for _ in giving.rewards]
    return await judge.score(rollouts, rounds.enter(asyncio.get_running_loop().create_future()))


async def test_a_response_that_alone_is_unscored_gets_the_mean_of_its_siblings_and_no_weight() -> (
    None
):
    found = await given(True, 0.2, None, 0.6)
    assert [one.reward for one in found] == [0.2, pytest.approx(0.4), 0.6]
    assert [one.score for one in found] == [0.2, pytest.approx(0.4), 0.6]
    assert [one.weightless for one in found] == [False, True, False]
    assert found[0].logs["grm/reward_mean"] == pytest.approx(0.4)
    assert found[0].logs["grm/filled_rate"] == pytest.approx(1 / 3)


async def test_the_number_of_an_unscored_response_is_the_mean_of_rounded_ones() -> None:
    found = await given(True, 0.22, None, 0.49, round_to=0.25)
    assert [one.reward for one in found] == [0.25, pytest.approx(0.375), 0.5]


async def test_a_recorded_group_says_how_its_rewards_are_rounded() -> None:
    giving = Giving(0.22, 0.49)
    await given_by(giving, True, 0.25)
    assert giving.asked[0].metadata["round_to"] == 0.25


async def test_a_group_of_which_no_response_is_scored_is_an_unscored_group() -> None:
    assert {one.logs["grm/unscored_rate"] for one in await given(True, None, None)} == {1.0}


async def test_an_evaluation_with_one_unscored_response_reports_the_others() -> None:
    found = await given(False, 0.2, None, 0.6)
    assert [one.reward for one in found] == [0.2, pytest.approx(0.4), 0.6]


async def test_where_the_host_filters_an_unscored_group_has_no_score(actor: MakeActor) -> None:
    found = await actor([AWAY], run={"filtering": True}).generate_responses("q", ["a", "b"])
    assert all(math.isnan(output["scores"]) for output in found)
    assert rewards(found) == [0.5, 0.5]


async def test_the_value_of_an_unscored_group_is_the_mean_of_recent_rewards(
    actor: MakeActor,
) -> None:
    one = actor(["\\boxed{10}", AWAY], k=1)
    assert rewards(await one.generate_responses("q", ["a"])) == [1.0]
    assert rewards(await one.generate_responses("q", ["a"])) == [1.0]


async def test_before_any_reward_it_is_the_middle_of_what_the_vote_can_give(
    actor: MakeActor,
) -> None:
    found = await actor([AWAY], run={"reward_range": (2, 20)}).generate_responses("q", ["a"])
    assert rewards(found) == [11.0]


async def test_a_group_that_can_not_be_judged_does_not_end_the_run(actor: MakeActor) -> None:
    crowded = ScriptedEngine(["\\boxed{5}"], context_tokens=3000)
    found = await actor(crowded).generate_responses("word " * 900, ["a"])
    assert rewards(found) == [0.5]


async def test_logs_have_the_same_finite_numbers_whatever_happened(actor: MakeActor) -> None:
    scored = await actor(["\\boxed{5}"]).generate_responses("q", ["a"])
    unscored = await actor([AWAY]).generate_responses("q", ["a"])
    logs = [output["extra_logs"] for output in (*scored, *unscored)]
    assert logs[0].keys() == logs[1].keys()
    numbers = [number for one in logs for number in one.values()]
    assert all(isinstance(number, float) and math.isfinite(number) for number in numbers)


async def test_how_long_rollouts_waited_for_the_judge_is_logged_and_not_how_long_they_took(
    actor: MakeActor,
) -> None:
    def slow(request: Any, i: int) -> str:
        time.sleep(0.2)
        return "\\boxed{5, 5}"

    async def roll_out(**call: Any) -> dict[str, Any]:
        await asyncio.sleep(0.5)
        tokens = {"observation_tokens": [7, id(call) % 9 + 8], "action_ranges": [(1, 2)]}
        return {**tokens, "extra_logs": {}}

    found = await actor(slow, k=1, roll_out=roll_out).generate_responses("q", ["-", "-"])
    for output in found:
        assert 0.2 <= output["extra_logs"]["grm/wait_seconds"] < 0.5


async def test_a_dead_judge_ends_the_run_after_so_many_groups(
    actor: MakeActor,
) -> None:
    one = actor([AWAY], dead_groups=6, dead_after_s=0)
    for _ in range(5):
        await one.generate_responses("q", ["a", "b"])
    with pytest.raises(JudgeDeadError, match=r"in a rollout actor 6 groups .*the judge is away"):
        await one.generate_responses("q", ["a", "b"])


async def test_one_reward_in_between_starts_the_count_again(actor: MakeActor) -> None:
    one = actor([AWAY, AWAY, "\\boxed{5}"], k=1, dead_groups=3, dead_after_s=0)
    for _ in range(9):
        await one.generate_responses("q", ["a"])


async def test_rewards_are_rounded_so_that_equal_quality_ties(actor: MakeActor) -> None:
    one = actor(["\\boxed{5}"], k=1, adapters={"openrlhf": {"round_to": 0.25}})
    assert rewards(await one.generate_responses("q", ["a"])) == [0.5]


async def test_a_scale_changes_the_reward_and_not_the_score_for_filtering(
    actor: MakeActor,
) -> None:
    one = actor(["\\boxed{10}"], k=1, adapters={"openrlhf": {"reward_scale": 5}})
    (found,) = await one.generate_responses("q", ["a"])
    assert (found["reward"], found["scores"]) == (5.0, 1.0)


async def test_a_group_whose_leader_is_clear_takes_few_of_the_k_samples(actor: MakeActor) -> None:
    stop = {"name": "ranking", "error": 0.02}
    clear = actor(_long_or_short, k=8, stop=stop)
    found = await clear.generate_responses("q", ["a", "a longer one"])
    assert [each["extra_logs"]["grm/k_drawn"] for each in found] == [4.0, 4.0]
    assert [each["extra_logs"]["grm/early_rate"] for each in found] == [1.0, 1.0]
    assert rewards(found) == [0.0, 1.0]
    (alone,) = await clear.generate_responses("q", ["a"])
    assert (alone["extra_logs"]["grm/k"], alone["extra_logs"]["grm/early_rate"]) == (8.0, 0.0)


def _long_or_short(request: Any, i: int) -> str:
    scores = [10 if len(text) > 3 else 1 for text in shown(request)]
    return f"\\boxed{{{', '.join(map(str, scores))}}}"


GROWING = {"by": "step", "stages": [{"step": 0, "k": 1}, {"step": 2, "k": 4}]}


async def test_k_grows_with_the_training_groups_and_evaluation_keeps_its_own(
    actor: MakeActor,
) -> None:
    one = actor(["\\boxed{5}"], k=3, schedule=GROWING, run={"groups_per_step": 2})
    seen = []
    for temperature in (1, 1, 0.6, 1, 1, 1):
        (found,) = await one.generate_responses("q", ["a"], temperature=temperature)
        seen.append(found["extra_logs"]["grm/k"])
    assert seen == [1, 1, 3, 1, 1, 4]


async def test_a_resumed_run_goes_on_in_its_stage(actor: MakeActor) -> None:
    run = {"groups_per_step": 1, "first_step": 1}
    one = actor(["\\boxed{5}"], k=3, schedule=GROWING, run=run)
    groups = [await one.generate_responses("q", ["a"]) for _ in range(3)]
    assert [found["extra_logs"]["grm/k"] for (found,) in groups] == [1, 4, 4]


def with_reward(reward: float | None) -> Verdict:
    return Verdict(Group.of("q", ["a"]), None if reward is None else (reward,))


BY_RELIABILITY = {"by": "reliability", "window": 2, "sizes": [{"k": 2}, {"k": 8}]}


def unsure(request: Any, i: int) -> str:
    """Votes that scatter and say nothing of the responses."""
    return f"\\boxed{{{(3, 9)[request.first % 2]}, {(3, 9)[request.first % 2]}}}"


async def test_k_grows_with_the_scatter_of_the_votes_and_a_resumed_run_goes_on_with_it(
    actor: MakeActor,
) -> None:
    run = {"groups_per_step": 1}
    new = actor(unsure, schedule=BY_RELIABILITY, run=run)
    resumed = actor(
        unsure, schedule=BY_RELIABILITY, run={**run, "first_step": 2, "seen": (-1, None, -1)}
    )
    found = []
    for one in (new, new, new, resumed):
        first, _ = await one.generate_responses("q", ["a", "a longer one"])
        found.append((first["extra_logs"]["grm/k"], first["extra_logs"]["grm/reliability"] < 0))
    assert found == [(2, True), (2, True), (8, True), (8, True)]


async def test_what_a_resumed_run_spent_before_counts_against_its_budget(actor: MakeActor) -> None:
    run = {"groups_per_step": 1, "first_step": 2, "spent": {"prompt_tokens": 99_000}}
    one = actor(["\\boxed{5}"], budget={"tokens": 100_000}, run=run)
    with pytest.raises(BudgetError, match="99,000 tokens of 100,000 tokens is spent"):
        await one.generate_responses("q", ["a"])


def test_a_step_is_over_with_the_actors_share_of_its_groups() -> None:
    progress = Progress(None, groups_per_step=2)
    steps = []
    for _ in range(5):
        steps.append(progress.step)
        progress.judged(with_reward(0.5))
    assert steps == [0, 0, 1, 1, 2]
    assert progress.size() is None


def test_an_unscored_group_counts_as_a_group_and_not_as_a_reward() -> None:
    schedule = read_schedule(
        {"by": "saturation", "sizes": [{"k": 1}, {"k": 2}], "window": 1, "rise": 0.1}
    )
    progress = Progress(schedule, groups_per_step=2)
    for reward in (0.1, None, 0.9, 0.9):
        progress.judged(with_reward(reward))
    size = progress.size()
    assert size is not None
    assert size.k == 1
    for reward in (0.9, None):
        progress.judged(with_reward(reward))
    size = progress.size()
    assert size is not None
    assert size.k == 2


def test_errors_survive_ray() -> None:
    error = SiblingError("another response of this group failed: ValueError('no')")
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
