"""A response that makes the judge miscount costs itself, never its siblings."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm_plugin.pipeline.culprits import Sample, blamed, is_suspicious, search
from grm_plugin.types import Failure, Judgment, Reason

Run = tuple[int, ...]


class Judge:
    """Miscounts whenever it is shown one of ``guilty``; remembers what it was asked."""

    def __init__(self, guilty: set[int], reason: Reason = Reason.WRONG_COUNT) -> None:
        self.guilty, self.reason = guilty, reason
        self.asked: list[Run] = []

    async def __call__(self, runs: Sequence[Run]) -> list[Sample]:
        self.asked += runs
        return [self.sample(run) for run in runs]

    def sample(self, run: Run) -> Sample:
        if self.guilty & set(run):
            return Failure(0, run, 0, self.reason, "")
        return Judgment(0, run, 0, "", (1.0,) * len(run))


RUN = (0, 1, 2, 3)


async def rest(judge: Judge, run: Run = RUN, *, budget: int | None = None, fewest: int = 1) -> Run:
    return (await search(run, judge, budget=budget, fewest=fewest)).rest


BREAKING = [Reason.WRONG_COUNT, Reason.UNREADABLE, Reason.OUT_OF_RANGE]


@pytest.mark.parametrize("guilty", RUN)
@pytest.mark.parametrize("reason", BREAKING)
async def test_one_culprit_is_found_with_one_sample_a_response_and_four_to_be_sure(
    guilty: int, reason: Reason
) -> None:
    judge = Judge({guilty}, reason)
    assert await rest(judge) == tuple(n for n in RUN if n != guilty)
    assert len(judge.asked) == len(RUN) + 4


@given(st.sets(st.integers(0, 5), min_size=2, max_size=5))
async def test_several_culprits_are_found_by_showing_each_response_alone(guilty: set[int]) -> None:
    found = await rest(Judge(guilty), tuple(range(6)))
    assert found == tuple(n for n in range(6) if n not in guilty)


async def test_a_judge_that_miscounts_whatever_it_sees_blames_nobody() -> None:
    assert await rest(Judge(set(RUN))) == ()


async def test_a_judge_that_can_not_count_so_far_blames_nobody() -> None:
    class Overwhelmed(Judge):
        def sample(self, run: Run) -> Sample:
            return super().sample(run) if len(run) < len(RUN) else Judge({*run}).sample(run)

    assert await rest(Overwhelmed(set())) == ()


async def test_a_judge_that_is_away_blames_nobody() -> None:
    assert await rest(Judge(set(RUN), Reason.TRANSPORT)) == ()


@given(st.integers(0, 12), st.integers(1, 3))
async def test_the_budget_is_kept(budget: int, fewest: int) -> None:
    judge = Judge({1, 2})
    await rest(judge, budget=budget, fewest=fewest)
    assert len(judge.asked) <= budget


async def test_no_prompt_shows_fewer_responses_than_its_template() -> None:
    judge = Judge({1, 2})
    await rest(judge, fewest=3)
    assert {len(run) for run in judge.asked} == {3}  # nobody is accused, so nothing is confirmed
    assert await rest(Judge({0}), (0, 1), fewest=2) == ()


def test_most_samples_must_miscount_before_anybody_is_suspected() -> None:
    miscount, late = (Failure(0, RUN, 0, why, "") for why in (Reason.WRONG_COUNT, Reason.TIMEOUT))
    assert is_suspicious([miscount, miscount, late])
    assert not is_suspicious([miscount, late])


def lost(reason: Reason) -> Failure:
    return Failure(0, RUN, 0, reason, "")


READ = Judgment(7, RUN, 0, "", (1.0,) * 4)


def test_broken_samples_make_somebody_suspected_when_too_few_are_left() -> None:
    assert is_suspicious([lost(Reason.UNREADABLE)] * 3)
    assert is_suspicious([lost(Reason.UNREADABLE)] * 7 + [READ], min_valid=4)
    assert not is_suspicious([lost(Reason.UNREADABLE)] * 4 + [READ] * 4, min_valid=4)
    assert not is_suspicious([lost(Reason.TIMEOUT)] * 7 + [READ], min_valid=4)


def test_a_cut_judge_is_suspicious_only_when_all_samples_are_broken() -> None:
    cut = lost(Reason.TRUNCATED)
    assert is_suspicious([cut, cut, lost(Reason.UNREADABLE)])
    assert not is_suspicious([cut, cut, READ], min_valid=2)


@pytest.mark.parametrize("n", [2, 9, 12, 20])
async def test_the_usual_budget_finds_any_number_of_culprits_in_a_group_of_any_size(n: int) -> None:
    run = tuple(range(n))
    judge = Judge(set(run[1:]))
    assert await rest(judge, run) == (0,)
    assert len(judge.asked) <= 3 * n + 4


class AtRandom(Judge):
    """Can not be read half of the time, whatever it is shown."""

    def __init__(self, seed: int) -> None:
        super().__init__(set(), Reason.UNREADABLE)
        self.rng = random.Random(seed)

    def sample(self, run: Run) -> Sample:
        broken = self.rng.random() < 0.5
        return Failure(0, run, 0, self.reason, "") if broken else super().sample(run)


async def test_a_judge_that_is_unreadable_at_random_blames_less_than_one_group_in_a_hundred() -> (
    None
):
    groups = 0
    for seed in range(4000):
        judge = AtRandom(seed)
        if is_suspicious(await judge([RUN, RUN])):
            groups += bool(await rest(judge))
    assert groups / 4000 < 0.01


def test_a_run_that_judges_a_part_of_the_first_says_who_was_blamed_copies_included() -> None:
    assert set(blamed([(0, 1, 2), (0, 2)], (0, 1, 2, 1))) == {1, 3}
    assert not blamed([(0, 1, 2)], (0, 1, 2))
    assert not blamed([(0, 1), (1, 2)], (0, 1, 2))
