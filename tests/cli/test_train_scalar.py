"""``grm train scalar`` on tiny models: labels, votes of a judge, resume, bad input."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grm_plugin import GRM
from grm_plugin.classifiers import TEMPLATE
from grm_plugin.types import Group
from tests.cli.conftest import Ended
from tests.spct.scalar_data import by_another, group, judged, save_scalar_rm, write, write_rows

torch = pytest.importorskip("torch")
pytest.importorskip("matplotlib")

Grm = Callable[..., Ended]
QUICK = (
    *("--learning-rate", "0.005", "--batch", "8", "--device-batch", "4", "--epochs", "6"),
    *("--warmup", "0", "--weight-decay", "0", "--save-every", "10", "--validation", "0.25"),
)


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    return write_rows(tmp_path / "rm.jsonl", map(group, range(80)))


@pytest.fixture
def record(tmp_path: Path) -> Path:
    return write(tmp_path / "verdicts.jsonl", map(judged, range(80)))


def train(grm: Grm, data: Path, base: Path, *more: object, out: str = "made") -> Ended:
    return grm("train", "scalar", data, "--base", base, "--out", out, *QUICK, *more)


def losses(folder: str = "made") -> list[float]:
    """Of held-out pairs, at each look."""
    lines = map(json.loads, Path(folder, "log.jsonl").read_text().splitlines())
    return [line["eval_loss"] for line in lines if "eval_loss" in line]


def test_the_loss_of_held_out_pairs_falls_and_the_better_response_scores_higher(
    grm: Grm, rows: Path, base: Path
) -> None:
    ended = train(grm, rows, base, "--save-every", "1", "--epochs", "3")
    assert ended.code == 0, ended.err
    report = json.loads(Path("made/report.json").read_text())
    assert min(losses()) < 0.3 < 0.5 < losses()[0]
    assert report["training"]["held_out_loss"] == min(losses())
    found = report["validation"]
    assert found["accuracy"]["value"] > 0.9 and found["groups"] == 20 and found["pairs"] == 40
    assert Path("made/calibration.png").read_bytes().startswith(b"\x89PNG")
    assert "of held-out pairs in their order" in ended.out
    assert not Path("made/checkpoints").exists()


def test_votes_of_a_judge_are_learned_as_shares(grm: Grm, record: Path, base: Path) -> None:
    ended = train(grm, record, base)
    assert ended.code == 0, ended.err
    noted = json.loads(Path("made/scalar.json").read_text())
    assert noted["judge"]["model"] == "one" and noted["spread"] > 0
    report = json.loads(Path("made/report.json").read_text())
    assert report["validation"]["accuracy"]["value"] > 0.8
    assert report["validation"]["calibration"]["ece"] < 0.15


def test_scores_in_use_are_those_of_the_plain_model_on_its_chat_template(
    grm: Grm, rows: Path, base: Path
) -> None:
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    assert train(grm, rows, base, "--epochs", "1").code == 0
    model = AutoModelForSequenceClassification.from_pretrained("made")
    tokenizer = AutoTokenizer.from_pretrained("made")
    asked, noted = group(500), json.loads(Path("made/scalar.json").read_text())
    with torch.inference_mode():
        plain = [model(**_chat(tokenizer, asked, text)).logits.item() for text in asked.responses]
    classifier = {"name": "transformers", "model": "made"}
    with GRM(scalar={"use": "alone", "classifier": classifier, "raw": True}) as judge:
        verdict = judge.score(asked)
    assert verdict.rewards == pytest.approx(plain, abs=1e-4)
    assert verdict.scalar.spread == noted["spread"] and verdict.scalar.center == noted["center"]


def _chat(tokenizer: Any, asked: Group, response: str) -> Any:
    turns = [
        {"role": "user", "content": asked.conversation[0].content},
        {"role": "assistant", "content": response},
    ]
    text = tokenizer.apply_chat_template(turns, tokenize=False)
    return tokenizer(text, add_special_tokens=False, return_tensors="pt")


def test_what_it_reads_may_be_a_template_which_is_kept_and_read_in_use(
    grm: Grm, rows: Path, base: Path
) -> None:
    Path("reads.txt").write_text("lo {{conversation}} be {{responses}}")
    assert train(grm, rows, base, "--epochs", "1", "--template", "reads.txt").code == 0
    Path("reads.txt").unlink()
    classifier = {"name": "transformers", "model": "made"}
    scalar = {"use": "alone", "classifier": classifier, "raw": True}
    with GRM(scalar=scalar) as judge:
        kept = judge.score(group(500)).rewards
    Path("made/meta_template.txt").rename("elsewhere.txt")
    with GRM(scalar={**scalar, "template": "elsewhere.txt"}) as judge:
        assert judge.score(group(500)).rewards == kept
    with GRM(scalar=scalar) as judge:
        assert judge.score(group(500)).rewards != kept


def test_a_scalar_rm_that_goes_on_reads_what_it_was_trained_to_read(
    grm: Grm, rows: Path, tmp_path: Path
) -> None:
    base, text = save_scalar_rm(tmp_path / "scalar"), "lo {{conversation}} be {{responses}}"
    (base / TEMPLATE).write_text(text)
    assert train(grm, rows, base, "--epochs", "1").code == 0
    assert Path("made", TEMPLATE).read_text() == text
    assert json.loads(Path("made/settings.json").read_text())["reads"]


def test_a_training_ends_when_the_loss_of_held_out_pairs_is_flat_and_keeps_the_best(
    grm: Grm, tmp_path: Path, base: Path
) -> None:
    noise = [judged(number, k=1, right=1 / 3) for number in range(60)]
    record = write(tmp_path / "noise.jsonl", noise)
    ended = train(grm, record, base, "--save-every", "2", "--epochs", "50", "--patience", "2")
    assert ended.code == 0 and "the loss of held-out pairs is flat" in ended.err
    trained = json.loads(Path("made/report.json").read_text())["training"]
    assert trained["ended"] == "flat" and trained["steps"] < 200
    assert trained["held_out_loss"] == min(losses()) < losses()[-1]


def test_a_killed_training_goes_on_as_if_nothing_had_been(
    grm: Grm, rows: Path, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = ("--epochs", "3", "--save-every", "5")
    assert train(grm, rows, base, *more, out="whole").code == 0

    def killed(meter: object, step: int, state: str) -> None:
        if step == 10:
            raise MemoryError("killed")

    with monkeypatch.context() as patched, pytest.raises(MemoryError, match="killed"):
        patched.setattr("grm_plugin.cli.train_classifier.Meter.show", killed)
        train(grm, rows, base, *more)
    assert Path("made/checkpoints").is_dir()
    assert train(grm, rows, base, *more).code == 0
    one, other = (json.loads(Path(name, "report.json").read_text()) for name in ("whole", "made"))
    assert one["validation"] == other["validation"]
    again = train(grm, rows, base, *more)
    assert again.code == 1 and "holds a scalar RM that is done" in again.err


def test_without_held_out_groups_logits_are_not_scaled_and_that_is_said(
    grm: Grm, rows: Path, base: Path
) -> None:
    ended = train(grm, rows, base, "--epochs", "1", "--validation", "0")
    assert ended.code == 0 and "no held-out pairs" in ended.err
    noted = json.loads(Path("made/scalar.json").read_text())
    assert (noted["center"], noted["spread"], noted["pairs"]) == (0.0, 1.0, 0)


def test_bad_input_is_told_before_anything_is_trained(
    grm: Grm, rows: Path, record: Path, base: Path, tmp_path: Path
) -> None:
    from tests.engines.tiny_models import save_judge

    few = write_rows(tmp_path / "few.jsonl", map(group, range(6)))
    ended = train(grm, few, base)
    assert ended.code == 1 and "expected 10 groups or more to train on" in ended.err
    bare = save_judge(tmp_path / "bare", chat=False)
    ended = train(grm, rows, bare, out="other")
    assert ended.code == 1 and "has no chat template" in ended.err and "--template" in ended.err
    write(record, [by_another(judged(90), model="two")], "ab")
    ended = train(grm, record, base)
    assert ended.code == 1 and "line 81: expected the judge of" in ended.err
    sure = [replace(judged(number), judgments=()) for number in range(20)]
    ended = train(grm, write(tmp_path / "sure.jsonl", sure), base)
    assert ended.code == 1 and "groups left out: 20 not judged" in ended.err
    assert train(grm, rows, base, "--base", "./nowhere", out="third").code == 1
    assert not Path("made/report.json").exists()


def test_the_tokenizer_of_another_model_is_refused(
    grm: Grm, rows: Path, tmp_path: Path, base: Path
) -> None:
    from transformers import LlamaForCausalLM

    from tests.engines.tiny_models import config, tokenizer

    small = config()
    small.vocab_size = 20
    LlamaForCausalLM(small).save_pretrained(tmp_path / "small")
    tokenizer().save_pretrained(tmp_path / "small")
    ended = train(grm, rows, tmp_path / "small")
    assert ended.code == 1 and "the model knows 20 tokens" in ended.err
