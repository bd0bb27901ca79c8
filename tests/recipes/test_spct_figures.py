"""The figures of the study say what was put into the samples, no more and no less."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grm_plugin import Group
from grm_plugin.evaluation.auc import AUC
from grm_plugin.evaluation.resampling import Difference
from grm_plugin.evaluation.scaling.margin import by_margin
from grm_plugin.evaluation.scaling.measuring import Design, measure
from grm_plugin.evaluation.scaling.samples import Samples
from grm_plugin.evaluation.scaling.schemes import voting
from grm_plugin.evaluation.sharing import Sharing
from grm_plugin.pipeline.weighing import Weighing
from grm_plugin.records.line import to_line
from grm_plugin.types import Judgment, Verdict
from recipes.journal import Journal
from recipes.spct.reference.figures import choosing
from recipes.spct.reference.figures.__main__ import main
from recipes.spct.reference.figures.aims import other_aims
from recipes.spct.reference.figures.areas import areas, wider
from recipes.spct.reference.figures.deep import early, means_by_n, meta_rules, uniform
from recipes.spct.reference.figures.intervals import INTERVALS, Figure, Slice, holm
from recipes.spct.reference.figures.measured import Measured
from recipes.spct.reference.figures.places import balanced, biased, first_place
from recipes.spct.reference.figures.rules import candidates, choose
from recipes.spct.reference.figures.wide import Wide, principles, stages

RNG = np.random.default_rng(5)
SQUARE = [(0, 1), (1, 0)]


def verdicts(
    groups: int = 60, k: int = 8, noise: float = 3.0, meta: Any = lambda right, lead: None
) -> list[Verdict]:
    """Groups of two, of which the first is better by a point, in balanced orders."""
    return [_verdict(number, k, noise, meta) for number in range(groups)]


def phrasings(number: int) -> list[str]:
    return [f"kind/{number % 10}", f"opener/{number % 7}"]


def _verdict(number: int, k: int, noise: float, meta: Any) -> Verdict:
    group = Group.of(
        f"q{number}",
        ["a", "b"],
        id=str(number),
        metadata={"best": 0, "phrasings": phrasings(number), "requirements": []},
    )
    made = []
    for sample in range(k):
        a, b = (float(np.clip(np.round(x), 1, 10)) for x in RNG.normal((6, 5), noise))
        rated = meta(a > b, abs(a - b))
        one = Judgment(
            sample, SQUARE[sample % 2], sample, "", (a, b), meta_score=rated, output_tokens=100
        )
        made.append(one)
    return Verdict(group, None, tuple(made))


def test_a_gain_in_every_group_is_told_for_the_mean_and_for_every_seed() -> None:
    slice_ = Slice(Samples.of(verdicts()), 500)
    low = Wide(*(np.full(60, share) for share in (0.5, 0.6, 0.5)))
    more = {f"rl{seed}": Wide(*(np.full(60, 0.5 + seed / 10) for _ in range(3))) for seed in (1, 2)}
    judges = {"base": low, "rft1": low, "rft2": low, **more}
    gain = {one.name: one for one in stages(slice_, judges, [1, 2])}["RL - base, one sample"]
    assert gain.found.value == pytest.approx(15)
    assert {name: round(one.value) for name, one in gain.parts.items()} == {
        "N = 2": 15,
        "seed 1": 10,
        "seed 2": 20,
    }
    assert gain.holds and "+5" in gain.aim


def test_one_sample_is_the_mean_of_all_samples_and_greedy_is_found_by_its_group() -> None:
    found = verdicts(k=8)
    alone = [replace(one, judgments=one.judgments[:1]) for one in reversed(found)]
    samples = Samples.of(found)
    wide = Wide.of(samples, Samples.of(alone))
    lead = samples.scores_G_K_N[..., 0] - samples.scores_G_K_N[..., 1]
    right = (lead > 0) + (lead == 0) / 2
    assert wide.one_G == pytest.approx(right.mean(axis=1))
    assert wide.greedy_G == pytest.approx(right[:, 0])
    same = {one.found.value for one in principles(Slice(samples, 50), wide, wide)}
    assert same == {0.0}


def test_errors_that_any_phrasing_shares_make_the_interval_wider() -> None:
    slice_ = Slice(Samples.of(verdicts(groups=200)), 1000)
    alone = slice_.interval(RNG.permutation(np.arange(200) % 2 * 1.0))
    for several in (10, 7):  # also the phrasing that is not the first
        shared = slice_.interval(np.arange(200) % several % 2 * 1.0)
        assert shared.high - shared.low > 2 * (alone.high - alone.low)


def test_the_interval_of_an_area_is_wider_where_phrasings_share_what_pulls_it() -> None:
    sharing = Sharing([[phrasings(number) for number in range(70)]])
    pull_G = (np.arange(70) % 7 / 3 - 1) / 70

    def width(pull_G: np.ndarray) -> float:
        found = wider(AUC(0.5, 0.5, 0.5, 9, dict(enumerate(pull_G.tolist()))), sharing, 70)
        return found.high - found.low

    assert width(pull_G) > 2 * width(RNG.permutation(pull_G))


def test_an_aim_is_met_by_the_interval_and_by_the_least_gain() -> None:
    slice_ = Slice(Samples.of(verdicts()), 500)
    values = np.full(60, 0.03)
    assert slice_.figure("", values, least=0.0).holds
    assert slice_.figure("", values, least=5.0).holds is False
    assert slice_.figure("", RNG.permutation([0.3, -0.3] * 30), least=0.0).holds is False
    assert slice_.figure("", values).holds is None


def test_holm_names_what_holds_alone_and_not_beside_the_others() -> None:
    def figure(name: str, p: float) -> Figure:
        return Figure(name, Difference(1, 0.1, 2, p), aim="above 0", holds=p < 0.05)

    figures = [figure("a", 0.001), figure("b", 0.04), figure("c", 0.03), figure("d", 0.5)]
    assert set(holm(figures, tests=4)) == {"b", "c"}
    assert holm(figures[:1], tests=4) == []


def test_holm_counts_what_is_not_measured_yet() -> None:
    figure = Figure("a", Difference(1, 0.1, 2, 0.006), aim="above 0", holds=True)
    assert holm([figure], tests=1) == []
    assert holm([figure]) == ["a"]


def test_a_meta_rm_that_knows_the_margin_alone_has_a_high_auc_and_none_at_the_same_margin() -> None:
    found = areas(Samples.of(verdicts(meta=lambda right, lead: lead)))
    assert found["all pairs"].value > 0.6
    assert found["same N and margin"].value == 0.5
    assert found["all pairs, the margin in its place"].value == found["all pairs"].value


def test_a_meta_rm_that_knows_the_truth_has_it_at_the_same_margin_too() -> None:
    found = areas(Samples.of(verdicts(meta=lambda right, lead: float(right))))
    assert found["same N and margin"].value == found["same group and margin"].value == 1.0


def test_the_rule_that_is_right_most_often_is_chosen_and_beats_the_margin() -> None:
    samples = Samples.of(verdicts(k=32, meta=lambda right, lead: 3.0 * right))
    design = Design(ks=(8, 32), orders=16, balanced=True)
    chosen = choose(samples, {8: 0.9, 32: 0.1})
    by_name = {one.name: one for one in candidates(Weighing(meta=1.0))}
    margin = dict.fromkeys((8, 32), by_name["meta 1/2"])
    lines = meta_rules(
        Slice(samples, 300), samples, {k: by_name[chosen[k]] for k in chosen}, margin, design
    )
    gains = {one.name.split(" (")[0]: one for one in lines}
    assert gains["meta@8"].holds and gains["meta@8 - margin@8"].holds


def test_weights_are_chosen_by_groups_that_they_were_not_fitted_to(tmp_path: Path) -> None:
    left(tmp_path, "wide tune", verdicts(k=32, meta=lambda right, lead: RNG.normal()))
    (tmp_path / "wide" / "tune").rename(tmp_path / "tune")

    def fitted(name: str, way: str, accuracies: tuple[float, float]) -> None:
        coefficients = {"meta": 5.0}
        told = [
            {"name": way, "k": k, "accuracy": {"value": value}}
            for k, value in zip((8, 32), accuracies, strict=True)
        ]
        (tmp_path / name).write_text(json.dumps({"coefficients": coefficients, "held_out": told}))

    fitted("weights.json", "weights by meta and margin", (0.0, 1.0))
    fitted("margin.json", "weights by margin", (1.0, 0.0))
    choosing.main(tmp_path, tmp_path / "chosen.json")
    found = json.loads((tmp_path / "chosen.json").read_text())
    assert [found["meta"][k] == "weights" for k in ("8", "32")] == [False, True]
    assert [found["margin"][k] == "weights" for k in ("8", "32")] == [True, False]


def test_a_margin_stands_where_the_meta_score_was_and_nothing_for_a_dropped_sample() -> None:
    scores = np.array([[[7.0, 4.0], [np.nan, np.nan]]])
    samples = replace(Samples.of(verdicts(groups=1, k=2)), scores_G_K_N=scores)
    assert by_margin(samples).meta_G_K[0].tolist() == pytest.approx([3.0, np.nan], nan_ok=True)


def test_saved_samples_are_those_that_the_stopper_did_not_draw() -> None:
    sure = Samples.of(verdicts(k=32, noise=0.0))
    figures, saved = early(Slice(sure, 100), sure, 0.05, 32, Design(ks=(32,), balanced=True))
    assert saved > 0.5
    assert figures[0].found.value == 0.0


def test_uniform_k_costs_in_each_n_what_the_stopper_costs_there() -> None:
    hard, sure = verdicts(groups=30, k=32), verdicts(groups=30, k=32, noise=0.0)
    samples = Samples.of([*hard, *map(of_three, sure)])
    design = Design(ks=(32,), orders=8)
    drawn_G = np.repeat([20.5, 4.0], 30)
    means = means_by_n(samples, drawn_G, np.ones(60))
    assert means == {2: 20.5, 3: 4.0}
    votes = measure(samples.at(np.arange(30)), [voting("mean")], replace(design, ks=(20, 21)))
    between = (votes["mean", 20].random_G + votes["mean", 21].random_G) / 2
    assert uniform(samples, means, design)[:30] == pytest.approx(between)


def test_at_equal_tokens_a_group_of_long_judgments_counts_more() -> None:
    samples = Samples.of(verdicts(groups=2, k=4))
    assert means_by_n(samples, np.array([32.0, 8.0]), np.array([300.0, 100.0])) == {2: 26.0}
    figures, _ = early(Slice(samples, 50), samples, 0.05, 4, Design(ks=(4,)))
    assert [one.name.split(" (")[0] for one in figures] == [
        "adaptive k - k = 4",
        "adaptive k - uniform k, equal samples",
        "adaptive k - uniform k, equal tokens",
    ]
    assert [one.holds is None for one in figures] == [True, False, True]


def of_three(verdict: Verdict) -> Verdict:
    """The same with a third response, which is the worst."""
    group = replace(verdict.group, responses=(*verdict.group.responses, "c"))
    judged = [
        replace(one, order=(*one.order, 2), scores=(*one.scores, 1.0)) for one in verdict.judgments
    ]
    return replace(verdict, group=group, judgments=tuple(judged))


def test_the_bias_that_is_added_is_the_bias_that_is_found() -> None:
    found = verdicts(groups=200, k=8, noise=0.5)
    before = first_place(found)
    after = first_place([biased(one, 2.0) for one in found])
    assert after - before == pytest.approx(2.0, abs=0.02)
    assert [biased(one, 0.0) for one in found] == found


def test_balanced_orders_take_a_bias_out_that_independent_ones_leave() -> None:
    found = verdicts(groups=200, k=32, noise=0.3)
    slice_ = Slice(Samples.of(found), 300)
    lines = list(balanced(slice_, found, 3.0, aimed=True))
    assert all(figure.holds for figure, _ in lines)
    assert lines[0][1].independent > 8


def left(folder: Path, name: str, found: list[Verdict]) -> None:
    """What a finished ``grm scale`` leaves of ``name``, such as ``wide base``."""
    made = folder / Path(*name.split())
    made.mkdir(parents=True)
    alone = [replace(one, judgments=one.judgments[:1]) for one in found]
    for file, some in (("samples.jsonl", found), ("greedy.jsonl", alone)):
        (made / file).write_bytes(b"".join(map(to_line, some)))
    journal = Journal(folder / "journal.json")
    journal.begin(name, ["grm", "scale"])
    journal.end(name, 1.0, done=True)


def test_what_is_done_is_measured_and_what_is_not_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, noise in (("base", 3.0), ("rft1", 2.0), ("rl1", 0.5), ("bare", 4.0)):
        left(tmp_path, f"wide {name}", verdicts(groups=20, noise=noise))
    main(tmp_path)
    told = json.loads((tmp_path / "figures.json").read_text())
    figures = {one["name"]: one for one in told["figures"]}
    gain = figures["RL - base, one sample"]
    assert gain["found"]["value"] > 20 and gain["parts"].keys() == {"N = 2", "seed 1"}
    assert figures["with principles - without, vote@8"]["found"]["value"] > 0
    assert {"wide rl2", "deep rl"} <= set(told["missing"]) and "wide base" not in told["missing"]
    assert told["readings"]["base"]["unreadable"] == 0
    assert told["readings"].keys() >= {"base, greedy", "rl1, greedy", "bare"}
    without = told["right without principles"]
    assert without.keys() == {"one sample", "greedy", "vote@8"}
    assert 0.2 < without["one sample"] < without["vote@8"] < 1
    assert (tmp_path / "figures.png").stat().st_size > 10_000
    assert "not done yet: deep rl" in capsys.readouterr().out


def chosen_before(tmp_path: Path) -> None:
    """What a study leaves that has measured its final judge with the rules that it chose."""
    left(tmp_path, "deep rl", verdicts(groups=30, k=64, meta=lambda right, lead: 2.0 * right))
    own = tmp_path / "seed1"
    own.mkdir()
    files = {
        "weights": {"coefficients": {"meta": 1.0}},
        "margin": {"coefficients": {"margin": 0.1}},
        "stopper": {"stop": {"name": "ranking", "error": 0.05}},
        "chosen": {
            "meta": {"8": "weights", "32": "meta 1/2"},
            "margin": {"8": "meta 3/4", "32": "weights"},
        },
    }
    for name, value in files.items():
        (own / f"{name}.json").write_text(json.dumps(value))


def test_a_whole_study_has_as_many_intervals_with_an_aim_as_holm_counts(tmp_path: Path) -> None:
    for name in ("base", *(f"{kind}{seed}" for kind in ("rft", "rl") for seed in (1, 2, 3))):
        left(tmp_path, f"wide {name}", verdicts(groups=10))
    chosen_before(tmp_path)
    figures = Measured(tmp_path).figures()
    assert sum(one.holds is not None for one in figures) == INTERVALS


def test_an_aim_that_was_missed_is_told() -> None:
    notes = {"areas": {"same N and margin": {"value": 0.66}}, "adaptive k": None}
    assert [one.holds for one in other_aims(notes, 0.2)] == [False] * 3
    assert "no error of the stopper" in other_aims(notes, 0.2)[1].told
    for saved, change, holds in ((0.5, -0.1, True), (0.5, -0.4, False), (0.4, 0.0, False)):
        (aim,) = other_aims({"adaptive k": {"saved": saved, "change": change}}, 0.2)
        assert aim.holds is holds


def test_what_was_chosen_before_is_measured_on_64_samples(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chosen_before(tmp_path)
    main(tmp_path, note="On two cores.")
    told = json.loads((tmp_path / "figures.json").read_text())
    assert told["note"] == "On two cores."
    assert told["seconds"].keys() == {"deep rl"}
    names = {one["name"]: one["holds"] for one in told["figures"]}
    assert names["meta@8 (weights) - vote@8"] and names["meta@32 (meta 1/2) - vote@32"]
    assert "margin@32 (weights) - vote@32" in names
    assert told["areas"]["same N and margin"]["value"] == 1.0
    assert told["ties"]["rated best"] == 0 < told["ties"]["of all"]
    assert 0 < told["adaptive k"]["saved"] < 1
    aims = {one["name"]: one["holds"] for one in told["other aims"]}
    assert aims["same-margin AUC"] and aims.keys() == {"same-margin AUC", "samples saved"}
    assert "same-margin AUC: 1.000; met: at least 0.70" in capsys.readouterr().out
    assert told["curves"]["rl, vote"]["64"] > told["curves"]["rl, vote"]["1"]
