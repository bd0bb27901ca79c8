"""``grm train meta-data``, ``grm train meta`` and ``grm train weights`` on tiny models."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from grm_plugin import GRM
from grm_plugin.records import read_verdicts
from grm_plugin.spct.meta_data import MetaRow, as_line, read_rows
from grm_plugin.spct.meta_rating import rated as rated_by
from tests.cli.conftest import Ended
from tests.spct.judged import verdict, write

torch = pytest.importorskip("torch")
pytest.importorskip("matplotlib")

Grm = Callable[..., Ended]
QUICK = (
    *("--learning-rate", "0.01", "--batch", "8", "--device-batch", "4", "--epochs", "4"),
    *("--warmup", "0", "--weight-decay", "0"),
)


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """Judgments of 40 groups whose text tells by a word whether they are right."""
    found = []
    for number in range(40):
        for sample in range(4):
            label = (number + sample) % 2
            word, split = ("ba" if label else "ka"), "validation" if number >= 30 else "train"
            text = f"la {number} be {word} {sample} {word}"
            margin = float(1 + sample // 2)
            group = f"g{number}"
            found.append(MetaRow(text, label, margin, group, 2, group, split, sample))
    path = tmp_path / "meta.jsonl"
    path.write_text("".join(map(as_line, found)), encoding="utf-8")
    path.with_suffix(".stats.json").write_text(json.dumps({"template": "{{critique}}"}))
    return path


def test_the_command_writes_rows_and_what_they_hold(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "plain.jsonl", [verdict(number) for number in range(12)])
    write(tmp_path / "trained.jsonl", [verdict(number, k=6) for number in range(12)])
    ended = grm("train", "meta-data", str(tmp_path), "--out", str(tmp_path / "out" / "meta.jsonl"))
    assert ended.code == 0 and "48 there twice" in ended.out
    rows = read_rows(tmp_path / "out" / "meta.jsonl")
    statistics = json.loads((tmp_path / "out" / "meta.stats.json").read_text())
    assert len(rows) == statistics["judgments"] == 72
    assert statistics["template"].count("{{critique}}") == 1
    assert statistics["held_out_by"] == "prompt"


def test_records_without_labels_or_judgments_are_refused(grm: Grm, tmp_path: Path) -> None:
    bare = replace(verdict(1), group=replace(verdict(1).group, metadata={}))
    path, out = write(tmp_path / "r.jsonl", [bare]), tmp_path / "meta.jsonl"
    ended = grm("train", "meta-data", str(path), "--out", str(out))
    assert ended.code == 1 and "g1: expected best or ratings" in ended.err and not out.exists()
    write(path, [replace(verdict(1), judgments=())])
    ended = grm("train", "meta-data", str(path), "--out", str(out))
    assert ended.code == 1 and "expected judgments of whole groups, got none" in ended.err


def test_a_meta_rm_learns_what_the_margin_does_not_say(grm: Grm, rows: Path, base: Path) -> None:
    ended = grm("train", "meta", rows, "--base", base, "--out", "made", *QUICK)
    assert ended.code == 0, ended.err
    report = json.loads(Path("made/report.json").read_text())
    figures = report["validation"]
    assert figures["same_margin"]["value"] > 0.9 and figures["same_margin"]["pairs"] > 100
    assert figures["margin"]["value"] == pytest.approx(0.5)
    assert figures["gain"]["low"] > 0 and figures["judgments"] == 40
    assert report["training"]["rows"] == 120 and report["training"]["steps"] == 60
    assert Path("made/calibration.png").read_bytes().startswith(b"\x89PNG")
    assert "judgments of the same N and margin" in ended.out
    steps = [json.loads(line) for line in Path("made/log.jsonl").read_text().splitlines()]
    assert steps[-1]["loss"] < steps[0]["loss"]
    assert not Path("made/checkpoints").exists()


def test_one_cluster_to_validate_on_has_no_intervals_and_the_report_is_json(
    grm: Grm, rows: Path, base: Path
) -> None:
    def refused(name: str) -> None:
        raise AssertionError(f"{name} is no JSON")

    found = [
        replace(one, cluster="one") if one.split == "validation" else one for one in read_rows(rows)
    ]
    rows.write_text("".join(map(as_line, found)))
    rows.with_suffix(".stats.json").write_text('{"held_out_by": "source"}')
    ended = grm("train", "meta", rows, "--base", base, "--out", "made", *QUICK, "--epochs", "0.2")
    assert ended.code == 0 and "clustered by source (1)" in " ".join(ended.out.split())
    report = json.loads(Path("made/report.json").read_text(), parse_constant=refused)
    figures = report["validation"]
    assert figures["gain"]["low"] is None and figures["label"]["high"] is None
    assert figures["held_out_by"] == "source" and figures["clusters"] == 1


def test_the_logits_in_use_are_those_of_the_plain_model(grm: Grm, rows: Path, base: Path) -> None:
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    from grm_plugin.classifiers.transformers import TransformersClassifier
    from grm_plugin.engine import Limits

    assert grm("train", "meta", rows, "--base", base, "--out", "made", *QUICK).code == 0
    model = AutoModelForSequenceClassification.from_pretrained("made")
    tokenizer = AutoTokenizer.from_pretrained("made")
    texts = [row.text for row in read_rows(rows)][-12:]
    with torch.inference_mode():
        alone = [model(**tokenizer(text, return_tensors="pt")).logits.item() for text in texts]
        batch = tokenizer(texts, return_tensors="pt", padding=True)
        together = model(**batch).logits[:, 0].tolist()
    classifier = TransformersClassifier({"model": "made"}, Limits())
    assert rated_by(classifier, texts) == pytest.approx(alone, abs=1e-4)
    assert together == pytest.approx(alone, abs=1e-4)
    lines = Path("made/validation.jsonl").read_text().splitlines()
    noted = [json.loads(line)["logit"] for line in lines]
    assert noted[-12:] == pytest.approx(alone, abs=1e-4)
    assert classifier.template == Path("made/meta_template.txt")
    assert classifier.template.read_text() == "{{critique}}"


def test_a_training_goes_on_from_its_last_checkpoint_as_if_nothing_had_been(
    grm: Grm, rows: Path, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from grm_plugin.spct.classifier_training import last_checkpoint

    command = ("train", "meta", rows, "--base", base, "--save-every", "10", *QUICK)
    assert grm(*command, "--out", "whole").code == 0

    def killed(meter: object, step: int, state: str) -> None:
        if step == 30:
            raise MemoryError("killed")

    with monkeypatch.context() as patched, pytest.raises(MemoryError, match="killed"):
        patched.setattr("grm_plugin.cli.train_classifier.Meter.show", killed)
        grm(*command, "--out", "made")
    assert last_checkpoint(Path("made/checkpoints")).name == "checkpoint-20"
    Path("made/checkpoints/checkpoint-50").mkdir()  # one that was not written to its end
    assert grm(*command, "--out", "made").code == 0
    one, other = (json.loads(Path(name, "report.json").read_text()) for name in ("whole", "made"))
    assert one["validation"] == other["validation"]
    weights = Path("made/model.safetensors").read_bytes()
    Path("made/report.json").unlink()  # as if it had been killed before it was written
    assert "rating 40 held-out judgments" in grm(*command, "--out", "made").err
    assert Path("made/model.safetensors").read_bytes() == weights
    again = grm(*command, "--out", "made")
    assert again.code == 1 and "holds a meta RM that is done" in again.err


def test_another_training_does_not_go_on_in_the_folder(grm: Grm, rows: Path, base: Path) -> None:
    from grm_plugin.spct.classifier_settings import check_folder
    from grm_plugin.spct.meta_settings import MetaTraining, digest_of

    settings = MetaTraining(str(base), Path("made"))
    check_folder(settings, digest_of(read_rows(rows)))
    ended = grm("train", "meta", rows, "--base", base, "--out", "made", "--seed", "1")
    assert ended.code == 1
    assert "made holds a training with learning_rate" not in ended.err
    assert "made holds a training with seed = '0', and '1' is asked for" in ended.err


def test_one_of_several_processes_writes_what_a_folder_holds(
    rows: Path, base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from grm_plugin.spct.classifier_settings import check_folder
    from grm_plugin.spct.meta_settings import MetaTraining, digest_of

    settings, noted = MetaTraining(str(base), tmp_path / "made"), tmp_path / "made/settings.json"
    monkeypatch.setenv("RANK", "1")
    check_folder(settings, digest_of(read_rows(rows)))
    assert not noted.exists()
    monkeypatch.setenv("RANK", "0")
    check_folder(settings, digest_of(read_rows(rows)))
    assert [one.name for one in noted.parent.iterdir()] == ["settings.json"]


@pytest.mark.parametrize(
    ("text", "telling"), [('{"base": "x', "can not be read"), ("[1]", "expected the settings of")]
)
def test_a_folder_whose_settings_are_no_settings_is_named(
    grm: Grm, rows: Path, base: Path, text: str, telling: str
) -> None:
    Path("made").mkdir()
    Path("made/settings.json").write_text(text)
    ended = grm("train", "meta", rows, "--base", base, "--out", "made")
    assert ended.code == 1 and "made/settings.json" in ended.err
    assert telling in ended.err and "choose another folder" in " ".join(ended.err.split())


def test_a_loss_that_is_no_number_stops_and_keeps_the_checkpoints(
    grm: Grm, rows: Path, base: Path
) -> None:
    wild = ("--learning-rate", "1e30", "--batch", "8", "--epochs", "2", "--save-every", "1")
    ended = grm("train", "meta", rows, "--base", base, "--out", "made", *wild)
    assert ended.code == 1 and "the loss is nan at step" in ended.err
    assert "lower the learning rate" in ended.err and Path("made/checkpoints").is_dir()
    assert not Path("made/report.json").exists()


@pytest.mark.parametrize(
    ("kept", "telling"),
    [
        (lambda row: row.label, "10 groups or more to train on, got 30 groups with 60 right ones"),
        (lambda row: row.group in ("g1", "g2"), "got 2 groups with 4 right ones of 8"),
        (lambda row: row.split == "validation", "got 0 groups with 0 right ones of 0"),
    ],
)
def test_rows_that_teach_nothing_are_refused_with_numbers(
    grm: Grm, rows: Path, base: Path, kept: Callable[[MetaRow], bool], telling: str
) -> None:
    few = Path("few.jsonl")
    few.write_text("".join(as_line(row) for row in read_rows(rows) if kept(row)))
    ended = grm("train", "meta", few, "--base", base, "--out", "made")
    assert ended.code == 1 and telling in ended.err


def test_texts_over_the_context_are_left_out_and_told(grm: Grm, rows: Path, base: Path) -> None:
    found = read_rows(rows)
    long = [replace(found[0], text="la " * 300), replace(found[1], text="ba " * 300)]
    rows.write_text("".join(map(as_line, [*found, *long])))
    ended = grm("train", "meta", rows, "--base", base, "--out", "made", *QUICK, "--epochs", "1")
    assert ended.code == 0 and "2 judgments were left out: they are longer than" in ended.err


def test_a_batch_that_devices_can_not_share_is_refused(grm: Grm, rows: Path, base: Path) -> None:
    ended = grm("train", "meta", rows, "--base", base, "--out", "made", "--batch", "12")
    assert ended.code == 1 and "batch: expected a multiple of 8" in ended.err


def test_a_base_that_is_not_there_is_told(grm: Grm, rows: Path) -> None:
    ended = grm("train", "meta", rows, "--base", "./nowhere", "--out", "made")
    assert ended.code == 1 and "base './nowhere' can not be loaded" in ended.err


def rated(number: int, **known: object):
    """A verdict whose meta-scores know which judgments are right, most of the time."""
    one = verdict(number, k=8, n=4, **known)
    votes = [
        replace(each, meta_score=(1.0 if " ba " in each.text else -1.0) + math.sin(7 * number + k))
        for k, each in enumerate(one.judgments)
    ]
    return replace(one, judgments=tuple(votes))


def figure(path: Path, name: str, k: int) -> dict:
    (found,) = [
        one
        for one in json.loads(path.read_text())["held_out"]
        if (one["name"], one["k"]) == (name, k)
    ]
    return found


def test_weights_by_a_meta_rm_gain_on_groups_that_they_were_not_fitted_to(
    grm: Grm, tmp_path: Path
) -> None:
    path = write(tmp_path / "r.jsonl", [rated(number) for number in range(80)])
    assert grm("train", "weights", path, "--out", "w.json").code == 0
    result = json.loads(Path("w.json").read_text())
    assert result["coefficients"]["meta"] > 0.5 and result["ks"] == [4, 8]
    gain = figure(Path("w.json"), "weights by meta and margin", 4)["gain"]
    assert gain["low"] > 0
    assert gain["value"] > figure(Path("w.json"), "weights by margin", 4)["gain"]["high"]
    assert figure(Path("w.json"), "meta 1/2", 4)["gain"]["value"] > 0
    first = Path("w.json").read_bytes()
    grm("train", "weights", path, "--out", "w.json")
    assert Path("w.json").read_bytes() == first


def test_fitted_weights_are_used_by_the_selector_in_a_replay(grm: Grm, tmp_path: Path) -> None:
    found = [rated(number) for number in range(40)]
    path = write(tmp_path / "r.jsonl", _boxed(found))
    assert grm("train", "weights", path, "--out", "w.json", "--ks", "8").code == 0
    coefficients = json.loads(Path("w.json").read_text())["coefficients"]
    select = {"name": "weights", "file": "w.json"}
    with GRM(engine={"name": "replay", "path": str(path)}, select=select) as judge:
        verdict = judge.score(found[0].group)
    assert not verdict.failures
    assert len({one.weight for one in verdict.judgments}) > 1
    heaviest = max(verdict.judgments, key=lambda one: one.weight)
    other = min(verdict.judgments, key=lambda one: one.weight)
    gap = math.log(heaviest.weight / other.weight)
    ahead = {
        "meta": heaviest.meta_score - other.meta_score,
        "margin": _margin(heaviest) - _margin(other),
    }
    assert gap == pytest.approx(sum(coefficients[name] * ahead[name] for name in ahead))


def _margin(judgment) -> float:
    best, second = sorted(judgment.scores)[-1:-3:-1]
    return best - second


def _boxed(verdicts: Sequence) -> list:
    """The same with texts that can be read again."""
    return [
        replace(one, judgments=tuple(
            replace(each, text=each.text + " \\boxed{" + ", ".join(
                f"{each.scores[n]:g}" for n in each.order) + "}")
            for each in one.judgments
        ))
        for one in verdicts
    ]  # fmt: skip


def test_a_meta_rm_rates_what_has_no_meta_score_and_the_record_is_kept(
    grm: Grm, tmp_path: Path, base: Path
) -> None:
    from tests.engines.tiny_models import save_classifier

    save_classifier(tmp_path / "meta")
    path = write(tmp_path / "r.jsonl", [verdict(number, k=4) for number in range(24)])
    command = ("train", "weights", path, "--out", "w.json", "--ks", "2,4")
    bare = grm(*command)
    assert bare.code == 1 and "no judgment has a meta-score on record; name a meta RM" in bare.err
    assert grm(*command, "--classifier", "meta", "--rated", "rated.jsonl").code == 0
    kept = list(read_verdicts(Path("rated.jsonl")))
    assert all(one.meta_score is not None for each in kept for one in each.judgments)
    assert len({one.meta_score for each in kept for one in each.judgments}) > 1


def test_a_rating_that_was_killed_asks_for_no_judgment_twice(
    grm: Grm, tmp_path: Path, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from grm_plugin.classifiers.transformers import TransformersClassifier
    from tests.engines.tiny_models import save_classifier

    save_classifier(tmp_path / "meta")
    path = write(tmp_path / "r.jsonl", [verdict(number, k=4) for number in range(24)])
    command = ("train", "weights", path, "--ks", "2,4", "--classifier", "meta")
    assert grm(*command, "--out", "whole.json").code == 0
    monkeypatch.setattr("grm_plugin.spct.meta_rating._AT_A_TIME", 16)
    asked, rate = [], TransformersClassifier.logits

    async def killed_at_64(self, texts):
        if len(asked) == 64:
            raise MemoryError("killed")
        asked.extend(texts)
        return await rate(self, texts)

    with monkeypatch.context() as patched, pytest.raises(MemoryError):
        patched.setattr(TransformersClassifier, "logits", killed_at_64)
        grm(*command, "--out", "w.json")

    async def noted(self, texts):
        asked.extend(texts)
        return await rate(self, texts)

    monkeypatch.setattr(TransformersClassifier, "logits", noted)
    kept = Path(".w.json.logits")
    kept.write_bytes(kept.read_bytes()[:-9])  # the last line was not written to its end
    assert grm(*command, "--out", "w.json").code == 0
    assert len(asked) == 96 + 1 and not kept.exists()
    made, whole = (json.loads(Path(name).read_text()) for name in ("w.json", "whole.json"))
    assert made["coefficients"] == pytest.approx(whole["coefficients"], abs=1e-4)


def test_the_margin_alone_needs_no_meta_rm(grm: Grm, tmp_path: Path) -> None:
    path = write(tmp_path / "r.jsonl", [verdict(number, k=8, n=4) for number in range(30)])
    ended = grm("train", "weights", path, "--out", "w.json", "--margin-only", "--ks", "4")
    assert ended.code == 0 and "weights by margin" in ended.out
    assert json.loads(Path("w.json").read_text())["coefficients"]["meta"] == 0


def test_groups_that_all_share_a_value_are_refused_by_its_name(grm: Grm, tmp_path: Path) -> None:
    path = write(tmp_path / "r.jsonl", [rated(number, source="one") for number in range(24)])
    ended = grm("train", "weights", path, "--out", "w.json", "--by", "source")
    assert ended.code == 1 and "--by source: expected groups to fit on that share" in ended.err
    assert "values to hold out by: 1" in ended.err


def test_too_few_groups_and_too_many_samples_are_refused(grm: Grm, tmp_path: Path) -> None:
    path = write(tmp_path / "r.jsonl", [verdict(number) for number in range(5)])
    ended = grm("train", "weights", path, "--out", "w.json", "--margin-only")
    assert ended.code == 1 and "expected 20 groups of two or more responses or more" in ended.err
    write(path, [verdict(number, k=2) for number in range(30)])
    ended = grm("train", "weights", path, "--out", "w.json", "--margin-only")
    assert ended.code == 1 and "--ks: expected at most 2" in ended.err
    assert grm("train", "weights", path, "--out", "w.json", "--ks", "x").code == 2
