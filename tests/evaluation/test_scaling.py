"""A study of more samples: what it counts, what it compares, and what it refuses."""

from __future__ import annotations

import json
import random
import statistics
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from grm_plugin.errors import InputError
from grm_plugin.evaluation.accuracy import hit_at
from grm_plugin.evaluation.scaling import (
    Design,
    Intervals,
    Part,
    Point,
    Samples,
    Scheme,
    known_schemes,
    measure,
    stopping,
    study,
    voting,
    weighing,
)
from grm_plugin.evaluation.scaling.saving import save
from grm_plugin.pipeline.settling import Rule
from grm_plugin.pipeline.voting import mean
from grm_plugin.pipeline.weighing import Weighing
from grm_plugin.types import Group, Judgment, Scale, Verdict
from tests.evaluation.verdicts import noisy, verdict

MEAN = Rule("mean", mean, Scale(1, 10))


def many(groups: int = 60, k: int = 8, seed: int = 0, skill: float = 1.5) -> list[Verdict]:
    rng = random.Random(seed)
    return [
        noisy(rng, n=2 + 2 * (i % 2), k=k, skill=skill, id=str(i), phrasing=i % 7, source=i % 3)
        for i in range(groups)
    ]


def with_subset(judged: Verdict, name: str) -> Verdict:
    metadata = {**judged.group.metadata, "subset": name}
    return replace(judged, group=replace(judged.group, metadata=metadata))


def points(part: Part, scheme: str) -> dict[int, Point]:
    return {one.k: one for one in part.of(scheme)}


def test_accuracy_at_k_is_the_mean_over_the_orders_of_hits() -> None:
    verdicts = many(20, k=4)
    (overall, *_) = study(Samples.of(verdicts), [voting("mean")], Design((1, 2, 4), orders=400))
    for k, point in points(overall, "mean").items():
        sets = [hit_at(one, MEAN, one.group.metadata["best"], k=k) for one in verdicts]
        assert point.accuracy.value == pytest.approx(statistics.fmean(sets), abs=0.02)


def test_more_samples_of_a_noisy_judge_are_right_more_often() -> None:
    (overall, *_) = study(Samples.of(many(200, k=16)), [voting("mean")], Design((1, 4, 16)))
    found = points(overall, "mean")
    assert found[1].accuracy.high < found[4].accuracy.value < found[16].accuracy.value
    assert found[16].against["one"].low > 0 and found[16].against["one"].p < 0.01


def test_a_tie_counts_as_asked_and_a_lost_group_counts_nothing() -> None:
    verdicts = [verdict((5, 5)), verdict((9, 1)), verdict((5, 5), best=1), verdict(None)]
    wanted = {"random": 0.5, "half": 0.5, "strict": 0.25}
    for ties, value in wanted.items():
        (overall, *_) = study(
            Samples.of(verdicts), [voting("mean")], Design((1,)), Intervals(ties=ties)
        )
        (point,) = overall.of("mean")
        assert point.accuracy.value == pytest.approx(value)
        assert (point.ties, point.unscored) == (0.5, 0.25)
    three = Samples.of([verdict((5, 5, 5))])
    (point,) = study(three, [voting("mean")], Design((1,)))[0].points
    assert (point.random, point.half, point.strict) == (pytest.approx(1 / 3), 0.5, 0.0)


def test_fewer_valid_samples_than_half_of_k_give_no_reward() -> None:
    (overall,) = study(Samples.of([verdict(None, None, None, (9, 1))]), [], Design((1, 4), 256))
    assert points(overall, "mean")[4].unscored == 1.0
    assert points(overall, "mean")[1].unscored == pytest.approx(0.75, abs=0.1)


def test_all_schemes_share_the_orders_and_differ_only_where_they_decide_otherwise() -> None:
    samples = Samples.of(many())
    (overall, *_) = study(samples, known_schemes(samples), Design((1, 2, 8)))
    for scheme in ("sum", "median", "majority", "borda"):
        first = points(overall, scheme)[1].against["mean"]
        assert (first.low, first.value, first.high) == (0.0, 0.0, 0.0)
    assert all(one.against["mean"].value == 0 for one in overall.of("sum"))
    assert points(overall, "meta 1/2")[8].against["mean"].value != 0
    assert overall.schemes == [
        *("mean", "sum", "median", "majority", "borda"),
        *("meta 1/4", "margin 1/4", "meta 1/2", "margin 1/2"),
        *("meta 3/4", "margin 3/4", "meta one"),
    ]


def test_a_meta_rm_that_knows_the_truth_helps_and_a_random_one_harms() -> None:
    judged = many(150, k=16)
    knowing = [
        replace(
            one,
            judgments=tuple(
                replace(each, meta_score=float(each.scores[best] - max(others(each, best))))
                for each in one.judgments
            ),
        )
        for one in judged
        for best in [one.group.metadata["best"]]
    ]
    for verdicts, helps in ((knowing, True), (judged, False)):
        samples = Samples.of(verdicts)
        (overall, *_) = study(samples, known_schemes(samples), Design((16,)))
        gain = points(overall, "meta 1/4")[16].against["mean"]
        assert gain.low > 0 if helps else gain.value < 0


def test_beside_a_meta_rm_stands_what_the_margin_alone_chooses() -> None:
    rows = [[9, 1], [5, 6], [5, 6], [5, 6]]
    samples = Samples.of([verdict(*rows, best=0, meta=[-9.0, 1.0, 2.0, 3.0])])
    (overall, *_) = study(samples, known_schemes(samples), Design((4,)))
    right = {one.scheme: one.accuracy.value for one in overall.points}
    assert right["meta 1/4"] == 0 and right["margin 1/4"] == 1
    names = overall.schemes
    assert names[names.index("meta 1/4") + 1] == "margin 1/4"
    bare = Samples.of([verdict(*rows)])
    assert not [one.name for one in known_schemes(bare) if one.name.startswith("margin")]


def others(judgment: Judgment, best: int) -> list[float]:
    return [score for n, score in enumerate(judgment.scores) if n != best and score is not None]


def test_a_weight_that_is_dropped_does_not_vote() -> None:
    samples = Samples.of([verdict((9, 1), (1, 8), (1, 8), (1, 8))])
    kept = weighing("weights", Weighing(margin=0.5, drop_below=0.7))
    found = measure(samples, [kept], Design((4,), 1))["weights", 4]
    assert found.strict_G.tolist() == [1.0]


def test_an_early_stop_is_compared_with_the_mean_of_as_many_samples() -> None:
    half = stopping("early", lambda samples, k, orders: np.full((len(orders), 60), k // 2))

    def alternating(samples: Samples, k: int, orders: np.ndarray) -> np.ndarray:
        return np.tile([3, k], (len(orders), len(samples.groups) // 2 + 1))[
            :, : len(samples.groups)
        ]

    samples = Samples.of([one for one in many(120) if len(one.group.responses) == 2])
    (overall,) = study(samples, [half, stopping("mixed", alternating)], Design((8,)))
    (early,) = overall.of("early")
    assert early.cost.samples == 4 and early.against["uniform"].value == pytest.approx(0)
    (mixed,) = overall.of("mixed")
    assert mixed.cost.samples == 5.5 and set(mixed.against) == {"one", "mean", "uniform"}


def test_greedy_is_paired_with_its_groups_whatever_their_order() -> None:
    judged = many()
    greedy = [replace(one, judgments=(Judgment(0, (0, 1), 0, "", (9.0, 1.0)),), failures=())
              for one in judged if len(one.group.responses) == 2]  # fmt: skip
    few = Samples.of([one for one in judged if len(one.group.responses) == 2])
    right = statistics.fmean(one.group.metadata["best"] == 0 for one in greedy)
    (overall,) = study(few, [], Design((1,)), greedy=Samples.of(greedy[::-1]))
    assert overall.greedy.accuracy.value == pytest.approx(right)
    assert set(overall.greedy.against) == {"one"}
    (point,) = overall.of("mean")
    assert point.against["greedy"].value == pytest.approx(point.accuracy.value - right)
    with pytest.raises(InputError, match="group 0 has samples and no greedy judgment"):
        study(few, [], Design((1,)), greedy=Samples.of(greedy[1:]))


def test_each_n_and_each_subset_is_a_part_where_there_are_several() -> None:
    judged = many(40)
    named = [with_subset(one, "ab"[i > 9]) for i, one in enumerate(judged)]
    parts = study(Samples.of(named), [], Design((1,)))
    assert {one.name: one.groups for one in parts} == {
        "overall": 40, "N = 2": 20, "N = 4": 20, "subset a": 10, "subset b": 30,
    }  # fmt: skip
    assert [one.chance for one in parts[:3]] == [0.375, 0.5, 0.25]
    assert [one.name for one in study(Samples.of(judged[::2]), [], Design((1,)))] == ["overall"]


def test_a_part_has_the_figures_that_it_has_alone() -> None:
    judged = many(40)
    parts = {one.name: one for one in study(Samples.of(judged), [], Design((1, 4)))}
    (alone,) = study(Samples.of(judged[::2]), [], Design((1, 4)))
    assert [one.accuracy for one in parts["N = 2"].points] == [one.accuracy for one in alone.points]


def test_groups_are_clustered_by_what_the_data_name() -> None:
    samples = Samples.of(many(140))
    (alone, *_) = study(samples, [], Design((1,)))
    (named, *_) = study(samples, [], Design((1,)), Intervals(("phrasing", "source")))
    assert named.clusters == {"phrasing": 7, "source": 3} and not alone.clusters
    assert named.points[0].accuracy != alone.points[0].accuracy
    with pytest.raises(InputError, match="no group's metadata has 'phrase'; it has best, phrasing"):
        study(samples, [], Design((1,)), Intervals(("phrase",)))
    some = [*many(4), verdict([9, 1], source="web", id="5")]
    with pytest.raises(InputError, match="'phrasing' of every group, and 1 of 5 have none, such"):
        study(Samples.of(some, k=1), [], Design((1,)), Intervals(("phrasing",)))


def test_groups_may_share_some_members_of_a_list() -> None:
    judged = [
        replace(
            one, group=replace(one.group, metadata={**one.group.metadata, "all": [n % 7, n % 9]})
        )
        for n, one in enumerate(many(60))
    ]
    (found, *_) = study(Samples.of(judged), [], Design((1,)), Intervals(("all",)))
    assert found.clusters == {"all": 9}


def test_a_single_response_is_right_or_wrong() -> None:
    judged = [verdict((1,), best=1), verdict((0,), best=1), verdict((0,)), verdict((1,))]
    (overall,) = study(Samples.of(judged), [], Design((1,)))
    assert overall.points[0].accuracy.value == 0.5 and overall.chance == 0.5
    tied = Samples.of([verdict((1,), (0,), best=1)])
    (overall,) = study(tied, [voting("majority")], Design((2,)))
    assert [one.ties for one in overall.points] == [1.0, 1.0]
    with pytest.raises(InputError, match=r"expected scores 0\.\.1 of a response.*got '8\.0'"):
        Samples.of([verdict((8,))])


def test_responses_that_were_not_judged_together_are_refused_with_what_to_do() -> None:
    runs = (
        Judgment(0, (0, 1), 0, "", (9.0, 5.0, None), run=0),
        Judgment(0, (1, 2), 0, "", (None, 5.0, 1.0), run=1),
    )
    group = Group.of("q", ["a", "b", "c"], id="g1", metadata={"best": 0})
    with pytest.raises(InputError, match=r"group g1: .* in 2 parts .*best_of_accuracy settles"):
        Samples.of([Verdict(group, None, runs)])


def test_a_group_judged_again_without_what_broke_it_counts_as_the_first_try() -> None:
    broken = verdict(None, (9, 1, 1), best=0)
    again = replace(broken.failures[0], order=(1, 2), run=1)
    second = replace(broken.judgments[0], order=(1, 2), run=1, sample=0)
    isolated = replace(broken, judgments=(*broken.judgments, second), failures=broken.failures)
    refused = replace(isolated, failures=(*isolated.failures, again))
    for one in (isolated, refused):
        got, want = Samples.of([one]), Samples.of([broken])
        np.testing.assert_array_equal(got.scores_G_K_N, want.scores_G_K_N)


def test_a_group_without_a_label_is_named() -> None:
    judged = verdict((9, 1), id="g2")
    judged = replace(judged, group=replace(judged.group, metadata={}))
    with pytest.raises(InputError, match="group g2: expected best or ratings of 2 responses"):
        Samples.of([judged])


def test_a_group_with_fewer_samples_is_named() -> None:
    with pytest.raises(InputError, match="at least 2 samples each, got 2, and 1 samples of group"):
        Samples.of([verdict((9, 1)), verdict((9, 1), (1, 9))], k=2)
    assert Samples.of([verdict((9, 1)), verdict((9, 1), (1, 9))]).samples == 1
    with pytest.raises(InputError, match="got 0"):
        Samples.of([])


def test_a_k_that_was_not_drawn_is_refused() -> None:
    with pytest.raises(ValueError, match=r"ks: expected numbers in 1\.\.8, got \(1, 16\)"):
        measure(Samples.of(many()), [voting("mean")], Design((1, 16)))


def test_figures_do_not_depend_on_how_many_groups_fit_in_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    samples = Samples.of(many())
    whole = study(samples, known_schemes(samples), Design((1, 4, 8)))
    monkeypatch.setattr("grm_plugin.evaluation.scaling.measuring._AT_ONCE", 64 * 8 * 7)
    assert study(samples, known_schemes(samples), Design((1, 4, 8))) == whole


def test_a_scheme_of_ones_own_is_measured_like_any_other() -> None:
    samples = Samples.of(many())
    own = Scheme("own", voting("borda").outcome)
    (overall, *_) = study(samples, [own, voting("borda")], Design((4,)))
    (mine,), (borda,) = overall.of("own"), overall.of("borda")
    assert replace(mine, scheme="borda") == borda


def test_a_study_is_saved_with_all_that_it_depends_on(tmp_path: Path) -> None:
    samples, design, intervals = Samples.of(many(10)), Design((1, 2), seed=3), Intervals()
    parts = study(samples, known_schemes(samples), design, intervals)
    save(tmp_path / "new" / "scale.json", parts, samples, design, intervals, judge={"model": "m"})
    found = json.loads((tmp_path / "new" / "scale.json").read_text())
    assert found["data"]["groups"] == 10 and found["data"]["samples"] == 8
    assert found["settings"]["orders"] == 64 and found["settings"]["seed"] == 3
    assert found["judge"] == {"model": "m"} and found["versions"]["numpy"] == np.__version__
    point = found["parts"][0]["points"][0]
    assert point["accuracy"].keys() == {"value", "low", "high"}
    same = Samples.of(many(10)[::-1])
    save(tmp_path / "again.json", parts, same, design, intervals, judge={})
    again = json.loads((tmp_path / "again.json").read_text())
    assert again["data"]["fingerprint"] == found["data"]["fingerprint"]
