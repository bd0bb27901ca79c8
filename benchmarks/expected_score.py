"""Is an expected score a better vote than a written one? A study on the reference judge.

``python benchmarks/expected_score.py``

The plan, written before the first run:

- Question. The contract `expected` reads the probabilities of the digits in the box instead of the
  digits. Does the best response win more often, and do ties and groups without spread vanish?
- Data. Best-of-4 groups of held-out words and phrasings (`best_of_groups`, seed 20261126, which
  nothing else uses), 300 of them; the best response is unique by the hidden checker.
- Judge. The shipped reference judge at its own settings (temperature 1, balanced shuffles), k = 8
  samples a group, drawn once with the contract `expected`. The plain votes read the very same texts
  again by the contract `boxed` in a replay, so both rules see the same samples and orders.
- Votes. The mean over k = 1, 2, 4, 8 samples, for every set of k of the 8 samples.
- Measures, each the mean over groups: accuracy with a tie of m counted 1 / m (the main one), a
  half and nothing; the share of groups with a tie for the top; of those with all rewards equal; of
  those whose rewards have a standard deviation below 0.01 (a tenth of a point), which is what
  normalising by it would blow up; how sure the judge is of the tokens in its boxes.
- Intervals. 95 %, bootstrap over clusters of groups whose first requirement has the same phrasing;
  differences are paired by group.
- Deadlines are out of the way: no sample is lost to a slow machine.
- Nothing is tuned and nothing is left out: a sample that one contract can not read is a dropped
  sample of that contract, and the shares are told.
"""

from __future__ import annotations

import argparse
import math
import statistics
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from machine import save

from grm_plugin import GRM, Group, Verdict
from grm_plugin.evaluation.accuracy import hit_at, settled_at
from grm_plugin.evaluation.outcomes import Ties
from grm_plugin.evaluation.statistics import Estimate, bootstrap
from grm_plugin.pipeline.settling import Rule
from grm_plugin.reference.tasks.data import TaskGroup, best_of_groups

SEED, N, K, SIZES = 20261126, 4, 8, (1, 2, 4, 8)
PATIENT = dict.fromkeys(("request_timeout_s", "group_timeout_s", "batch_timeout_s"), 7200.0)
NARROW = 0.01
TIES: tuple[Ties, ...] = ("random", "half", "strict")

Measure = Callable[[Verdict, Rule, int], float]


@dataclass(frozen=True)
class Votes:
    """The verdicts of one contract, and the rule that settles them."""

    verdicts: Sequence[Verdict]
    rule: Rule

    def each(self, measure: Measure, k: int) -> list[float]:
        """``measure`` of every group at that k."""
        return [measure(verdict, self.rule, k) for verdict in self.verdicts]


def main() -> None:
    """Judge, compare and save."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--groups", type=int, default=300)
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args()
    tasks = best_of_groups(options.seed, "heldout", responses=N, number=options.groups)
    with tempfile.TemporaryDirectory() as folder:
        expected, boxed = judged([group_of(one) for one in tasks], Path(folder) / "drawn.jsonl")
    result = {
        **vars(options),
        "responses": N,
        "samples": K,
        "readable": {
            name: readable(votes) for name, votes in (("expected", expected), ("boxed", boxed))
        },
        "boxes": certainty(expected.verdicts),
        "k": compared(expected, boxed, [phrasing(one) for one in tasks]),
    }
    print("saved", save("expected_score", result, "torch", "transformers"))


def group_of(task: TaskGroup) -> Group:
    """What the judge gets, with the best response noted beside it."""
    return Group.of(task.task.query, task.responses, metadata={"best": task.best})


def judged(groups: Sequence[Group], record: Path) -> tuple[Votes, Votes]:
    """The same samples read by both contracts."""
    with GRM(engine="reference", contract="expected", k=K, record=record, **PATIENT) as grm:
        expected = Votes(grm.score_batch(groups), grm.rule)
    replay = {"name": "replay", "path": str(record)}
    with GRM(engine=replay, template="reference", contract="boxed", k=K) as grm:
        boxed = Votes(grm.score_batch(groups), grm.rule)
    return expected, boxed


def phrasing(one: TaskGroup) -> str:
    """The held-out phrasing of the first requirement: what a group is clustered by."""
    return one.task.phrasings[1]


def compared(expected: Votes, boxed: Votes, clusters: Sequence[str]) -> dict[int, Any]:
    """Every measure of both, and the difference, by k."""
    measures: dict[str, Measure] = {
        **{f"accuracy, ties {ties}": partial(accuracy, ties) for ties in TIES},
        "tie for the top": partial(share, tied),
        "all equal": partial(share, lambda rewards: max(rewards) == min(rewards)),
        f"spread below {NARROW}": partial(
            share, lambda rewards: statistics.pstdev(rewards) < NARROW
        ),
    }
    found: dict[int, Any] = {}
    for k in SIZES:
        found[k] = {}
        for name, measure in measures.items():
            new, old = expected.each(measure, k), boxed.each(measure, k)
            differences = [a - b for a, b in zip(new, old, strict=True)]
            found[k][name] = {
                "expected": rounded(bootstrap(new, clusters=clusters)),
                "boxed": rounded(bootstrap(old, clusters=clusters)),
                "difference": rounded(bootstrap(differences, clusters=clusters)),
            }
            print(k, name, found[k][name], flush=True)
    return found


def accuracy(ties: Ties, verdict: Verdict, rule: Rule, k: int) -> float:
    """How often the best response wins."""
    return hit_at(verdict, rule, verdict.group.metadata["best"], k=k, ties=ties)


def share(what: Callable[[Sequence[float]], bool], verdict: Verdict, rule: Rule, k: int) -> float:
    """Of the sets of samples that give rewards, the share of whose rewards ``what`` is true."""
    rewards = [each.rewards for each in settled_at(verdict, rule, k=k) if each.rewards]
    known = [[reward for reward in row if reward is not None] for row in rewards]
    return statistics.fmean(map(what, known)) if known else 0.0


def tied(rewards: Sequence[float]) -> bool:
    """Whether two or more share the top."""
    return rewards.count(max(rewards)) > 1


def readable(votes: Votes) -> float:
    """Share of the samples that the contract could read."""
    valid = sum(len(verdict.judgments) for verdict in votes.verdicts)
    return round(valid / (K * len(votes.verdicts)), 4)


def certainty(verdicts: Sequence[Verdict]) -> dict[str, float]:
    """Probabilities that the judge gave to the numbers it wrote."""
    chances = [
        math.exp(token.logprob)
        for verdict in verdicts
        for judgment in verdict.judgments
        for token in judgment.tokens
        if token.text.strip().isdigit()
    ]
    sure = statistics.fmean(chance > 0.99 for chance in chances)
    return {"mean probability": round(statistics.fmean(chances), 4), "above 0.99": round(sure, 4)}


def rounded(estimate: Estimate) -> list[float]:
    """Value, low and high end."""
    return [round(number, 4) for number in (estimate.value, estimate.low, estimate.high)]


if __name__ == "__main__":
    main()
