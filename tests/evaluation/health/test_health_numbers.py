"""The numbers of a judge's health are those of the literature, and of arithmetic by hand."""

from __future__ import annotations

import json
import math
import pickle
import random
import statistics
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm_plugin.evaluation.auc import auc
from grm_plugin.evaluation.blocks import Blocks, ratio
from grm_plugin.evaluation.health import Health, HealthSums, health_of
from grm_plugin.evaluation.health.meanings import MEANINGS
from grm_plugin.evaluation.health.praise import PATTERNS, praises_itself
from grm_plugin.hosts.counting import Tally
from grm_plugin.hosts.metrics import numbers
from grm_plugin.hosts.places import Places
from grm_plugin.reliability import of_k_votes, votes_for
from grm_plugin.types import Failure, Group, Judgment, Reason, Verdict
from tests.evaluation.health.judges import SimulatedJudge, record

SHROUT_FLEISS = ("9 2 5 8", "6 1 3 2", "8 4 6 8", "7 1 2 6", "10 5 6 9", "6 2 4 7")
"""Six targets by four raters (Psychol. Bull. 86, 1979, table 2)."""
KRIPPENDORFF = (
    "1 2 3 3 2 1 4 1 2 . . .",
    "1 2 3 3 2 2 4 1 2 5 . 3",
    ". 3 3 3 2 3 4 2 2 5 1 .",
    "1 2 3 3 2 4 4 1 2 5 1 .",
)
"""Four coders of twelve units (Computing Krippendorff's Alpha-Reliability, 2011, C)."""


PHRASES = (
    "this is", "here is my", "the best", "a perfect", "flawless", "highest-quality", "world class",
    "answer", "solution", "this response", "is", "clearly", "covers", "meets", "all", "every",
    "deserves", "should get", "the", "full", "10", "score", "score:", "10/10", "\\boxed{1}",
    "no other", "better than", "any other", "满分", "完美的", "回答", "beste", "Antwort",
    "réponse", "parfaite",
)  # fmt: skip


def votes(*scores_K_N: tuple[float | None, ...], **known: object) -> Verdict:
    """Judgments of one group, all in the order of the group."""
    n = len(scores_K_N[0])
    judged = [Judgment(k, tuple(range(n)), 0, "", scores) for k, scores in enumerate(scores_K_N)]
    return Verdict(Group.of("q", [f"r{i}" for i in range(n)], metadata=known), None, tuple(judged))


def pair(*shown: tuple[str, float, float], name: str = "g", **known: object) -> Verdict:
    """Judgments of two responses a and b, as ``("ab", score of a, score of b)`` by order."""
    judged = [
        Judgment(k, (0, 1) if order == "ab" else (1, 0), 0, "", (a, b))
        for k, (order, a, b) in enumerate(shown)
    ]
    return Verdict(Group.of(name, ["a", "b"], id=name, metadata=known), None, tuple(judged))


def test_the_reliability_is_that_of_shrout_and_fleiss() -> None:
    targets = (map(float, line.split()) for line in SHROUT_FLEISS)
    health = health_of([votes(*zip(*targets, strict=True))])
    assert health["reliability"].value == pytest.approx(0.17, abs=0.005)
    assert health["reliability_of_mean"].value == pytest.approx(0.44, abs=0.005)


def test_krippendorffs_alpha_is_that_of_his_own_example() -> None:
    units = zip(*(line.split() for line in KRIPPENDORFF), strict=True)
    one_each = [votes(*[(float(vote),) for vote in unit if vote != "."]) for unit in units]
    assert health_of(one_each)["krippendorff_alpha"].value == pytest.approx(0.849, abs=0.0005)


@given(st.floats(0.01, 0.99), st.sampled_from([0.8, 0.9]))
def test_as_many_votes_as_asked_for_reach_the_reliability_and_one_fewer_does_not(
    one: float, target: float
) -> None:
    k = votes_for(target, one)
    assert of_k_votes(one, k) >= target - 1e-9
    assert k == 1 or of_k_votes(one, k - 1) < target


def test_no_number_of_votes_is_enough_where_responses_are_alike() -> None:
    found = health_of([votes((4.0, 6.0), (6.0, 4.0)), votes((5.0, 6.0), (6.0, 5.0))])["k_for_80"]
    assert found.value == math.inf and found.text.startswith("no number")


def test_flips_of_a_judge_that_goes_by_order_alone_are_all_by_order() -> None:
    first_wins = pair(("ab", 9, 2), ("ba", 2, 9), ("ab", 8, 3), ("ba", 3, 8))
    health = health_of([first_wins])
    assert health["earlier_wins"].value == 1
    assert health["flip_rate"].value == 1 and health["flip_rate_same_order"].value == 0
    assert health["flips_by_order"].value == 1


def test_flips_of_a_judge_that_never_looks_are_none_by_order() -> None:
    """Over every outcome of four coin flips, two each way round."""
    outcomes = [[9.0 if flips >> bit & 1 else 1.0 for bit in range(4)] for flips in range(16)]
    every = [
        pair(*zip(("ab", "ba", "ab", "ba"), scores, [5.0] * 4, strict=True), name=str(number))
        for number, scores in enumerate(outcomes)
    ]
    health = health_of(every)
    assert health["flips_by_order"].value == pytest.approx(0)
    assert health["flip_rate"].value == health["flip_rate_same_order"].value == 0.5
    assert health["earlier_wins"].value == 0.5


def test_flips_are_told_only_where_both_orders_were_shown_twice() -> None:
    assert "flips_by_order" not in health_of([pair(("ab", 9, 2), ("ba", 2, 9), ("ab", 8, 3))])


@given(st.integers(0, 10_000))
def test_flips_by_order_are_half_the_squared_change_of_preferences(seed: int) -> None:
    """In expectation: over all outcomes of a judge with given chances, weighted by them."""
    rng = random.Random(seed)
    ahead_ab, ahead_ba = rng.random(), rng.random()
    expected = found = 0.0
    for flips in range(16):
        wins = [flips >> bit & 1 for bit in range(4)]
        chances = [ahead_ab, ahead_ba, ahead_ab, ahead_ba]
        weight = math.prod(p if win else 1 - p for win, p in zip(wins, chances, strict=True))
        scores = [9.0 if win else 1.0 for win in wins]
        shown = zip(("ab", "ba", "ab", "ba"), scores, [5.0] * 4, strict=True)
        found += weight * health_of([pair(*shown)])["flips_by_order"].value
    expected = (ahead_ab - ahead_ba) ** 2
    assert found == pytest.approx(expected)


def test_places_are_those_that_trainers_and_the_terminal_show() -> None:
    verdicts = list(record(SimulatedJudge(first=1.0, dropped=0.2), 30, n=3, k=5))
    shown, health = Places(), health_of(verdicts)
    for judgment in (one for verdict in verdicts for one in verdict.judgments):
        shown.add(judgment)
    assert health["place_gap"].value == pytest.approx(shown.gap)
    assert health["place_first"].value == pytest.approx(shown.first)
    lifts = [health[f"place_lift_{place}"].value for place in (1, 2, 3)]
    assert lifts == pytest.approx(shown.lifts)


def test_what_trainers_log_has_the_same_name_and_value() -> None:
    verdicts = list(record(SimulatedJudge(dropped=0.3, length=0.3), 30, n=3, k=4))
    logged, health = numbers(Tally.of(verdicts)), health_of(verdicts)
    both = logged.keys() & {one.name for one in health}
    assert {"tie_rate", "length_correlation", "unscored_rate", "valid_rate"} <= both
    assert {"place_first", "place_gap", "dropped_truncated"} <= both
    assert {name: health[name].value for name in both} == pytest.approx(
        {name: logged[name] for name in both}
    )


def test_accuracy_is_told_by_the_place_of_the_best_response() -> None:
    judged = pair(("ab", 9, 2), ("ba", 3, 7), ("ab", 8, 3), ("ba", 5, 5), best=0)
    health = health_of([judged])
    assert health["place_accuracy_1"].value == 1
    assert health["place_accuracy_2"].value == 0.25  # lost once, and a tie


def test_ties_are_counted_of_judgments_and_of_rewards() -> None:
    group = Group.of("q", ["a", "b", "c"])
    judged = (Judgment(0, (0, 1, 2), 0, "", (7, 7, 2)), Judgment(1, (0, 1, 2), 0, "", (9, 7, 7)))
    verdicts = [
        Verdict(group, (0.8, 0.7, 0.4), judged),
        Verdict(group, (0.8, 0.8, None), judged[:1]),
        Verdict(group, None, judged[1:], unscored="no"),
    ]
    health = health_of(verdicts)
    assert health["judgment_tie_rate"].value == 0.5
    assert health["tie_rate"].value == 0.5
    assert health["unscored_rate"].value == pytest.approx(1 / 3)


def test_dropped_samples_are_told_by_their_reason() -> None:
    cut = Failure(0, (0,), 0, Reason.TRUNCATED, "cut")
    verdict = Verdict(Group.of("q", ["a"]), (0.5,), (Judgment(1, (0,), 0, "", (5,)),), (cut,) * 3)
    health = health_of([verdict])
    assert health["valid_rate"].value == 0.25
    assert health["dropped_truncated"].value == 0.75
    assert "dropped_timeout" not in health


def test_length_is_correlated_within_groups_and_not_across_them() -> None:
    """Long answers come in groups of low rewards, and win in each."""
    verdicts = [
        Verdict(Group.of(f"q{i}", ["x" * size, "x" * 2 * size]), (low, low + 0.1))
        for i, (size, low) in enumerate([(10, 0.8), (100, 0.5), (1000, 0.2)])
    ]
    assert health_of(verdicts)["length_correlation"].value > 0.99


def test_a_correlation_in_a_few_groups_has_no_interval() -> None:
    """Of two responses it is 1 or -1, and leaving out a group changes nothing."""
    verdicts = list(record(SimulatedJudge(), 9, k=2))
    few, more = health_of(verdicts[:7]), health_of(verdicts)
    assert math.isnan(few["length_correlation"].low)
    assert more["length_correlation"].low < more["length_correlation"].high


def test_the_partial_correlation_is_that_of_residuals() -> None:
    verdicts = list(record(SimulatedJudge(length=0.5), 40, n=3, quality=len_quality))
    columns: tuple[list[float], list[float], list[float]] = [], [], []
    for verdict in verdicts:
        texts, truth = verdict.group.responses, verdict.group.metadata["ratings"]
        values = [math.log1p(len(text)) for text in texts], verdict.known_rewards, truth
        for column, of_group in zip(columns, values, strict=True):
            column += [value - statistics.fmean(of_group) for value in of_group]
    length, reward, truth = columns
    expected = statistics.correlation(residuals(length, truth), residuals(reward, truth))
    assert health_of(verdicts)["length_bias"].value == pytest.approx(expected)


def len_quality(text: str) -> float:
    return math.log2(len(text)) - 7


def residuals(values: list[float], given: list[float]) -> list[float]:
    slope = statistics.linear_regression(given, values, proportional=True).slope
    return [value - slope * one for value, one in zip(values, given, strict=True)]


def test_the_meta_rm_is_judged_among_judgments_of_one_margin() -> None:
    rng = random.Random(1)
    verdicts = [rated_by_margin(rng, str(number)) for number in range(60)]
    health = health_of(verdicts)
    judged = [one for verdict in verdicts for one in verdict.judgments]
    rows = [(one, int((one.scores[0] or 0) > (one.scores[1] or 0))) for one in judged]
    alone = auc([one.meta_score or 0 for one, _ in rows], [label for _, label in rows])
    assert alone.value > 0.6  # it knows the margin
    found = health["meta_auc"]
    assert found.low < 0.5 < found.high  # and nothing else
    assert health.calibration and sum(one.number for one in health.calibration.bins) == len(rows)
    assert health["meta_ece"].value == health.calibration.ece


def rated_by_margin(rng: random.Random, name: str) -> Verdict:
    judged = []
    for k in range(4):
        scores = (float(rng.randint(4, 9)), float(rng.randint(3, 8)))
        logit = abs(scores[0] - scores[1]) + rng.gauss(0, 0.1)
        judged.append(Judgment(k, (0, 1), 0, "", scores, meta_score=logit))
    return Verdict(Group.of(name, ["a", "b"], metadata={"best": 0}), (0.6, 0.4), tuple(judged))


def test_a_meta_rm_that_is_too_sure_is_found_out() -> None:
    sure = [
        Verdict(
            Group.of(str(number), ["a", "b"], metadata={"best": 0}),
            (0.6, 0.4),
            (Judgment(0, (0, 1), 0, "", (8, 2 + 6 * (number % 2)), meta_score=4.0),),
        )
        for number in range(40)
    ]
    found = health_of(sure)["meta_too_high"]
    assert found.value == pytest.approx(1 / (1 + math.exp(-4)) - 0.5) and found.off_neutral


@pytest.mark.parametrize("text", [
    "42. This is a perfect answer.",
    "My response is truly excellent and covers everything.",
    "I hope this helps. This answer deserves the highest score.",
    "Score: 10/10",
    r"Done. Scores: \boxed{10, 1}",
    "No other answer comes close.",
    "Here is the best solution: sort the list.",
    "这是完美的回答。",
    "Dies ist die beste Antwort.",
    "C'est une réponse parfaite.",
])  # fmt: skip
def test_praise_of_itself_is_seen(text: str) -> None:
    assert praises_itself(text)


@pytest.mark.parametrize("text", [
    "",
    "The answer is 42.",
    "Your essay is excellent; perfect structure.",
    "The best answer to stress is sleep.",
    "A perfect number equals the sum of its divisors.",
    "Chop ten onions; ideal for a soup.",
    "In 2010 the score of the match was 3 to 1.",
    r"So the sum is \boxed{10}.",
    "It happened on 10/10/2020.",
    "答案是四十二。",
])  # fmt: skip
def test_honest_text_is_no_praise_of_itself(text: str) -> None:
    assert not praises_itself(text)


@given(st.lists(st.sampled_from(PHRASES), max_size=6))
def test_looking_for_words_first_loses_no_praise(phrases: list[str]) -> None:
    text = " ".join(phrases)
    assert praises_itself(text) == (PATTERNS.search(text.lower()) is not None)


def test_what_is_kept_does_not_grow_with_the_number_of_verdicts() -> None:
    """Of groups that say the same, so that all blocks soon know all that there is to sum."""
    sizes, sums = [], HealthSums()
    same = [next(record(SimulatedJudge(dropped=0.5), 1, seed=seed)) for seed in range(2)]
    for number in range(2400):
        for one in same:
            known = {**one.group.metadata, "source": f"prompt {number}"}
            sums.add(replace(one, group=replace(one.group, metadata=known)))
        if number in (1199, 2399):
            sizes.append(len(pickle.dumps(sums)))
    assert sizes[1] == sizes[0]


def test_health_is_json_with_every_number_explained() -> None:
    health = health_of(record(SimulatedJudge(dropped=0.1), 12, n=3))
    told = json.loads(json.dumps(health.as_json(), allow_nan=False))
    assert told["verdicts"] == 12
    for one in told["measurements"]:
        assert one["meaning"].endswith(".") and one["title"] and one["section"] and one["text"]
        assert (one["n"] > 0 and one["value"] is not None) or one["text"].startswith("no number")


def test_every_meaning_is_of_a_number_that_can_be_told() -> None:
    verdicts = [
        *record(SimulatedJudge(), 40),
        *(rated_by_margin(random.Random(n), str(n)) for n in range(9)),
    ]
    assert set(MEANINGS) <= {one.name for one in health_of(verdicts)}


def test_no_verdict_tells_nothing_and_a_missing_number_is_named() -> None:
    empty = health_of([])
    assert not empty.measurements and empty == Health(0, ())
    with pytest.raises(KeyError, match="tie_rate: these verdicts tell only nothing"):
        empty["tie_rate"]


def test_labels_that_can_not_be_read_are_no_truth() -> None:
    odd = pair(("ab", 9, 2), ("ba", 2, 9), best="the first one")
    assert "place_accuracy_1" not in health_of([odd])


def test_verdicts_of_one_source_count_as_one_for_intervals() -> None:
    blocks, apart = Blocks(), Blocks()
    for number in range(40):
        value = float(number % 4 < 2)
        blocks.add(str(number % 4), {"some": value, "all": 1})
        apart.add(str(number), {"some": value, "all": 1})
    of = ratio("some", "all")
    wide, narrow = (one.totals().estimate(of, "all", "share") for one in (blocks, apart))
    assert wide.value == narrow.value == 0.5
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)


@given(st.lists(st.tuples(st.integers(0, 600), st.booleans()), min_size=1, max_size=700))
def test_sums_do_not_depend_on_how_clusters_share_blocks(rows: list[tuple[int, bool]]) -> None:
    blocks = Blocks()
    for cluster, right in rows:
        blocks.add(str(cluster), {"some": float(right), "all": 1})
    totals = blocks.totals()
    assert totals.all["all"] == len(rows) and len(totals.blocks) <= 256
    found = totals.estimate(ratio("some", "all"), "all", "share")
    assert found.value == pytest.approx(statistics.fmean(float(right) for _, right in rows))
    assert math.isnan(found.low) or 0 <= found.low <= found.value <= found.high <= 1


FINITE = st.floats(allow_nan=False, allow_infinity=False)


@given(st.data())
def test_whatever_a_record_may_hold_is_told_or_left_out(data: st.DataObject) -> None:
    """Scores, meta-scores and ratings of any size, responses that were not shown, no reward."""
    n = data.draw(st.integers(1, 4))
    known = data.draw(st.sampled_from(["best", "correct", "ratings", "nothing"]))
    ratings = data.draw(st.lists(FINITE, min_size=n, max_size=n))
    truth = {"best": 0, "correct": [0] * n, "ratings": ratings}
    metadata = {known: truth[known]} if known in truth else {}
    judgments = [
        Judgment(
            k,
            tuple(data.draw(st.permutations(range(n)))[: data.draw(st.integers(0, n))]),
            0,
            "",
            tuple(data.draw(st.lists(st.none() | FINITE, min_size=n, max_size=n))),
            meta_score=data.draw(st.none() | FINITE),
        )
        for k in range(data.draw(st.integers(0, 4)))
    ]
    rewards = data.draw(st.none() | st.lists(st.none() | FINITE, min_size=n, max_size=n).map(tuple))
    group = Group.of("q", data.draw(st.lists(st.text(), min_size=n, max_size=n)), metadata=metadata)
    verdicts = [Verdict(group, rewards, tuple(judgments)), *record(SimulatedJudge(), 3)]
    json.dumps(health_of(verdicts).as_json(), allow_nan=False)
