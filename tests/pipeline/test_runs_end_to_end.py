"""Judges of pairs, of single responses, and that speak twice, through the whole pipeline."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from grm_plugin import GRM, Group
from grm_plugin.engine import Draw, SampleRequest
from grm_plugin.errors import ConfigError, EngineError, TransportError
from grm_plugin.testing import ScriptedEngine
from tests.core.honest_judge import box, grm, group, honest, qualities


def better(request: SampleRequest, i: int) -> str:
    """The better one of two, without fail."""
    first, second = qualities(request)
    return box([10, 1] if first > second else [1, 10])


def first_shown(request: SampleRequest, i: int) -> str:
    """Whoever is shown first: a judge that looks at nothing else."""
    return box([10] + [1] * (len(qualities(request)) - 1))


@pytest.mark.parametrize("scheme", ["circular", "all", "pivot"])
@pytest.mark.parametrize("aggregate", ["margin", "bradley_terry"])
def test_pairs_put_a_group_in_order(scheme: str, aggregate: str) -> None:
    plan = {"name": "pairs", "scheme": scheme, "aggregate": aggregate}
    with grm(better, k=2, plan=plan) as judge:
        rewards = judge.score(group(2, 9, 5, 7)).rewards
    best = max(range(4), key=rewards.__getitem__)
    assert best == 1 or (scheme == "circular" and rewards[1] == rewards[best])
    assert min(rewards) == rewards[0]


def test_a_judge_that_likes_a_place_favours_nobody_in_pairs() -> None:
    with grm(first_shown, k=2, plan="pairs") as judge:
        assert judge.score(group(2, 9, 5, 7)).rewards == (0.5, 0.5, 0.5, 0.5)


def test_every_pair_is_shown_both_ways_round_equally_often() -> None:
    engine = ScriptedEngine(better)
    with grm(engine, k=4, plan="pairs") as judge:
        verdict = judge.score(group(2, 9, 5))
    for run in {one.run for one in verdict.judgments}:
        orders = [one.order for one in verdict.judgments if one.run == run]
        assert sorted(map(orders.count, orders)) == [2, 2, 2, 2]


def test_pairs_with_one_order_are_refused_when_the_judge_is_made() -> None:
    with pytest.raises(ConfigError, match="pairs are shown both ways round"):
        grm(better, k=4, permutations=1, plan="pairs")


def test_pairs_and_single_responses_replay_and_vote_again(tmp_path: Path) -> None:
    for plan in ("pairs", "each"):
        path, asked = tmp_path / f"{plan}.jsonl", group(2, 9, 5)
        script = better if plan == "pairs" else honest
        with grm(script, k=2, plan=plan, record=path) as judge:
            first = judge.score(asked)
        with GRM(engine={"name": "replay", "path": path}, plan=plan) as judge:
            assert judge.score(asked).rewards == first.rewards


def test_single_responses_are_judged_alone_and_one_that_fails_costs_itself() -> None:
    def script(request: SampleRequest, i: int) -> str:
        return "?" if qualities(request) == [5] else honest(request, i)

    with grm(script, k=2, plan="each") as judge:
        verdict = judge.score(group(2, 9, 5))
        assert {len(qualities(one)) for one in judge.engine.requests} == {1}
    assert verdict.rewards == (pytest.approx(1 / 9), pytest.approx(8 / 9), None)
    assert list(verdict.unscored_responses) == [2] and verdict.scored


def test_equal_responses_give_a_pair_judge_nothing_to_compare() -> None:
    with grm(better, k=2, plan="pairs") as judge:
        (verdict,) = judge.score_batch([group(5, 5)])
        assert not judge.engine.requests
    assert "two different responses to compare" in verdict.unscored


TWICE = """---
turns:
  - body
  - judge: {stop: ["END"]}
  - user: Now score.
---
{{conversation}}
{{responses}}
What matters?
"""


def test_a_judge_that_speaks_twice_is_shown_what_it_said_and_read_last(
    tmp_path: Path,
) -> None:
    def script(request: SampleRequest, i: int) -> str:
        if len(request.messages) == 1:
            return f"brevity, says draw {request.first + i}"
        found = re.findall(r"quality (\d+)", request.messages[0].content)
        assert request.messages[1].role == "assistant"
        return f"because of {request.messages[1].content}: {box(found)}"

    template = tmp_path / "twice.txt"
    template.write_text(TWICE)
    engine = ScriptedEngine(script)
    path = tmp_path / "r.jsonl"
    with grm(engine, template=str(template), k=2, permutations=1, record=path) as judge:
        verdict = judge.score(group(2, 9))
    assert verdict.rewards == (pytest.approx(1 / 9), pytest.approx(8 / 9))
    assert [one.said for one in verdict.judgments] == [
        ("brevity, says draw 0",),
        ("brevity, says draw 1",),
    ]
    assert engine.requests[0].sampling.stop == ("END",) and not engine.requests[1].sampling.stop
    with GRM(engine={"name": "replay", "path": path}, template=str(template)) as judge:
        assert judge.score(group(2, 9)).rewards == verdict.rewards


def test_an_error_in_the_second_round_keeps_the_text_and_the_cost_of_the_first(
    tmp_path: Path,
) -> None:
    def script(request: SampleRequest, i: int) -> str | Draw | EngineError:
        if len(request.messages) == 1:
            return Draw("brevity", "stop", 11, 3)
        return TransportError("HTTP 503")

    template = tmp_path / "twice.txt"
    template.write_text(TWICE)
    with grm(script, template=str(template), k=1) as judge:
        (verdict,) = judge.score_batch([group(2, 9)])
    (failure,) = verdict.failures
    assert failure.said == ("brevity",) and failure.reason == "transport"
    assert (verdict.cost.prompt_tokens, verdict.cost.output_tokens) == (11, 3)


def test_probabilities_are_asked_for_only_in_the_round_that_is_read(tmp_path: Path) -> None:
    template = tmp_path / "twice.txt"
    template.write_text(TWICE)
    contract = {"name": "expected", "of": "boxed"}
    with grm(lambda *_: box([2]), template=str(template), contract=contract, k=1) as judge:
        judge.score_batch([group(2)])
        assert [bool(one.logprobs) for one in judge.engine.requests] == [False, True]


# a response that makes the judge miscount


def fooled(request: SampleRequest, i: int) -> str:
    """Counts a response more for each "Response" that a response brings along."""
    text = request.messages[-1].content
    return box([*qualities(request), *[10] * text.count("one more")])


def veto(*numbers: int, at: tuple[int, ...]) -> Group:
    texts = [f"quality {n}" + (" one more" if i in at else "") for i, n in enumerate(numbers)]
    return Group.of("q", texts, id="veto")


@pytest.mark.parametrize("at", [(0,), (2,), (1, 3)])
def test_a_response_can_not_void_its_group(at: tuple[int, ...]) -> None:
    with grm(fooled, k=4) as judge:
        verdict = judge.score(veto(2, 9, 5, 7, at=at))
    rest = [n for n in range(4) if n not in at]
    assert all(verdict.rewards[n] == pytest.approx([1, 8, 4, 6][n] / 9) for n in rest)
    assert set(verdict.unscored_responses) == set(at)
    assert all("it alone is unscored" in why for why in verdict.unscored_responses.values())


def test_the_search_for_a_culprit_costs_what_the_budget_says_and_can_be_turned_off() -> None:
    for budget, scored in ((0, False), (7, False), (8, True)):
        with grm(fooled, k=2, find_culprits=budget) as judge:
            verdict = judge.score(veto(2, 9, 5, 7, at=(1,)))
            assert len(judge.engine.requests) == 2 + (8 + 2 if scored else 0)
        assert verdict.scored == scored


def test_a_record_of_a_group_without_its_culprit_votes_again_as_it_did(tmp_path: Path) -> None:
    path, asked = tmp_path / "r.jsonl", veto(2, 9, 5, 7, at=(1,))
    with grm(fooled, k=2, record=path) as judge:
        first = judge.score(asked)
    with GRM(engine={"name": "replay", "path": path}) as judge:
        again = judge.score(asked)
    assert again.rewards == first.rewards and again.rewards[1] is None
    assert again.unscored_responses == first.unscored_responses


def test_copies_of_a_culprit_are_blamed_with_it() -> None:
    with grm(fooled, k=2) as judge:
        verdict = judge.score(veto(2, 9, 5, 9, at=(1, 3)))
    assert [reward is None for reward in verdict.rewards] == [False, True, False, True]
    assert all("it alone is unscored" in why for why in verdict.unscored_responses.values())
    assert set(verdict.unscored_responses) == {1, 3}


def test_a_group_over_the_context_is_judged_in_runs_of_its_own_seeds() -> None:
    engine = ScriptedEngine(honest, context_tokens=3500)
    long = Group.of("q", [f"quality {n} " + "x" * 600 for n in range(1, 7)])
    with grm(engine, k=2, max_tokens=1000, over_context="split") as judge:
        verdict = judge.score(long)
    assert verdict.rewards == tuple(pytest.approx((n - 1) / 9) for n in range(1, 7))
    assert len({one.run for one in verdict.judgments}) > 1
