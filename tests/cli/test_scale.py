"""``grm scale``: from labelled groups, or records of them, to figures, tables and a picture."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grm_plugin.config import GRMConfig
from grm_plugin.records import read_verdicts
from grm_plugin.scalar import WEIGHT
from tests.cli.conftest import Ended
from tests.cli.files import rows, write

pytest.importorskip("numpy")
pytest.importorskip("matplotlib")

from grm_plugin.cli.scale_study import _weights

Grm = Callable[..., Ended]
TINY = ("--engine", "tiny", "--set", "engine.log=log")
PNG = b"\x89PNG"


def labelled(number: int, **more: Any) -> list[dict[str, Any]]:
    """The tiny judge finds the longest of three responses, which is response 1."""
    return [
        {**row, "best": 1 if i % 4 else 0, "source": i % 3, **more}
        for i, row in enumerate(rows(number))
    ]


def figures(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "scale.json").read_text())


def test_labelled_groups_become_figures_tables_and_a_picture(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "rm.jsonl", labelled(8))
    ended = grm("scale", "rm.jsonl", "--out", "out", "--samples", "4", *TINY)
    assert ended.code == 0
    assert "how often the right response wins, of 8 groups" in ended.out
    assert "greedy 75.0" in ended.out and "4 75.0" in ended.out
    found = figures(tmp_path / "out")
    overall = found["parts"][0]
    assert overall["greedy"]["accuracy"]["value"] == 0.75
    assert {one["k"] for one in overall["points"]} == {1, 2, 4}
    assert all(one["cost"]["written"] == 5 * one["k"] for one in overall["points"])
    assert found["judge"]["engine"] == "tiny" and found["judge"]["k"] == 4
    assert (tmp_path / "out" / "scale.png").read_bytes().startswith(PNG)
    greedy = list(read_verdicts(tmp_path / "out" / "greedy.jsonl"))
    assert {one.origin["temperature"] for one in greedy} == {0} and len(greedy) == 8


def test_the_same_command_asks_the_judge_nothing_twice(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "rm.jsonl", labelled(4))
    command = ("scale", "rm.jsonl", "--out", "out", "--samples", "4", *TINY)
    assert grm(*command).code == 0
    asked, before = (tmp_path / "log").read_text(), figures(tmp_path / "out")
    ended = grm(*command)
    assert ended.code == 0 and "verdicts in out/samples.jsonl already: 4" in ended.err
    assert (tmp_path / "log").read_text() == asked
    assert figures(tmp_path / "out") == before


def test_a_corrected_label_is_measured_without_a_token(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "rm.jsonl", data := labelled(4))
    command = ("scale", "rm.jsonl", "--out", "out", "--samples", "2", *TINY)
    assert grm(*command).code == 0
    asked = (tmp_path / "log").read_text()
    write(tmp_path / "rm.jsonl", [{**row, "best": 1} for row in data])
    ended = grm(*command)
    assert ended.code == 0 and "samples.jsonl: labels or other metadata of 1 groups" in ended.err
    points = figures(tmp_path / "out")["parts"][0]["points"]
    assert {one["accuracy"]["value"] for one in points} == {1}
    assert (tmp_path / "log").read_text() == asked


def test_a_run_that_was_killed_goes_on(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "rm.jsonl", labelled(4))
    command = ("scale", "rm.jsonl", "--out", "out", "--samples", "2", "--no-greedy", *TINY)
    assert grm(*command).code == 0
    record = tmp_path / "out" / "samples.jsonl"
    lines = record.read_bytes().splitlines(keepends=True)
    record.write_bytes(b"".join(lines[:2]) + lines[2][:50])
    assert grm(*command).code == 0
    assert len(record.read_bytes().splitlines()) == 4


def test_records_cost_no_token(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "rm.jsonl", labelled(8))
    assert grm("scale", "rm.jsonl", "--out", "out", "--samples", "4", *TINY).code == 0
    asked = (tmp_path / "log").read_text()
    assert grm("scale", "out", "--out", "again").code == 0
    files = ("out/greedy.jsonl", "out/samples.jsonl")
    assert grm("scale", *files, "--out", "both").code == 0
    assert (tmp_path / "log").read_text() == asked
    first = figures(tmp_path / "out")
    for folder in ("again", "both"):
        assert figures(tmp_path / folder) == first


def test_fewer_samples_of_a_record_and_other_ks_are_taken_on_request(
    grm: Grm, tmp_path: Path
) -> None:
    write(tmp_path / "rm.jsonl", labelled(4))
    assert grm("scale", "rm.jsonl", "--out", "out", "--samples", "6", *TINY).code == 0
    more = ("--samples", "5", "--ks", "1,3,5", "--orders", "7", "--no-greedy")
    assert grm("scale", "out", "--out", "few", *more).code == 0
    found = figures(tmp_path / "few")
    assert found["data"]["samples"] == 5 and found["settings"]["orders"] == 7
    assert found["settings"]["ks"] == [1, 3, 5] and found["parts"][0]["greedy"] is None
    ended = grm("scale", "out", "--out", "few", "--samples", "9")
    assert ended.code == 1 and "at least 9 samples each" in ended.err


def test_pairs_ratings_and_subsets_are_read(grm: Grm, tmp_path: Path) -> None:
    write(
        tmp_path / "rm.jsonl",
        [
            {"prompt": "a", "responses": ["x", "yyy"], "ratings": [1, 2], "subset": "hard"},
            {"prompt": "b", "responses": ["xx", "y"], "best": 1, "subset": "easy"},
        ],
    )
    ended = grm("scale", "rm.jsonl", "--out", "out", "--samples", "2", *TINY)
    assert ended.code == 0
    assert "subset easy 1" in ended.out and "subset hard 1" in ended.out
    parts = {one["name"]: one for one in figures(tmp_path / "out")["parts"]}
    assert parts["subset hard"]["points"][0]["accuracy"]["value"] == 1.0
    assert parts["subset easy"]["points"][0]["accuracy"]["value"] == 0.0


def test_groups_are_clustered_by_columns_of_the_data(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "rm.jsonl", labelled(12))
    named = ("--cluster", "source,id_of_page")
    ended = grm("scale", "rm.jsonl", "--out", "out", "--samples", "2", *named, *TINY)
    assert ended.code == 1 and "rm.jsonl, line 1: --cluster: expected a 'id_of_page'" in ended.err
    assert not (tmp_path / "log").exists(), "no token is spent"
    ended = grm("scale", "rm.jsonl", "--out", "out", "--samples", "2", "--cluster=source", *TINY)
    assert ended.code == 0 and "by groups clustered by source (3)" in ended.out


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"best": 7}, "line 2: best: expected the index of one of 3 responses, 0 to 2, got '7'"),
        ({"best": None}, "line 2: expected best or ratings of 3 responses, got no label"),
        ({"best": None, "ratings": [2, 2, 1]}, "line 2: ratings: expected one maximum"),
    ],
)
def test_a_label_that_is_none_is_named_before_a_token_is_spent(
    grm: Grm, tmp_path: Path, row: dict[str, Any], message: str
) -> None:
    write(tmp_path / "rm.jsonl", [labelled(1)[0], {**labelled(2)[1], **row}])
    ended = grm("scale", "rm.jsonl", "--out", "out", "--samples", "2", *TINY)
    assert ended.code == 1 and message in ended.err
    assert not (tmp_path / "log").exists()


def test_records_of_two_judges_are_refused(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "rm.jsonl", labelled(2))
    for folder, model in (("a", "one"), ("b", "two")):
        more = ("--samples", "2", "--no-greedy", "--set", f"engine.model={model}")
        assert grm("scale", "rm.jsonl", "--out", folder, *more, *TINY).code == 0
    ended = grm("scale", "a/samples.jsonl", "b/samples.jsonl", "--out", "c")
    assert ended.code == 1
    assert "model was 'one', is 'two'" in ended.err and "the records of one judge" in ended.err


def test_records_and_labelled_groups_do_not_mix(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "rm.jsonl", labelled(2))
    assert grm("scale", "rm.jsonl", "--out", "out", "--samples", "2", *TINY).code == 0
    ended = grm("scale", "out/samples.jsonl", "rm.jsonl", "--out", "c")
    assert ended.code == 1
    assert "expected one input, or records alone, got rm.jsonl beside others" in ended.err


def test_groups_that_could_not_be_judged_are_left_out_and_told(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "rm.jsonl", labelled(3))
    assert grm("scale", "rm.jsonl", "--out", "out", "--samples", "2", *TINY).code == 0
    record = tmp_path / "out" / "samples.jsonl"
    lines = [json.loads(line) for line in record.read_text().splitlines()]
    lines[1] |= {"judgments": [], "failures": [], "rewards": None, "unscored": "refused: too long"}
    write(record, lines)
    ended = grm("scale", "out", "--out", "again")
    assert ended.code == 0 and "of 2 groups" in ended.out
    assert "left out: 1 groups that were not judged, such as 1: refused: too long" in ended.err


def test_groups_that_were_judged_in_parts_are_left_out_and_told(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "rm.jsonl", labelled(3))
    assert grm("scale", "rm.jsonl", "--out", "out", "--samples", "2", *TINY).code == 0
    record = tmp_path / "out" / "samples.jsonl"
    lines = [json.loads(line) for line in record.read_text().splitlines()]
    first = lines[1]["judgments"][0]
    halves = ({"order": [0, 1], "scores": [1, 2, None]}, {"order": [1, 2], "scores": [None, 2, 3]})
    lines[1]["judgments"] = [{**first, **half, "run": run} for run, half in enumerate(halves)]
    write(record, lines)
    ended = grm("scale", "out", "--out", "again")
    assert ended.code == 0 and "of 2 groups" in ended.out
    assert "left out: 1 groups that were judged in parts" in ended.err


def test_a_group_judged_again_without_a_response_that_broke_it_counts_as_it_failed(
    grm: Grm, tmp_path: Path
) -> None:
    write(tmp_path / "rm.jsonl", labelled(3))
    assert grm("scale", "rm.jsonl", "--out", "out", "--samples", "2", *TINY).code == 0
    record = tmp_path / "out" / "greedy.jsonl"
    lines = [json.loads(line) for line in record.read_text().splitlines()]
    (judgment,) = lines[1]["judgments"]
    failed = {name: judgment[name] for name in ("sample", "order", "seed", "text")}
    lines[1]["failures"] = [{**failed, "reason": "unreadable", "detail": "no box"}]
    lines[1]["judgments"] = [{**judgment, "run": 1, "order": [1, 0], "scores": [1, 2, None]}]
    write(record, lines)
    ended = grm("scale", "out", "--out", "again")
    assert ended.code == 0 and "left out" not in ended.err
    before, after = (figures(tmp_path / name)["parts"][0]["greedy"] for name in ("out", "again"))
    assert before["accuracy"]["value"] == pytest.approx(2 / 3)
    assert after["accuracy"]["value"] == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("row", "more", "message"),
    [
        ({}, ("--set", "plan=each"), "plan: expected list, which shows a group whole, got 'each'"),
        (
            {"prompt": "q", "completion": "a", "correct": 1},
            (),
            "rm.jsonl, line 1: expected two or more responses, or a template that scores a single",
        ),
    ],
)
def test_what_can_not_be_measured_is_refused_before_a_token_is_spent(
    grm: Grm, tmp_path: Path, row: dict[str, Any], more: tuple[str, ...], message: str
) -> None:
    write(tmp_path / "rm.jsonl", [row or labelled(1)[0]])
    ended = grm("scale", "rm.jsonl", "--out", "out", "--samples", "2", *TINY, *more)
    assert ended.code == 1 and message in ended.err
    assert not (tmp_path / "log").exists()


def test_records_with_unequal_numbers_of_samples_are_used_as_far_as_all_go(
    grm: Grm, tmp_path: Path
) -> None:
    write(tmp_path / "rm.jsonl", labelled(3))
    assert grm("scale", "rm.jsonl", "--out", "out", "--samples", "4", *TINY).code == 0
    record = tmp_path / "out" / "samples.jsonl"
    lines = [json.loads(line) for line in record.read_text().splitlines()]
    lines[1]["judgments"] = lines[1]["judgments"][:3]
    write(record, lines)
    ended = grm("scale", "out", "--out", "few")
    assert ended.code == 0 and figures(tmp_path / "few")["data"]["samples"] == 3
    assert "groups have 3 to 4 samples; the first 3 of each count" in ended.err


def test_soft_weights_of_a_file_are_one_more_scheme(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "rm.jsonl", labelled(4))
    (tmp_path / "w.json").write_text('{"coefficients": {"margin": 0.3}}')
    more = ("--samples", "2", "--weights", "w.json")
    assert grm("scale", "rm.jsonl", "--out", "out", *more, *TINY).code == 0
    names = {one["scheme"] for one in figures(tmp_path / "out")["parts"][0]["points"]}
    assert "weights" in names
    (tmp_path / "w.json").write_text('{"coefficients": {"meta": 1.0}}')
    ended = grm("scale", "out", "--out", "again", "--weights", "w.json")
    assert ended.code == 1 and "go by meta-scores, and no judgment has one" in ended.err


def test_a_meta_rm_rates_every_judgment_once(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "rm.jsonl", labelled(4))
    meta = ("--set", "select={name: meta_rm, classifier: {name: tiny_meta, log: rated}}")
    assert grm("scale", "rm.jsonl", "--out", "out", "--samples", "4", *TINY, *meta).code == 0
    assert (tmp_path / "rated").read_text().count("rated") == 16
    names = {one["scheme"] for one in figures(tmp_path / "out")["parts"][0]["points"]}
    assert {"meta 1/4", "meta 1/2", "meta 3/4", "meta one"} <= names
    record = tmp_path / "out" / "samples.jsonl"
    lines = [json.loads(line) for line in record.read_text().splitlines()]
    assert all(one["voted"] for line in lines for one in line["judgments"])
    lines[0]["judgments"][0]["meta_score"] = None
    write(tmp_path / "some.jsonl", lines)
    ended = grm("scale", "some.jsonl", "--out", "again", "--no-greedy")
    assert ended.code == 0 and "1 of 16 judgments have no meta-score" in ended.err


def test_a_meta_rm_rates_judgments_on_record_and_the_judge_is_not_asked(
    grm: Grm, tmp_path: Path
) -> None:
    write(tmp_path / "rm.jsonl", labelled(4))
    assert grm("scale", "rm.jsonl", "--out", "out", "--samples", "4", *TINY).code == 0
    asked = (tmp_path / "log").read_text()
    meta = ("--set", "select={name: meta_rm, classifier: {name: tiny_meta, log: rated}}")
    assert grm("scale", "out", "--out", "rated_too", *meta).code == 0
    assert (tmp_path / "log").read_text() == asked
    found = figures(tmp_path / "rated_too")
    assert found["judge"] == figures(tmp_path / "out")["judge"]
    assert "meta 1/2" in {one["scheme"] for one in found["parts"][0]["points"]}
    assert grm("scale", "out", "--out", "rated_too", *meta).code == 0
    assert (tmp_path / "rated").read_text().count("rated") == 16, "once"
    (tmp_path / "more.jsonl").write_bytes((tmp_path / "out" / "samples.jsonl").read_bytes())
    ended = grm("scale", "out/samples.jsonl", "more.jsonl", "--out", "new", *meta)
    assert ended.code == 1 and "expected the samples in one record" in ended.err


def test_an_early_stop_is_measured_on_samples_that_were_all_drawn(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "rm.jsonl", labelled(4))
    stop = ("--set", "stop={name: ranking, error: 0.1}")
    assert grm("scale", "rm.jsonl", "--out", "out", "--samples", "16", *TINY, *stop).code == 0
    found = figures(tmp_path / "out")
    assert found["judge"]["stop"] == "fixed"
    (last,) = [
        one
        for one in found["parts"][0]["points"]
        if (one["scheme"], one["k"]) == ("early stop", 16)
    ]
    assert last["cost"]["samples"] == 4 and set(last["against"]) >= {"mean", "uniform"}


def test_a_stopper_and_a_vote_that_are_not_measured_are_told(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "rm.jsonl", labelled(4))
    assert grm("scale", "rm.jsonl", "--out", "out", "--samples", "4", *TINY).code == 0
    ended = grm("scale", "out", "--out", "again", "--set", "stop=advantage")
    assert ended.code == 0 and "stop: 'advantage' is not measured here" in ended.err
    record = tmp_path / "out" / "samples.jsonl"
    lines = [json.loads(line) for line in record.read_text().splitlines()]
    for line in lines:
        line["origin"]["template_hash"] = "of another text"
    write(tmp_path / "other.jsonl", lines)
    ended = grm("scale", "other.jsonl", "--out", "again", "--set", "stop=ranking", "--no-greedy")
    assert ended.code == 1 and "stop: ranking goes by the scale of the judge" in ended.err


def test_the_samples_of_a_group_have_one_name(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "rm.jsonl", labelled(1))
    ended = grm("scale", "rm.jsonl", "--out", "out", "-k", "4", *TINY)
    assert ended.code == 1 and "--samples" in ended.err
    ended = grm("scale", "rm.jsonl", "--out", "out", "--ks", "1,two", *TINY)
    assert ended.code == 2 and "expected numbers such as 1,2,4" in ended.err


def test_without_numpy_it_says_what_to_install(
    grm: Grm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grm_plugin.cli.scale.find_spec", lambda name: None)
    write(tmp_path / "rm.jsonl", labelled(1))
    ended = grm("scale", "rm.jsonl", "--out", "out", *TINY)
    assert ended.code == 1
    assert 'grm scale needs numpy, matplotlib; pip install "grm-plugin[eval]"' in ended.err


def test_the_embedded_judge_is_measured_on_its_own_tasks(grm: Grm, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    asked = ("--split", "heldout", "--groups", "4", "--responses", "2,3")
    assert grm("train", "tasks", "--out", "rm.jsonl", *asked).code == 0
    more = ("--samples", "4", "--engine", "reference", "--cluster", "phrasing")
    ended = grm("scale", "rm.jsonl", "--out", "out", *more)
    assert ended.code == 0
    parts = {one["name"]: one for one in figures(tmp_path / "out")["parts"]}
    assert parts.keys() == {"overall", "N = 2", "N = 3"}
    assert all(0 <= one["accuracy"]["value"] <= 1 for one in parts["overall"]["points"])
    (last,) = [
        one for one in parts["overall"]["points"] if (one["scheme"], one["k"]) == ("mean", 4)
    ]
    assert last["cost"]["written"] > 4 * 30 and last["unscored"] < 1


def test_judgments_that_are_lost_are_told_and_drawn_again(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "rm.jsonl", labelled(4))
    command = ("scale", "rm.jsonl", "--out", "out", "--samples", "2", "--no-greedy", *TINY)
    slow = ("--set", "engine.delay_s=0.5", "--set", "group_timeout_s=0.2")
    assert grm(*command, *slow).code == 3
    assert grm(*command).code == 0
    assert figures(tmp_path / "out")["parts"][0]["points"][0]["unscored"] == 0


SCALAR = ("--set", "scalar.classifier={name: tiny_meta, log: log}")


def schemes(folder: Path) -> set[str]:
    return {one["scheme"] for one in figures(folder)["parts"][0]["points"]}


def test_a_scalar_rm_is_measured_alone_beside_the_judge_and_in_cascades(
    grm: Grm, tmp_path: Path
) -> None:
    write(tmp_path / "rm.jsonl", labelled(8))
    command = ("scale", "rm.jsonl", "--out", "out", "--samples", "4", *TINY, *SCALAR)
    ended = grm(*command, "--set", "scalar.use=cascade")
    assert ended.code == 0
    wanted = {"scalar", "mean + scalar", "cascade 1/4", "cascade 1/2", "cascade 3/4"}
    assert wanted <= schemes(tmp_path / "out")
    many = list(read_verdicts(tmp_path / "out" / "samples.jsonl"))
    assert all(one.scalar and one.scalar.judged and one.drawn == 4 for one in many)
    assert all(one.scalar is None for one in read_verdicts(tmp_path / "out" / "greedy.jsonl"))


def test_the_threshold_of_each_cascade_is_told_and_judges_that_share_of_the_groups(
    grm: Grm, tmp_path: Path
) -> None:
    write(tmp_path / "rm.jsonl", labelled(8))
    ended = grm("scale", "rm.jsonl", "--out", "out", "--samples", "2", *TINY, *SCALAR)
    sure = figures(tmp_path / "out")["sure"]
    assert list(sure) == ["cascade 1/4", "cascade 1/2", "cascade 3/4"]
    right = figures(tmp_path / "out")["judge_accuracy"]
    assert right and all(0 <= one <= 1 for one in right.values()) and set(right) <= set(sure)
    assert "judge_accuracy" in ended.out and f"{right['cascade 1/4']:.3f}" in ended.out
    assert "scalar.sure of each cascade" in ended.out and str(sure["cascade 1/2"])[:6] in ended.out
    drawn = {
        one["scheme"]: one["cost"]["samples"]
        for one in figures(tmp_path / "out")["parts"][0]["points"]
        if one["k"] == 2
    }
    known = [one.scalar.sureness for one in read_verdicts(tmp_path / "out" / "samples.jsonl")]
    for name, threshold in sure.items():
        below = sum(threshold == 1 or one < threshold for one in known) / len(known)
        assert drawn[name] == pytest.approx(2 * below)


@pytest.mark.parametrize(
    ("section", "recorded", "weights"),
    [
        ({"use": "vote", "weight": 2}, None, (2, 2)),
        ({"use": "cascade"}, None, (WEIGHT, 0)),
        ({"use": "cascade", "weight": 3}, {"weight": 9, "use": "vote"}, (3, 3)),
        (None, {"weight": 4, "use": "vote"}, (4, 0)),
        (None, {"weight": 4, "use": "cascade"}, (4, 4)),
        (None, None, (WEIGHT, 0)),
    ],
)
def test_a_cascade_is_measured_with_the_weight_with_which_it_would_run(
    section: dict[str, object] | None, recorded: object, weights: tuple[float, float]
) -> None:
    assert _weights(GRMConfig(scalar=section), recorded) == weights


def test_records_without_scalar_scores_are_rated_once_and_the_judge_is_asked_nothing(
    grm: Grm, tmp_path: Path
) -> None:
    write(tmp_path / "rm.jsonl", labelled(4))
    assert grm("scale", "rm.jsonl", "--out", "out", "--samples", "2", *TINY).code == 0
    assert "scalar" not in schemes(tmp_path / "out")
    asked = (tmp_path / "log").read_text().count("rated")
    ended = grm("scale", "out", "--out", "again", *SCALAR)
    assert ended.code == 0 and "the judgments in out/samples.jsonl are rated" in ended.err
    assert {"scalar", "mean + scalar"} <= schemes(tmp_path / "again")
    log = (tmp_path / "log").read_text()
    assert log.count("rated") == asked + 12 and log.count("\n") == 4 * 3 + 12
    once_more = grm("scale", "again/rated.jsonl", "--out", "third")
    assert once_more.code == 0 and "scalar" in schemes(tmp_path / "third")


def test_a_scalar_rm_alone_has_no_curve(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "rm.jsonl", labelled(2))
    ended = grm("scale", "rm.jsonl", "--out", "out", *SCALAR, "--set", "scalar.use=alone")
    assert ended.code == 1 and "expected use: vote or cascade, got alone" in ended.err
