"""Rewards that abstain as one, without a trainer."""

from __future__ import annotations

import asyncio
import pickle
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm_plugin.errors import ConfigError
from grm_plugin.testing import scripted
from grm_trl import AsyncGRMReward, GRMReward, abstaining
from grm_trl.joining import join

Column = list[float | None]


class Judge:
    """Gives one column, and counts how often it was asked."""

    leads = True

    def __init__(self, column: Column, name: str = "grm") -> None:
        self.column, self.__name__, self.calls = column, name, 0

    def __call__(self, completions: Sequence[str], **_: Any) -> Column:
        self.calls += 1
        return self.column


class Given:
    """A reward with answers of its own."""

    def __init__(self, column: Column) -> None:
        self.column = column

    def __call__(self, **_: Any) -> Column:
        return self.column


async def awaited(completions: Sequence[str], **_: Any) -> list[float]:
    return [1.0] * len(completions)


def called(rewards: Sequence[Any], completions: Sequence[str]) -> list[Column]:
    return [reward(prompts=["p"] * len(completions), completions=completions) for reward in rewards]


columns = st.integers(1, 4).flatmap(
    lambda rows: st.tuples(
        *[
            st.lists(
                st.lists(st.none() | st.floats(0, 1), min_size=rows, max_size=rows),
                min_size=1,
                max_size=3,
            )
            for _ in "jo"
        ]
    )
)


@given(columns, st.randoms())
def test_a_row_is_none_for_all_where_it_is_for_a_judge_and_else_as_it_was(
    both: tuple[list[Column], list[Column]], random: Any
) -> None:
    judges, others = [Judge(column) for column in both[0]], [Given(column) for column in both[1]]
    rewards: list[Any] = [*judges, *others]
    random.shuffle(rewards)
    found = called(abstaining(rewards), ["x"] * len(both[0][0]))
    out = [any(judge.column[i] is None for judge in judges) for i in range(len(found[0]))]
    for reward, column in zip(rewards, found, strict=True):
        expected = [None if hidden else own for hidden, own in zip(out, reward.column, strict=True)]
        assert column == expected
    assert [judge.calls for judge in judges] == [1] * len(judges)


def test_every_round_is_judged_once_also_when_its_completions_come_again() -> None:
    judge = Judge([None, 0.5])
    rewards, completions = abstaining([Given([1.0, 2.0]), judge, Given([3.0, 4.0])]), ["x", "y"]
    for _ in range(3):
        assert called(rewards, completions) == [[None, 2.0], [None, 0.5], [None, 4.0]]
    assert judge.calls == 3


def test_rounds_of_many_threads_do_not_mix() -> None:
    class Parity:
        """No reward for the even rounds."""

        __name__, leads, calls, lock = "grm", True, 0, threading.Lock()

        def __call__(self, completions: list[int], **_: Any) -> Column:
            with self.lock:
                Parity.calls += 1
            return [None if one % 2 == 0 else 0.5 for one in completions]

    rewards = abstaining([Parity(), Given([1.0] * 3), Given([2.0] * 3)])
    rounds = [[number] * 3 for number in range(40)]
    with ThreadPoolExecutor(8) as pool:
        calls = [
            (one, pool.submit(r, prompts=one, completions=one)) for one in rounds for r in rewards
        ]
        for completions, call in calls:
            assert (call.result(10)[0] is None) == (completions[0] % 2 == 0)
    assert Parity.calls == 40


def test_what_the_judge_raises_reaches_every_member() -> None:
    class Broken(Judge):
        def __call__(self, **_: Any) -> Column:
            raise RuntimeError("gone")

    for reward in abstaining([Given([1.0]), Broken([])]):
        with pytest.raises(RuntimeError, match="gone"):
            called([reward], ["x"])


def test_async_rewards_are_awaited_and_the_names_stay() -> None:
    rewards = abstaining([awaited, Judge([None, 0.5], "judge")])
    assert [reward.__name__ for reward in rewards] == ["awaited", "judge"]
    calls = [asyncio.iscoroutinefunction(reward.__call__) for reward in rewards]
    assert calls == [True, False]
    assert asyncio.run(rewards[0](prompts=["p"] * 2, completions=["x", "y"])) == [None, 1.0]


def test_members_stay_together_through_pickling() -> None:
    rewards = pickle.loads(pickle.dumps(abstaining([Given([1.0, 2.0]), Judge([None, 0.5])])))
    assert called(rewards, ["x", "y"]) == [[None, 2.0], [None, 0.5]]
    assert rewards[0].panel is rewards[1].panel


def test_a_panel_inside_a_panel_is_a_judge_of_it() -> None:
    inner = abstaining([Judge([None, 0.5, 0.5]), Given([1.0] * 3)])
    rewards = abstaining([*inner, Judge([0.1, None, 0.1], "second")])
    assert called(rewards, ["x"] * 3) == [[None, None, 0.5], [None, None, 1.0], [None, None, 0.1]]


def test_rewards_without_a_judge_can_not_abstain_as_one() -> None:
    with pytest.raises(ConfigError, match=r"expected a GRMReward or .* got awaited, Given"):
        abstaining([awaited, Given([])])


def trainer(*rewards: Any) -> Any:
    """What a call says of a trainer with these rewards."""
    bound = SimpleNamespace(reward_funcs=list(rewards))
    return LogExtra(bound)


class LogExtra:
    def __init__(self, trainer: Any) -> None:
        self.__self__ = trainer

    def __call__(self, *_: Any) -> None: ...


def test_only_the_first_call_joins_and_what_comes_later_joins_too() -> None:
    judge, late = Judge([None]), Given([1.0])
    log_extra = trainer(judge, Given([2.0]))
    rewards = log_extra.__self__.reward_funcs
    call = {"prompts": ["p"], "completions": ["x"], "log_extra": log_extra}
    assert join(judge, call) is rewards[0]
    before = list(rewards)
    assert join(judge, call) is None
    assert rewards == before
    rewards.append(late)
    assert join(judge, call) is None
    assert called(rewards, ["x"]) == [[None], [None], [None]]


class AwaitedJudge(Judge):
    """A judge that joins as an :class:`AsyncGRMReward` does."""

    async def __call__(self, prompts: Any, completions: Any, **trl: Any) -> Column:
        if member := join(self, trl):
            return await member(prompts=prompts, completions=completions, **trl)
        self.calls += 1
        await asyncio.sleep(0)
        return self.column


async def as_trl_awaits(log_extra: Any, completions: Sequence[str]) -> list[Column]:
    """TRL holds the rewards before it calls the first of them."""
    held = list(log_extra.__self__.reward_funcs)
    call = {"prompts": ["p"] * len(completions), "completions": completions}
    return list(await asyncio.gather(*(one(**call, log_extra=log_extra) for one in held)))


async def test_async_judges_alone_in_a_trainer_abstain_as_one_from_the_first_round_on() -> None:
    columns: list[Column] = [[None, 0.1, 0.2], [0.3, None, 0.4], [0.5, 0.6, 0.7]]
    judges = [AwaitedJudge(column, f"judge {i}") for i, column in enumerate(columns)]
    log_extra = trainer(*judges)
    for rounds in (1, 2):
        found = await as_trl_awaits(log_extra, ["x", "y", "z"])
        assert found == [[None, None, column[2]] for column in columns]
        assert [judge.calls for judge in judges] == [rounds] * 3  # asked once a round


async def test_what_is_no_judge_is_refused_beside_async_judges() -> None:
    for other in (Given([1.0]), awaited, Judge([1.0], "sync")):
        judges = [AwaitedJudge([1.0], "a"), AwaitedJudge([1.0], "b")]
        with pytest.raises(ConfigError, match=r"TRL asks .* before the judge 'a'"):
            join(judges[0], {"log_extra": trainer(*judges, other)})


async def test_two_async_rewards_may_be_the_only_ones_of_a_trainer() -> None:
    def script(request: Any, i: int) -> str:
        return "\\boxed{4, 6}"

    plugins = scripted(script)
    rewards = [
        AsyncGRMReward(engine="scripted", k=1, name=name, plugins=plugins) for name in ("a", "b")
    ]
    log_extra = trainer(*rewards)
    prompts, completions = ["p", "p"], ["x", "y"]
    for _ in range(2):
        held = list(log_extra.__self__.reward_funcs)
        calls = (one(prompts, completions, log_extra=log_extra) for one in held)
        found = await asyncio.gather(*calls)
        assert found[0] == found[1] and None not in found[0]


@pytest.mark.parametrize("rewards", [(), (Given([1.0]),), (Given([1.0]), Given([2.0]))])
def test_a_judge_that_is_alone_or_not_in_the_list_joins_nobody(rewards: Any) -> None:
    log_extra = trainer(*rewards)
    assert join(Judge([None]), {"log_extra": log_extra}) is None
    assert log_extra.__self__.reward_funcs == list(rewards)


def test_others_train_leaves_them_alone() -> None:
    reward = GRMReward(engine="reference", others="train")
    log_extra = trainer(Given([1.0]), reward)
    assert join(reward, {"log_extra": log_extra}) is None
    with pytest.raises(ConfigError, match="expected a GRMReward"):
        abstaining([reward])
