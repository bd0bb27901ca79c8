"""``grm train stopper``: from a record to a line of settings that ``grm score`` takes."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from grm_plugin import GRMConfig
from grm_plugin.pipeline.building import find_template
from grm_plugin.plugins import installed
from grm_plugin.running.recorder import Recorder
from tests.cli.conftest import Ended
from tests.evaluation.verdicts import noisy

Grm = Callable[..., Ended]


@pytest.fixture
def record(tmp_path: Path) -> Path:
    rng, path = random.Random(3), tmp_path / "r.jsonl"
    recorder = Recorder(path)
    template = find_template("grm", installed())
    origin = {"template": "grm", "template_hash": template.digest}
    for number in range(40):
        judged = noisy(rng, n=3, k=24, skill=2, id=str(number), phrasing=number % 5)
        recorder.write(replace(judged, origin=origin))
    recorder.close()
    return path


def test_it_prints_settings_that_can_be_used(grm: Grm, record: Path, tmp_path: Path) -> None:
    ended = grm("train", "stopper", record, "-k", "16", "--lose", "1", "--out", "found.json")
    assert ended.code == 0
    (line,) = re.findall(r"stop: \{[^}]*\}", ended.out)
    found = json.loads((tmp_path / "found.json").read_text())
    settings = GRMConfig(k=16, **yaml.safe_load(line))
    assert settings.stop.options["error"] == found["stop"]["error"] == found["chosen"]["error"]
    assert found["chosen"]["change"]["value"] >= -0.01
    assert 0 < found["chosen"]["saved"] < 1
    assert "chosen" in ended.out and "40 groups, labels: of the data" in ended.err


def test_where_every_error_loses_too_much_the_file_keeps_all_samples(
    grm: Grm, record: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grm_plugin.spct.threshold.largest", lambda *_: None)
    ended = grm("train", "stopper", record, "-k", "16", "--out", "found.json")
    assert ended.code == 0 and "keeps stop: fixed" in ended.err
    found = json.loads((tmp_path / "found.json").read_text())
    assert found["stop"] == {"name": "fixed"} and found["chosen"] is None
    assert GRMConfig(k=16, stop=found["stop"]).stop.name == "fixed"
    ended = grm("train", "stopper", record, "-k", "16")
    assert ended.code == 1 and "allow more, or keep stop: fixed" in ended.err


def test_an_interval_may_go_by_what_the_groups_share(grm: Grm, record: Path) -> None:
    assert grm("train", "stopper", record, "-k", "16", "--cluster", "phrasing").code == 0
    ended = grm("train", "stopper", record, "-k", "16", "--cluster", "phrase")
    assert ended.code == 1 and "no group's metadata has 'phrase'" in ended.err


def test_a_folder_of_grm_scale_is_read_without_its_greedy_judgments(
    grm: Grm, record: Path, tmp_path: Path
) -> None:
    (folder := tmp_path / "measured").mkdir()
    lines = [json.loads(line) for line in record.read_text().splitlines()]
    (folder / "samples.jsonl").write_bytes(record.read_bytes())
    greedy = [
        {
            **line,
            "judgments": line["judgments"][:1],
            "failures": [],
            "origin": {**line["origin"], "temperature": 0},
        }
        for line in lines
    ]
    (folder / "greedy.jsonl").write_text("".join(json.dumps(line) + "\n" for line in greedy))
    ended = grm("train", "stopper", folder, "-k", "16", "--lose", "50")
    assert ended.code == 0 and "40 groups" in ended.err
    (folder / "rated.jsonl").write_bytes(record.read_bytes())
    ended = grm("train", "stopper", folder, "-k", "16", "--lose", "50")
    assert ended.code == 0 and "40 groups" in ended.err


def test_verdicts_that_are_given_twice_count_once(grm: Grm, record: Path, tmp_path: Path) -> None:
    (tmp_path / "again.jsonl").write_bytes(record.read_bytes())
    ended = grm("train", "stopper", record, "again.jsonl", "-k", "16", "--lose", "50")
    assert ended.code == 0 and "40 groups" in ended.err
    assert "left out: 40 verdicts that are on record twice" in ended.err


def test_records_of_two_judges_are_refused(grm: Grm, record: Path, tmp_path: Path) -> None:
    lines = [json.loads(line) for line in record.read_text().splitlines()]
    for model in ("one", "two"):
        told = [
            json.dumps({**line, "origin": {**line["origin"], "model": model}}) + "\n"
            for line in lines
        ]
        (tmp_path / f"{model}.jsonl").write_text("".join(told))
    ended = grm("train", "stopper", "one.jsonl", "two.jsonl", "-k", "16")
    assert ended.code == 1 and "model was 'one', is 'two'" in ended.err


def test_the_scale_is_that_of_the_template_on_record(
    grm: Grm, record: Path, tmp_path: Path
) -> None:
    command = ("train", "stopper", "-k", "16", "--lose", "50")
    assert grm(*command, record, "--out", "found.json").code == 0
    assert json.loads((tmp_path / "found.json").read_text())["trial"]["scale"] == [1, 10]
    ended = grm(*command, record, "--scale", "0", "1")
    assert ended.code == 1 and "expected scores of the judge's scale, 0 to 1, got" in ended.err
    lines = [json.loads(line) for line in record.read_text().splitlines()]
    for line in lines:
        line["origin"]["template_hash"] = "of another text"
    (tmp_path / "other.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    ended = grm(*command, "other.jsonl")
    assert ended.code == 1 and "name it, such as --scale 1 10" in ended.err
    assert grm(*command, "other.jsonl", "--scale", "1", "10").code == 0


def test_a_record_with_too_few_samples_is_refused(grm: Grm, record: Path) -> None:
    ended = grm("train", "stopper", record, "-k", "32")
    assert ended.code == 1 and "k: expected at most 24" in ended.err


def test_a_budget_gives_the_worth_of_the_stopper_for_advantages(
    grm: Grm, record: Path, tmp_path: Path
) -> None:
    ended = grm("train", "stopper", record, "-k", "16", "--mean", "8", "--out", "found.json")
    assert ended.code == 0
    (line,) = re.findall(r"stop: \{[^}]*\}", ended.out)
    found = json.loads((tmp_path / "found.json").read_text())
    settings = GRMConfig(k=16, **yaml.safe_load(line))
    assert settings.stop.options["worth"] == found["stop"]["worth"] == found["found"]["worth"]
    assert 7 < found["found"]["samples"] <= 8
    assert re.search(
        r"40 groups get [78]\.\d samples on average, [\d.]+% of them all 16", ended.err
    )
    few = grm("train", "stopper", record, "-k", "16", "--mean", "3")
    assert few.code == 1 and "mean: expected more than 4 samples" in few.err
