"""What a vote of repeated judgments is worth: MT-Bench answers that one judge graded three times.

``python benchmarks/mt_bench_votes.py FILE``: the file is the MT-Bench data of Prometheus
(``mt_bench_eval.json``: 80 instructions, four answers each, three independent GPT-4 grades of 1..5
with their feedback). It is no part of this project. Its judgments are written as a record, one
verdict an answer, and go through the ``replay`` engine and the template ``prometheus-each``.

No judgment is known to be right, so what is measured is how a judge agrees with itself: how a vote
of one or two of an answer's judgments goes with a judgment that did not vote. All intervals are
95 %, of a bootstrap over instructions, whose answers come together.
"""

from __future__ import annotations

import argparse
import itertools
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from machine import save
from numpy.typing import NDArray

from grm_plugin import GRM, Group, Judgment, Verdict
from grm_plugin.engine import Limits
from grm_plugin.evaluation.accuracy import settled_at
from grm_plugin.evaluation.benchmarks.correlating import COEFFICIENTS, Coefficient, over_responses
from grm_plugin.evaluation.benchmarks.reading import rows_of
from grm_plugin.evaluation.combining import Less
from grm_plugin.evaluation.figures import Average, Figure, Mean, Statistic, Weighted, ratio
from grm_plugin.evaluation.items import SOURCE, Item
from grm_plugin.evaluation.measuring import measure
from grm_plugin.evaluation.outcomes import Ties
from grm_plugin.evaluation.truth import Best, Ratings
from grm_plugin.pipeline.settling import Rule
from grm_plugin.plugins import installed
from grm_plugin.running.recorder import Recorder

GRADING = {"rating": "gpt4_score", "form": "grading", "source": "idx"}
TEMPLATE, LOW, HIGH = "prometheus-each", 1, 5
K = 3
VOTES, KEPT, SINGLE = "votes", "kept", "single"
"""Names in an item's metadata: how many judgments voted, which ones against which, and what each
alone comes to."""
TOLD = {1: "against one other", 2: "against the mean of the two others"}
TIES: Sequence[Ties] = ("half", "strict")


def main() -> None:
    """Replay, measure, save and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--note", default="", help="what else the machine did")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        verdicts, rule = replayed(options.file, Path(folder) / "record.jsonl")
    result = {"note": options.note, **studied(verdicts, rule)}
    print("saved", save("mt_bench_votes", result, "numpy"))
    for name, found in result["figures"].items():
        print(name, found)


def replayed(file: Path, record: Path) -> tuple[list[Verdict], Rule]:
    """The verdicts of all answers, settled from a record, and the rule that settled them."""
    with Recorder(record) as recorder:
        for verdict in recorded(file):
            recorder.write(verdict)
    engine = {"name": "replay", "path": str(record)}
    with GRM(engine=engine, template=TEMPLATE, k=K) as grm:
        found = list(grm.score_many(verdict.group for verdict in recorded(file)))
        return found, grm.rule


def recorded(file: Path) -> Iterator[Verdict]:
    """One verdict an answer, with its judgments in the form that the template asks for."""
    benchmark = installed().make("benchmark", "ratings", {"path": str(file), **GRADING}, Limits())
    for row, group in zip(rows_of(str(file)), benchmark, strict=True):
        told = zip(row.values["gpt4_score"], row.values["gpt4_feedback"], strict=True)
        judgments = tuple(
            Judgment(k, (0,), k, f"Feedback: {text} [RESULT] {score}", (float(score),))
            for k, (score, text) in enumerate(told)
        )
        yield Verdict(group, (unit(judgments),), judgments, origin={"k": K})


def unit(judgments: Sequence[Judgment]) -> float:
    """Their mean score, 0..1."""
    scores = [one.scores[0] or 0.0 for one in judgments]
    return (sum(scores) / len(scores) - LOW) / (HIGH - LOW)


def studied(verdicts: Sequence[Verdict], rule: Rule) -> dict[str, Any]:
    """All figures of the study."""
    whole = [verdict for verdict in verdicts if len(verdict.judgments) == K]
    dropped = Counter(str(one.reason) for verdict in verdicts for one in verdict.failures)
    answers = [Answer.of(verdict, rule) for verdict in whole]
    against, pairs = list(held_out(answers)), list(compared(answers))
    figures: dict[str, Any] = {}
    for name, coefficient in COEFFICIENTS.items():
        one, two = (agreement(f"{name}, {TOLD[votes]}", coefficient, votes) for votes in (1, 2))
        figures |= rising(one, two, name, against)
    for ties in TIES:
        named = {votes: f"order of two answers, ties {ties}, {TOLD[votes]}" for votes in (1, 2)}
        one, two = (Mean(named[votes], where={VOTES: votes}, tie=ties) for votes in (1, 2))
        figures |= rising(one, two, f"order of two answers, ties {ties}", pairs)
    whole_figure = Statistic("reliability of one judgment", of=reliability)
    return {
        "answers": len(verdicts),
        "unscored": sum(not verdict.scored for verdict in verdicts),
        "with three readable judgments": len(whole),
        "dropped judgments": dict(dropped),
        "instructions": len({answer.source for answer in answers}),
        whole_figure.name: told(whole_figure, [one.item((0,), (1,)) for one in answers]),
        "figures": figures,
        "ties of pairs": {votes: tie_rate(answers, votes) for votes in range(1, K + 1)},
    }


@dataclass(frozen=True)
class Answer:
    """An answer with the reward that each set of its judgments comes to.

    Args:
        group: it and its instruction.
        source: the instruction's number.
        rewards: 0..1, by the judgments that voted.
    """

    group: Group
    source: str
    rewards: dict[tuple[int, ...], float]

    @classmethod
    def of(cls, verdict: Verdict, rule: Rule) -> Answer:
        """Of a verdict with K judgments."""
        rewards = {
            some: float((settled.rewards or (np.nan,))[0] or 0.0)
            for votes in range(1, K + 1)
            for some, settled in zip(
                itertools.combinations(range(K), votes),
                settled_at(verdict, rule, k=votes),
                strict=True,
            )
        }
        return cls(verdict.group, str(verdict.group.metadata[SOURCE]), rewards)

    def item(self, votes: tuple[int, ...], kept: tuple[int, ...]) -> Item:
        """Some of its judgments as the reward, others as the truth."""
        about = {
            SOURCE: self.source,
            VOTES: len(votes),
            KEPT: f"{votes} against {kept}",
            SINGLE: [self.rewards[(k,)] for k in range(K)],
        }
        truth = Ratings((self.rewards[kept],))
        return Item(self.group.fingerprint, "", truth, (self.rewards[votes],), about)


def held_out(answers: Iterable[Answer]) -> Iterator[Item]:
    """Every vote of one or two against a judgment that did not vote."""
    for answer in answers:
        for one in range(K):
            for votes in (others(one), *((other,) for other in others(one))):
                yield answer.item(votes, (one,))


def others(one: int) -> tuple[int, ...]:
    """All judgments but one."""
    return tuple(other for other in range(K) if other != one)


def compared(answers: Iterable[Answer]) -> Iterator[Item]:
    """Pairs of answers to one instruction: the better one by a judgment, and what votes say."""
    for one, other in paired(answers):
        for kept in range(K):
            truth = [answer.rewards[(kept,)] for answer in (one, other)]
            if truth[0] == truth[1]:
                continue
            for votes in (others(kept), *((vote,) for vote in others(kept))):
                yield Item(
                    fingerprint=one.group.fingerprint + other.group.fingerprint,
                    label="",
                    truth=Best((int(truth[1] > truth[0]),)),
                    rewards=(one.rewards[votes], other.rewards[votes]),
                    metadata={SOURCE: one.source, VOTES: len(votes)},
                )


def paired(answers: Iterable[Answer]) -> Iterator[tuple[Answer, Answer]]:
    """All pairs of answers to one instruction."""
    by_source: dict[str, list[Answer]] = defaultdict(list)
    for answer in answers:
        by_source[answer.source].append(answer)
    for some in by_source.values():
        yield from itertools.combinations(some, 2)


def agreement(title: str, coefficient: Coefficient, votes: int) -> Figure:
    """The mean coefficient over all ways to choose who votes and who is held against it."""
    ways = [
        Statistic(
            f"{some} against {(kept,)}",
            of=partial(over_responses, coefficient),
            where={KEPT: f"{some} against {(kept,)}"},
        )
        for kept in range(K)
        for some in itertools.combinations(others(kept), votes)
    ]
    return Average(title, tuple(ways))


def rising(one: Figure, two: Figure, name: str, items: Sequence[Item]) -> dict[str, Any]:
    """Agreement with a judgment that did not vote, of one vote and of two, and the difference."""
    change = Less(f"{name}, gained by the second vote", one=two, other=one)
    return {figure.name: told(figure, items) for figure in (one, two, change)}


def told(figure: Figure, items: Sequence[Item]) -> dict[str, float | None]:
    """Value and interval."""
    found = measure(figure, items)
    ends = {"value": found.value, "low": found.low, "high": found.high}
    return {name: None if end is None else round(end, 4) for name, end in ends.items()}


def reliability(items: Sequence[Item]) -> Weighted:
    """The share of the variance of one judgment that lies between answers (ICC 1)."""
    scores_G_K = np.array([item.metadata[SINGLE] for item in items])
    within_G, means_G = scores_G_K.var(axis=1, ddof=1), scores_G_K.mean(axis=1)

    def over(weights_R_G: NDArray[Any]) -> NDArray[Any]:
        within_R = ratio(weights_R_G @ within_G, weights_R_G)
        mean_R = ratio(weights_R_G @ means_G, weights_R_G)
        squares_R = (weights_R_G * (means_G - mean_R[:, None]) ** 2).sum(axis=1)
        between_R = squares_R / (weights_R_G.sum(axis=1) - 1) - within_R / K
        share_R: NDArray[Any] = between_R / (between_R + within_R)
        return share_R

    return over


def tie_rate(answers: Sequence[Answer], votes: int) -> float:
    """How often votes see two answers to an instruction as equal, over all sets of so many."""
    pairs, sets = list(paired(answers)), list(itertools.combinations(range(K), votes))
    ties = sum(one.rewards[some] == other.rewards[some] for one, other in pairs for some in sets)
    return round(ties / (len(pairs) * len(sets)), 4)


if __name__ == "__main__":
    main()
