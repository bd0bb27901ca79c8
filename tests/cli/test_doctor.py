"""``grm doctor``: each line says ok, warn or fail, and every fail how to repair it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from grm_plugin.cli.checkpoint import sampling_is_ours
from grm_plugin.options import Part
from grm_plugin.types import Group
from tests.cli.conftest import Ended

Grm = Callable[..., Ended]
TINY = ("--engine", "tiny", "--set", "engine.log=log")


def test_a_judge_that_works_is_all_well(grm: Grm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grm_plugin.cli.sample.PLAIN", Group.of("q", ["12345", "12"]))
    shown = grm("doctor", *TINY)
    assert shown.code == 0
    assert "fail" not in shown.out
    for part in (
        "ok python 3.",
        "ok plug-ins all load; besides the built-in ones: tiny_judge (tiny-judge 1.0)",
        "ok config engine tiny, k 8, vote mean, select all; file: none",
        "ok parts all fit; template grm, scores 1 to 10",
        "ok engine tiny runs scripted",
        "ok sample 2 of 2 judgments can be read; each takes 0.",
        " s, 10 tokens read and 5 written",
        "ok order scores 6 for a good and 3 for a bad response in the mean over 2 judgments",
        "ok meta RM not used: select is all",
        "all is well",
    ):
        assert part in shown.out


SCALAR = ("--set", "scalar.classifier={name: tiny_meta, log: log}")


def test_a_scalar_rm_is_asked_beside_the_judge_which_is_asked_all_the_same(
    grm: Grm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grm_plugin.cli.sample.PLAIN", Group.of("q", ["12345", "12"]))
    shown = grm("doctor", *TINY, *SCALAR, "--set", "scalar.use=cascade")
    assert shown.code == 0
    assert "ok sample 2 of 2 judgments can be read" in shown.out
    assert "ok scalar scores 5 for a good and 2 for a bad response, center 0, spread 1" in shown.out


def test_a_scalar_rm_alone_needs_no_judge(grm: Grm) -> None:
    shown = grm("doctor", *SCALAR, "--set", "scalar.use=alone")
    assert shown.code == 0
    assert "ok sample not taken: a scalar RM decides alone" in shown.out
    assert "warn scalar scores" in shown.out and "a single pair says little" in shown.out


def test_without_a_scalar_rm_none_is_asked(grm: Grm) -> None:
    assert "ok scalar not used: no scalar" in grm("doctor", *TINY).out


def test_a_judge_that_scores_the_bad_response_higher_is_warned_of(grm: Grm) -> None:
    shown = grm("doctor", *TINY)
    assert shown.code == 0
    assert "warn order scores 5 for a good and 10 for a bad response in the mean" in shown.out
    assert "not the prompt this judge was trained on" in shown.out


def test_a_judge_that_goes_by_the_place_is_warned_of(grm: Grm) -> None:
    shown = grm("doctor", *TINY, "--set", "engine.by_place=true")
    assert "warn order scores 6 for a good and 6 for a bad response in the mean" in shown.out
    assert "but the one shown first wins in each order" in shown.out
    assert "fix: --seed draws others; if it stays, keep shuffle: balanced" in shown.out


def test_a_schedule_that_starts_with_one_sample_is_no_trouble(grm: Grm, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(
        "engine: {name: tiny, log: log}\n"
        "schedule: {by: step, stages: [{step: 0, k: 1}, {step: 5, k: 2}]}\n"
    )
    assert grm("doctor", "--config", "c.yaml").code == 0


def test_only_one_sample_in_each_order_is_spent_and_nothing_is_recorded(
    grm: Grm, tmp_path: Path
) -> None:
    shown = grm("doctor", *TINY, "--set", "record=deep/record.jsonl")
    assert "ok record deep/record.jsonl can be written" in shown.out
    assert len((tmp_path / "log").read_text().splitlines()) == 2
    assert not (tmp_path / "deep").exists()


def test_the_config_file_is_named(
    grm: Grm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "c.yaml").write_text("engine: {name: tiny, log: log}\nk: 3\n")
    monkeypatch.setenv("GRM_CONFIG", "c.yaml")
    assert "k 3, vote mean, select all; file: GRM_CONFIG=c.yaml" in grm("doctor").out
    monkeypatch.delenv("GRM_CONFIG")
    assert "file: c.yaml" in grm("doctor", "--config", "c.yaml").out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--set", "k=many"), "fail config config: k: "),
        (("--template", "nope"), "fail parts unknown template 'nope'"),
        (("--engine", "nope"), "fail parts unknown engine 'nope'"),
        (("--set", "stop=nope"), "fail parts unknown stopper 'nope'"),
        (("--set", "plan=nope"), "fail parts plan: unknown plan 'nope'"),
        (("--set", "record=/dev/null/record"), "fail record /dev/null can not be written"),
    ],
)
def test_what_is_broken_fails_with_a_fix(grm: Grm, options: tuple[str, ...], said: str) -> None:
    shown = grm("doctor", *TINY, *options)
    assert shown.code == 1
    assert said in shown.out
    assert "fix: " in shown.out
    assert ("lists the names a configuration can use" in shown.out) is ("record" not in said)
    assert "1 failed; repair it and run grm doctor again" in shown.out


def test_a_server_that_is_down_fails_with_how_to_start_one(grm: Grm) -> None:
    shown = grm("doctor", "--engine", "server", "--url", "http://127.0.0.1:9")
    assert shown.code == 1
    assert "fail engine" in shown.out
    assert "fix: start one, say `vllm serve MODEL --port 8001`" in shown.out


def test_a_judgment_that_is_cut_fails_with_a_fix(grm: Grm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grm_plugin.cli.sample.PLAIN", Group.of("CUT", ["a", "b"]))
    shown = grm("doctor", *TINY)
    assert shown.code == 1
    assert "fail sample truncated" in shown.out
    assert "fix: raise max_tokens" in shown.out


def test_a_meta_rm_without_a_classifier_is_found(grm: Grm) -> None:
    shown = grm("doctor", *TINY, "--set", "select=meta_rm")
    assert shown.code == 1
    assert "no meta-score on record and no classifier set" in shown.out


def test_settings_that_a_checkpoint_brings_are_told(tmp_path: Path) -> None:
    sampling = '{"temperature": 0.7, "top_k": 20, "top_p": 1.0, "repetition_penalty": 1.05}'
    (tmp_path / "generation_config.json").write_text(sampling)
    args = ["--generation_config", "auto"]
    local = sampling_is_ours(Part(name="transformers", model=str(tmp_path)))
    ours = sampling_is_ours(Part(name="server", serve={"model": str(tmp_path)}))
    users = sampling_is_ours(Part(name="server", serve={"model": str(tmp_path), "args": args}))
    said = "sets temperature 0.7, top_k 20, repetition_penalty 1.05"
    assert all(said in check.detail for check in (local, ours, users))
    assert [check.status for check in (local, ours, users)] == ["ok", "ok", "warn"]
    assert "neutral values are used" in local.detail
    assert "asks for settings" in sampling_is_ours(Part(name="server", url="http://x")).detail


def test_a_known_judge_without_a_template_of_its_own_is_warned_of(grm: Grm) -> None:
    known = ("doctor", *TINY, "--set", "engine.model=BBQGOD/DeepSeek-GRM-16B")
    warned = grm(*known)
    assert "warn engine tiny runs BBQGOD/DeepSeek-GRM-16B" in warned.out
    assert (
        "is asked with template 'grm', which it was not trained on; set template to" in warned.out
    )
    assert "which it was not trained on" not in grm(*known, "--template", "deepseek-grm").out


def test_a_judge_that_needs_a_principle_is_given_one(grm: Grm, tmp_path: Path) -> None:
    (tmp_path / "needs.txt").write_text(
        "---\nneeds: [principles]\n---\n{{conversation}}{{principles}}\n{{responses}}"
    )
    assert "2 of 2 judgments can be read" in grm("doctor", *TINY, "--template", "./needs.txt").out
