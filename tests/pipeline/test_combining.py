"""Votes, sizes and selectors that mean nothing with a plan are refused; pairs keep both ways."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from grm_plugin import Size
from grm_plugin.engine import SampleRequest
from grm_plugin.errors import ConfigError
from tests.core.honest_judge import box, grm, group, honest, qualities


def better(request: SampleRequest, i: int) -> str:
    first, second = qualities(request)
    return box([10, 1] if first > second else [1, 10])


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"plan": "pairs", "vote": "sum"}, "vote: sum grows .* with plan 'pairs'"),
        ({"plan": "each", "vote": "sum"}, "vote: sum grows .* with plan 'each'"),
        ({"over_context": "split", "vote": "sum"}, "vote: sum grows .* that is split"),
        ({"plan": "each", "vote": "majority"}, "vote: majority compares .* expected mean"),
        ({"plan": "each", "vote": "borda"}, "vote: borda compares .* expected mean"),
    ],
)
def test_a_vote_that_means_nothing_with_the_plan_is_refused(settings, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        grm(honest, k=2, **settings)


def test_a_sum_over_whole_lists_and_a_majority_of_pairs_stay() -> None:
    grm(honest, vote="sum").close()
    grm(better, vote="majority", plan="pairs").close()


def test_one_permutation_of_pairs_is_refused_for_every_size() -> None:
    schedule = {"by": "saturation", "sizes": [{"k": 1}, {"k": 4}]}
    with pytest.raises(ConfigError, match=r"schedule\.sizes\.1: permutations: pairs are shown"):
        grm(better, k=1, permutations=1, plan="pairs", schedule=schedule)
    with (
        grm(better, k=1, permutations=1, plan="pairs") as judge,
        pytest.raises(ConfigError, match=r"size: permutations: pairs are shown .* k = 4, got 1"),
    ):
        judge.score(group(1, 2), size=Size(k=4))


def test_a_meta_rm_that_lets_one_judgment_of_a_pair_vote_is_refused_for_every_size() -> None:
    one = {"name": "meta_rm", "k_meta": 1}
    with pytest.raises(ConfigError, match="k_meta: pairs are judged both ways round"):
        grm(better, k=4, plan="pairs", select=one)
    with (
        grm(better, k=4, plan="pairs", select="meta_rm") as judge,
        pytest.raises(ConfigError, match="size: k_meta: pairs are judged both ways round"),
    ):
        judge.score(group(1, 2), size=Size(k=4, k_meta=1))


class Longest:
    """A meta RM that prefers one way round: whatever comes first."""

    async def start(self) -> None: ...
    async def close(self) -> None: ...

    async def logits(self, texts: list[str]) -> list[float]:
        return [float(-text.index("quality 9")) for text in texts]


@pytest.mark.parametrize("k_meta", [None, 2, 3])
def test_a_meta_rm_lets_both_ways_of_a_pair_vote(k_meta: int | None) -> None:
    select = {"name": "meta_rm", "classifier": Longest(), "k_meta": k_meta}
    with grm(better, k=6, plan="pairs", select=select) as judge:
        verdict = judge.score(group(2, 9))
    assert verdict.rewards == (0.0, 1.0)
    assert sum(one.voted for one in verdict.judgments) == (k_meta or 3)


@pytest.mark.parametrize("seed", range(12))
def test_independent_shuffles_lose_no_pair(seed: int) -> None:
    with grm(better, k=2, plan="pairs", shuffle="independent", seed=seed) as judge:
        assert judge.score(group(2, 9, 5)).scored
        assert None not in judge.score(group(2, 9, 5)).rewards


def test_the_seed_moves_the_ring_and_the_pivot() -> None:
    pivots = set()
    for seed in range(8):
        plan = {"name": "pairs", "scheme": "pivot"}
        with grm(better, k=2, plan=plan, seed=seed) as judge:
            verdict = judge.score(group(2, 9, 5, 7))
        runs = [set(one.order) for one in verdict.judgments]
        pivots.add(tuple(set.intersection(*runs)))
    assert len(pivots) > 1


NEEDS_TWO = "---\nresponses: [2, 8]\n---\n{{conversation}}\n{{responses}}\n"


def two(tmp_path: Path) -> str:
    (tmp_path / "two.txt").write_text(NEEDS_TWO)
    return str(tmp_path / "two.txt")


def test_merging_never_shows_fewer_responses_than_the_template_takes(tmp_path: Path) -> None:
    with grm(honest, k=2, template=two(tmp_path)) as judge:
        verdict = judge.score(group(5, 5))
        assert {len(qualities(one)) for one in judge.engine.requests} == {2}
    assert verdict.rewards == (pytest.approx(4 / 9),) * 2


def test_splitting_never_shows_fewer_responses_than_the_template_takes(tmp_path: Path) -> None:
    from grm_plugin import Group
    from grm_plugin.testing import ScriptedEngine

    engine = ScriptedEngine(honest, context_tokens=2500)
    long = Group.of("q", [f"quality {n} " + "x" * 1000 for n in range(1, 4)])
    settings = {"k": 1, "max_tokens": 1000, "over_context": "split", "template": two(tmp_path)}
    with grm(engine, **settings) as judge:
        (verdict,) = judge.score_batch([long])
        assert not engine.requests
    assert re.search("shows 2 responses or more, and .* runs of 1", verdict.unscored)
