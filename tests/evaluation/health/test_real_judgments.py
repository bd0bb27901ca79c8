"""The numbers on real judgments: MT-Bench answers that a judge scored three times each."""

from __future__ import annotations

import json
import statistics
from collections import defaultdict
from itertools import combinations

import pytest

from grm_plugin.evaluation.health import health_of
from grm_plugin.types import Group, Judgment, Verdict
from tests.shared_data import shared_data


def thrice_judged() -> list[Verdict]:
    """A group for each question: four answers, three judgments (points 1 to 5)."""
    rows = json.loads(shared_data("mt-bench-3x/mt_bench_eval.json").read_text())
    answers: dict[int, list[list[float]]] = defaultdict(list)
    for row in rows:
        scores = row["gpt4_score"]
        answers[row["idx"]].append(json.loads(scores) if isinstance(scores, str) else scores)
    return [verdict(str(question), found) for question, found in answers.items()]


def verdict(question: str, scores_N_K: list[list[float]]) -> Verdict:
    n = len(scores_N_K)
    columns = enumerate(zip(*scores_N_K, strict=True))
    judged = [Judgment(k, tuple(range(n)), 0, "", tuple(map(float, row))) for k, row in columns]
    rewards = tuple((statistics.fmean(one) - 1) / 4 for one in scores_N_K)
    return Verdict(Group.of(question, [f"r{i}" for i in range(n)]), rewards, tuple(judged))


def votes_N(verdict: Verdict) -> list[list[float]]:
    columns = zip(*(one.scores for one in verdict.judgments), strict=True)
    return [[vote for vote in column if vote is not None] for column in columns]


def test_agreement_and_reliability_are_those_computed_from_pairs_of_votes() -> None:
    verdicts = thrice_judged()
    votes = [unit for one in verdicts for unit in votes_N(one)]
    apart = statistics.fmean((a - b) ** 2 for unit in votes for a, b in combinations(unit, 2))
    everything = [vote for unit in votes for vote in unit]
    by_chance = 2 * statistics.variance(everything)
    health = health_of(verdicts)
    assert health["krippendorff_alpha"].n == 960
    assert health["krippendorff_alpha"].value == pytest.approx(1 - apart / by_chance)
    assert health["krippendorff_alpha"].value == pytest.approx(0.85, abs=0.01)
    assert health["reliability"].value == pytest.approx(within_groups(verdicts, apart / 2))


def within_groups(verdicts: list[Verdict], scatter: float) -> float:
    """The share of a vote's variance between the answers to one question, by its definition."""
    between = []
    for one in verdicts:
        means = list(map(statistics.fmean, votes_N(one)))
        between.append(statistics.variance(means) - scatter / 3)
    return statistics.fmean(between) / (statistics.fmean(between) + scatter)


def test_three_votes_are_steady_and_one_of_two_single_ones_ties() -> None:
    health = health_of(thrice_judged())
    assert health["reliability"].low > 0.6 and health["reliability_of_mean"].low > 0.8
    assert health["k_for_80"].value <= 3
    assert health["judgment_tie_rate"].value > 1.3 * health["tie_rate"].value
