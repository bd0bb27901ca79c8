"""The stopper ``ranking`` ends a group early, and changes nothing else about it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from grm_plugin import GRM, Size
from grm_plugin.engine import Draw, SampleRequest
from grm_plugin.errors import ConfigError, TransportError
from grm_plugin.records import read_verdicts
from grm_plugin.testing import ScriptedEngine, scripted
from grm_plugin.types import Verdict
from tests.core.honest_judge import box, grm, group, qualities
from tests.pipeline.test_combining import Longest

RANKING = {"name": "ranking", "error": 0.02}
Judge = Callable[[SampleRequest, int], str]


def off_by(most: int) -> Judge:
    """A judge whose scores are off by up to so many points, as the draw's seed has it."""

    def judge(request: SampleRequest, i: int) -> str:
        rng = random.Random(request.seed + i)
        return box(
            min(10, max(1, quality + rng.randint(-most, most))) for quality in qualities(request)
        )

    return judge


def judged(judge: Judge, *numbers: int, **settings: object) -> Verdict:
    with grm(judge, **{"k": 32, "stop": RANKING, **settings}) as found:
        return found.score(group(*numbers))


def test_a_clear_lead_ends_early_and_a_close_one_late() -> None:
    clear, close = judged(off_by(2), 2, 9, 5), judged(off_by(2), 5, 6, 5)
    assert clear.drawn < close.drawn
    assert (clear.drawn, clear.ended_early, clear.origin["k"]) == (6, True, 32)


def test_what_is_drawn_is_the_beginning_of_what_a_fixed_k_draws() -> None:
    few, all_ = judged(off_by(2), 4, 8, 5), judged(off_by(2), 4, 8, 5, stop="fixed")
    assert few.judgments == all_.judgments[: few.drawn]
    assert 4 <= few.drawn < len(all_.judgments) == 32


def test_the_reward_is_the_vote_of_the_samples_that_were_drawn() -> None:
    found = judged(off_by(2), 4, 8, 5)
    means = [
        sum(column) / found.drawn
        for column in zip(*(j.scores for j in found.judgments), strict=True)
    ]
    assert found.rewards == pytest.approx([(mean - 1) / 9 for mean in means])


def test_a_round_shows_an_order_and_its_reverse() -> None:
    found = judged(off_by(2), 4, 8, 5, 6)
    pairs = zip(found.judgments[::2], found.judgments[1::2], strict=True)
    assert all(one.order == other.order[::-1] for one, other in pairs)


def test_a_tie_at_the_top_and_a_single_response_get_all_samples() -> None:
    assert judged(off_by(0), 7, 7, 2, duplicates="keep").drawn == 32
    assert judged(off_by(0), 7).drawn == 32
    assert judged(off_by(0), 9, 9, duplicates="merge").drawn == 32


def test_a_copy_of_the_leader_is_no_rival() -> None:
    assert judged(off_by(0), 9, 9, 2).drawn == 4


@pytest.mark.parametrize(
    ("settings", "drawn"),
    [({"min_samples": 7}, 8), ({"round": 6}, 6), ({"min_samples": 2}, 2), ({"error": 1e-9}, 6)],
)
def test_options_say_how_many_and_how_sure(settings: dict[str, float], drawn: int) -> None:
    assert judged(off_by(0), 1, 10, stop={**RANKING, **settings}).drawn >= drawn
    if "error" not in settings:
        assert judged(off_by(0), 1, 10, stop={**RANKING, **settings}).drawn == drawn


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"error": 0.5}, "error: .* less than 0.5"),
        ({"round": 3}, "round: .*expected an even number, got 3"),
        ({"min_samples": 1}, "min_samples: .* at least 2"),
        ({"eror": 0.1}, "eror"),
    ],
)
def test_options_that_mean_nothing_are_refused(options: dict[str, float], problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        grm(off_by(0), k=8, stop={**RANKING, **options})


def test_shared_orders_are_refused_where_the_first_samples_would_share_one() -> None:
    with pytest.raises(ConfigError, match=r"permutations: with stop: ranking .* leave perm"):
        grm(off_by(0), k=8, permutations=2, stop=RANKING)
    schedule = {"by": "saturation", "sizes": [{"k": 2}, {"k": 4}]}
    with pytest.raises(ConfigError, match=r"schedule\.sizes\.1: permutations: with stop"):
        grm(off_by(0), k=2, permutations=2, stop=RANKING, schedule=schedule)
    grm(off_by(0), k=8, permutations=1, plan="each", stop=RANKING).close()


def test_failed_samples_count_as_drawn_and_a_reward_has_its_min_valid() -> None:
    def every_fourth(request: SampleRequest, i: int) -> str:
        number = request.first + i
        return box(qualities(request)) if number % 4 == 0 else "?"

    # a fourth is valid, and half must be: no sample may be left out
    assert judged(every_fourth, 1, 9, find_culprits=0).drawn == 32
    found = judged(every_fourth, 1, 9, min_valid=3)
    assert found.scored and len(found.judgments) >= 3
    assert len(found.judgments) + len(found.failures) == found.drawn < 32


def test_a_judge_that_is_away_is_no_early_end() -> None:
    def away(request: SampleRequest, i: int) -> TransportError:
        return TransportError("the judge is away")

    with grm(away, k=8, stop=RANKING) as judge:
        found = judge.score(group(1, 9))
    assert not found.scored and len(found.failures) == 8


@pytest.mark.parametrize("plan", ["list", "each", "pairs"])
def test_every_plan_ends_early_with_the_winner_that_k_has(plan: str) -> None:
    whole = judged(off_by(2), 2, 9, 4, plan=plan, stop="fixed")
    found = judged(off_by(2), 2, 9, 4, plan=plan)
    assert found.ended_early and found.scored
    assert found.rewards.index(max(found.rewards)) == whole.rewards.index(max(whole.rewards)) == 1
    assert {one.run for one in found.judgments} == {one.run for one in whole.judgments}


@pytest.mark.parametrize("vote", ["mean", "sum", "majority", "borda", "median"])
def test_every_vote_ends_early(vote: str) -> None:
    assert judged(off_by(1), 2, 9, 4, vote=vote).ended_early


def test_of_what_was_drawn_the_same_share_votes() -> None:
    for k_meta, voters in ((8, 1), (16, 2), (None, 2)):
        select = {"name": "meta_rm", "classifier": Longest()}
        with grm(
            off_by(0), k=32, stop=RANKING, select=select | ({"k_meta": k_meta} if k_meta else {})
        ) as judge:
            found = judge.score(group(1, 9))
        assert found.drawn == 4
        assert sum(one.voted for one in found.judgments) == voters


def test_a_replay_draws_what_was_drawn(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    first = judged(off_by(2), 4, 7, 5, record=path)
    for settings in ({}, {"stop": RANKING}, {"stop": RANKING, "k": 32}):
        with GRM(engine={"name": "replay", "path": path}, **settings) as judge:
            again = judge.score(group(4, 7, 5))
        assert again.rewards == first.rewards and again.drawn == first.drawn
    (recorded,) = read_verdicts(path)
    assert recorded.ended_early and recorded.origin["stop"] == RANKING


def test_a_record_of_all_samples_tells_what_the_stopper_would_have_drawn(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    judged(off_by(2), 4, 7, 5, record=path, stop="fixed")
    with GRM(engine={"name": "replay", "path": path}, stop=RANKING) as judge:
        assert judge.score(group(4, 7, 5)).judgments == judged(off_by(2), 4, 7, 5).judgments


def test_the_budget_sets_aside_all_samples_and_counts_those_that_were_drawn() -> None:
    def told(request: SampleRequest, i: int) -> Draw:
        return Draw(box(qualities(request)), "stop", prompt_tokens=100, output_tokens=10)

    asked = [group(1, 10, prompt=f"q {n}") for n in range(6)]
    with grm(told, k=16, stop=RANKING, max_tokens=100, budget={"tokens": 90_000}) as judge:
        found = judge.score_batch(asked)
    assert all(one.drawn == 4 for one in found)
    assert sum(one.cost.prompt_tokens for one in found) == 6 * 4 * 100


def test_no_round_begins_after_the_groups_deadline() -> None:
    class Slow(ScriptedEngine):
        async def sample(self, request: SampleRequest) -> list[Draw]:
            await asyncio.sleep(0.15)
            return [Draw(box([6, 6]), "stop")] * request.n

    with GRM(
        plugins=scripted(Slow([])), engine="scripted", k=64, stop=RANKING, group_timeout_s=1
    ) as judge:
        found = judge.score(group(5, 6))
    assert found.scored and 4 <= found.drawn < 64


def test_a_size_of_the_caller_is_the_cap() -> None:
    with grm(off_by(0), k=4, stop=RANKING) as judge:
        assert 4 < judge.score(group(5, 6), size=Size(k=8)).drawn <= 8
        assert judge.score(group(5, 6), size=Size(k=2)).drawn == 2
