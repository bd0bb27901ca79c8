"""``grm train reject``: rows of fine-tuning from recorded trajectories."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grm_plugin.engine import Draw, SampleRequest
from grm_plugin.pipeline.sampled import digest_of
from grm_plugin.records import read_verdicts
from grm_plugin.testing import ScriptedEngine
from grm_plugin.types import Message
from tests.cli.conftest import Ended
from tests.cli.files import write

Grm = Callable[..., Ended]
TINY = ("--engine", "tiny", "--set", "engine.log=log", "--set", "engine.by_place=true")
REJECT = ("train", "reject", "dir", "--out", "sft.jsonl")
TEMPLATE = "---\nscale: [1, 10]\n---\nQ: {{conversation}}\n{{responses}}Scores in a box.\n"


def data(number: int, **more: Any) -> list[dict[str, Any]]:
    return [
        {
            "id": str(i),
            "prompt": f"question {i}",
            "responses": ["a", "bb", "ccc"],
            "best": i % 3,
            **more,
        }
        for i in range(number)
    ]


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def sampled(grm: Grm, tmp_path: Path) -> Path:
    """Trajectories of 12 data by a judge that prefers whatever it is shown first."""
    write(tmp_path / "rm.jsonl", data(12, subset="trees"))
    ended = grm("train", "sample", "rm.jsonl", "--out", "dir", *TINY)
    assert ended.code == 0, ended.err
    return tmp_path / "dir"


def test_what_is_right_becomes_rows_and_the_table_says_why_the_rest_does_not(
    grm: Grm, sampled: Path, tmp_path: Path
) -> None:
    ended = grm(*REJECT)
    assert ended.code == 0, ended.err
    rows = lines(tmp_path / "sft.jsonl")
    # of three samples in balanced orders just one shows the best response first
    plain = [row for row in rows if not row["hinted"]]
    assert len(plain) == 12
    table = {line["source"]: line for line in lines(tmp_path / "sft.table.json")}
    assert (table["plain"]["kept"], table["plain"]["wrong"]) == (12, 24)
    assert table["plain"]["subset"] == "trees"
    assert table["hinted"]["kept"] == len(rows) - 12
    assert re.search(r"trees plain 12 24 36", ended.out), ended.out
    for row in rows:
        best = int(row["id"]) % 3
        assert row["order"][0] == best
        assert row["completion"][0]["content"].endswith("\\boxed{9, 3, 2}")
    assert lines(sampled / "easy.jsonl") == []


def test_a_stored_prompt_is_what_the_judge_saw_without_the_hint(
    grm: Grm, sampled: Path, tmp_path: Path
) -> None:
    assert grm(*REJECT).code == 0
    rows = lines(tmp_path / "sft.jsonl")
    hashes = {
        (one.group.fingerprint, judgment.order): judgment.prompt_hash
        for one in read_verdicts(sampled / "plain.jsonl")
        for judgment in one.judgments
    }
    for row in rows:
        assert "known to be" not in json.dumps(row["prompt"])
        assert "Evidence" not in json.dumps(row["prompt"])
        seen = digest_of(Message(**turn) for turn in row["prompt"])
        if not row["hinted"]:
            assert seen == hashes[row["fingerprint"], tuple(row["order"])]
    assert any(row["hinted"] for row in rows)


def test_data_that_are_too_easy_are_named_for_rl_and_none_of_them_is_kept(
    grm: Grm, tmp_path: Path
) -> None:
    write(tmp_path / "rm.jsonl", data(12))
    assert grm("train", "sample", "rm.jsonl", "--out", "dir", "-n", "1", *TINY).code == 0
    ended = grm(*REJECT, "--easy", "easy.jsonl")
    assert ended.code == 0, ended.err
    right = {
        one.group.id: one.group.fingerprint
        for one in read_verdicts(tmp_path / "dir/plain.jsonl")
        if one.judgments[0].order[0] == one.group.metadata["best"]
    }
    named = {row["id"]: row["fingerprint"] for row in lines(tmp_path / "easy.jsonl")}
    assert named == right and named
    kept = {row["id"] for row in lines(tmp_path / "sft.jsonl")}
    assert kept and not kept & set(named)


def test_a_judge_that_is_right_always_or_never_gives_nothing_to_learn(
    grm: Grm, tmp_path: Path
) -> None:
    write(tmp_path / "rm.jsonl", data(3))
    by_length = ("--engine", "tiny", "--set", "engine.log=log")
    assert grm("train", "sample", "rm.jsonl", "--out", "dir", *by_length).code == 0
    ended = grm(*REJECT)
    assert ended.code == 1 and "no trajectory is kept; of 12:" in ended.err
    assert "too easy" in ended.err
    assert not (tmp_path / "sft.jsonl").exists()


def test_a_file_that_was_cut_counts_up_to_its_last_whole_line(
    grm: Grm, sampled: Path, tmp_path: Path
) -> None:
    plain = sampled / "plain.jsonl"
    plain.write_bytes(plain.read_bytes()[:-100])
    (sampled / "hinted.jsonl").unlink()
    ended = grm(*REJECT)
    assert ended.code == 0, ended.err
    assert "plain.jsonl ends within a line, which is left out" in ended.err
    assert len(lines(tmp_path / "sft.jsonl")) == 11


def test_a_template_that_has_changed_is_an_error_and_nothing_is_written(
    grm: Grm, tmp_path: Path
) -> None:
    (tmp_path / "own.txt").write_text(TEMPLATE)
    write(tmp_path / "rm.jsonl", data(3))
    sample = ("train", "sample", "rm.jsonl", "--out", "dir", "--template", "./own.txt", *TINY)
    assert grm(*sample).code == 0
    assert grm(*REJECT).code == 0
    (tmp_path / "sft.jsonl").unlink()
    (tmp_path / "own.txt").write_text(TEMPLATE.replace("Q:", "Question:"))
    ended = grm(*REJECT)
    assert ended.code == 1
    assert "template 'own.txt' has changed since these trajectories were sampled" in ended.err
    assert not (tmp_path / "sft.jsonl").exists()


def test_a_prompt_that_was_another_one_is_an_error(grm: Grm, sampled: Path, tmp_path: Path) -> None:
    plain = sampled / "plain.jsonl"
    records = lines(plain)
    for record in records:
        for judgment in record["judgments"]:
            judgment["prompt_hash"] = "0" * 32
    write(plain, records)
    ended = grm(*REJECT)
    assert ended.code == 1 and "its prompt can not be rendered as it was" in ended.err


def test_a_judge_of_which_nothing_can_be_read_gives_no_file(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "rm.jsonl", [{**row, "prompt": f"CUT {row['id']}"} for row in data(3)])
    grm("train", "sample", "rm.jsonl", "--out", "dir", *TINY)
    ended = grm(*REJECT)
    assert ended.code == 1
    assert "no trajectory is kept; of 12: 12 unreadable; the first" in ended.err
    assert "truncated" in ended.err and "its text ends" in ended.err
    assert not (tmp_path / "sft.jsonl").exists()


def test_the_table_says_what_was_wrong_with_texts_that_can_not_be_read(
    grm: Grm, tmp_path: Path
) -> None:
    rows = data(6)
    rows[0]["prompt"] = "CUT"
    write(tmp_path / "rm.jsonl", rows)
    assert grm("train", "sample", "rm.jsonl", "--out", "dir", "--no-hinted", *TINY).code == 0
    ended = grm(*REJECT)
    assert ended.code == 0, ended.err
    assert "unreadable, by what was wrong: 3 truncated" in ended.err


def test_a_folder_without_trajectories_says_how_to_get_them(grm: Grm, tmp_path: Path) -> None:
    ended = grm("train", "reject", "nowhere", "--out", "sft.jsonl")
    assert ended.code == 1 and "`grm train sample RM.jsonl --out nowhere` writes them" in ended.err


ODD = "⟦sep⟧"


def test_unusual_control_tokens_are_on_record_so_that_prompts_are_rendered_as_they_were(
    grm: Grm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ScriptedEngine, "control_tokens", (ODD, "<|im_end|>"), raising=False)
    write(tmp_path / "rm.jsonl", [{**row, "prompt": f"{ODD} {row['id']}"} for row in data(6)])
    assert grm("train", "sample", "rm.jsonl", "--out", "dir", *TINY).code == 0
    assert json.loads((tmp_path / "dir/control_tokens.json").read_text()) == [ODD]
    ended = grm(*REJECT)
    assert ended.code == 0, ended.err
    assert all(
        ODD not in json.dumps(row, ensure_ascii=False) for row in lines(tmp_path / "sft.jsonl")
    )
    (tmp_path / "dir/control_tokens.json").unlink()
    assert "can not be rendered as it was" in grm(*REJECT).err


def test_control_tokens_are_on_record_before_the_judge_is_asked(
    grm: Grm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ScriptedEngine, "control_tokens", (ODD,), raising=False)
    write(tmp_path / "rm.jsonl", data(6))
    priced = ("--set", "budget={tokens: 1}")
    assert grm("train", "sample", "rm.jsonl", "--out", "dir", *TINY, *priced).code == 4
    assert json.loads((tmp_path / "dir/control_tokens.json").read_text()) == [ODD]


def test_single_responses_are_learned_by_their_label(
    grm: Grm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [
        {"id": str(right), "prompt": f"sum {right}", "responses": ["4"], "correct": right}
        for right in (0, 1)
    ]
    write(tmp_path / "rm.jsonl", rows)

    def judged(request: SampleRequest, i: int) -> Draw:
        return Draw(f"sample {request.first + i}: \\boxed{{{(request.first + i) % 2}}}", "stop")

    monkeypatch.setattr(ScriptedEngine, "__init__", _scripted_by(judged))
    assert grm("train", "sample", "rm.jsonl", "--out", "dir", "--no-hinted", *TINY).code == 0
    ended = grm(*REJECT)
    assert ended.code == 0, ended.err
    kept = [
        (row["id"], row["completion"][0]["content"][-8:]) for row in lines(tmp_path / "sft.jsonl")
    ]
    assert kept == [("0", "boxed{0}"), ("0", "boxed{0}"), ("1", "boxed{1}")]


def _scripted_by(judged: Any) -> Any:
    made = ScriptedEngine.__init__

    def init(self: ScriptedEngine, *_: Any, **more: Any) -> None:
        made(self, judged)

    return init
