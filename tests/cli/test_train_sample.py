"""``grm train sample``: trajectories with and without a hint, resumed, paid for, out of memory."""

from __future__ import annotations

import json
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from grm_plugin.engine import Draw, SampleRequest
from grm_plugin.errors import EngineError, TransportError
from grm_plugin.records import read_verdicts
from grm_plugin.spct.hinting import BEST, RIGHT, WRONG
from grm_plugin.testing import ScriptedEngine
from tests.cli.conftest import Ended
from tests.cli.files import read, write
from tests.spct.reference_data import JUDGE, SHORT, rm_rows

Grm = Callable[..., Ended]
Process = Callable[..., "subprocess.Popen[bytes]"]
TINY = ("--engine", "tiny", "--set", "engine.log=log")
SAMPLE = ("train", "sample", "rm.jsonl", "--out", "dir")


def data(number: int, **more: Any) -> list[dict[str, Any]]:
    return [
        {
            "id": str(i),
            "prompt": f"question {i}",
            "responses": ["a", "bbb", "cc"],
            "best": 1,
            **more,
        }
        for i in range(number)
    ]


def single(number: int) -> list[dict[str, Any]]:
    return [
        {"id": f"s{i}", "prompt": f"sum {i}", "responses": ["4" * (i + 1)], "correct": i % 2}
        for i in range(number)
    ]


def test_each_datum_gets_n_samples_in_orders_of_their_own_and_one_with_a_hint(
    grm: Grm, tmp_path: Path
) -> None:
    write(tmp_path / "rm.jsonl", data(4))
    ended = grm(*SAMPLE, *TINY)
    assert ended.code == 0, ended.err
    assert sorted(path.name for path in (tmp_path / "dir").iterdir()) == [
        "hinted.jsonl",
        "plain.jsonl",
    ]
    for verdict in read_verdicts(tmp_path / "dir/plain.jsonl"):
        assert len({one.order for one in verdict.judgments}) == 3
        assert verdict.shown is None
        assert verdict.group.metadata["best"] == 1
    for verdict in read_verdicts(tmp_path / "dir/hinted.jsonl"):
        assert len(verdict.judgments) == 1
        assert verdict.shown and verdict.shown.evidence == ("", BEST, "")
        assert verdict.origin["evidence"] == ["hint"]
        assert verdict.group.evidence == ()
    plain, hinted = (
        [one.group.fingerprint for one in read_verdicts(tmp_path / "dir" / name)]
        for name in ("plain.jsonl", "hinted.jsonl")
    )
    assert plain == hinted


def test_single_responses_are_judged_right_or_wrong_in_files_of_their_own(
    grm: Grm, tmp_path: Path
) -> None:
    write(tmp_path / "rm.jsonl", [*data(1), *single(2)])
    ended = grm(*SAMPLE, "-n", "2", *TINY)
    assert ended.code == 0, ended.err
    for name in ("plain-singles.jsonl", "hinted-singles.jsonl"):
        origins = [one.origin for one in read_verdicts(tmp_path / "dir" / name)]
        assert [origin["template"] for origin in origins] == ["grm-single"] * 2
    hints = [
        one.shown and one.shown.evidence
        for one in read_verdicts(tmp_path / "dir/hinted-singles.jsonl")
    ]
    assert hints == [(WRONG,), (RIGHT,)]
    (group,) = read_verdicts(tmp_path / "dir/plain.jsonl")
    assert group.origin["template"] == "grm"


@pytest.mark.parametrize(
    ("more", "telling"),
    [
        (("--template", "deepseek-grm"), "template 'deepseek-grm' is for groups"),
        (("--engine", "reference"), "template 'reference' is for groups"),
        (("--single", "json-judge"), "expected scores of 0 or 1, got 1 to 10"),
        (("-k", "3"), "the samples of a datum are -n here"),
    ],
)
def test_what_can_not_be_sampled_is_said_before_a_token_is_spent(
    grm: Grm, tmp_path: Path, more: Sequence[str], telling: str
) -> None:
    write(tmp_path / "rm.jsonl", single(1))
    ended = grm(*SAMPLE, *TINY, *more) if "reference" not in more else grm(*SAMPLE, *more)
    assert ended.code == 1 and telling in ended.err
    assert not (tmp_path / "log").exists()


@pytest.mark.parametrize(
    ("template", "telling"),
    [("json-judge", "expected scores of 0 or 1, got 1 to 10"), ("./own.txt", "no place")],
)
def test_what_singles_can_not_be_asked_is_said_before_groups_are_paid_for(
    grm: Grm, tmp_path: Path, template: str, telling: str
) -> None:
    (tmp_path / "own.txt").write_text("---\nscale: [0, 1]\n---\n{{conversation}}\n{{responses}}\n")
    write(tmp_path / "rm.jsonl", [*data(2), {**single(1)[0], "reference": "4"}])
    ended = grm(*SAMPLE, "--single", template, *TINY)
    assert ended.code == 1 and telling in ended.err, ended.err
    assert not (tmp_path / "log").exists()


def test_bad_data_are_told_before_a_token_is_spent(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "rm.jsonl", [*data(1), *data(1, best=3), {"prompt": "x", "responses": ["y"]}])
    ended = grm(*SAMPLE, *TINY)
    assert ended.code == 1
    assert "line 2: id" in ended.err or "line 2: best" in ended.err
    assert "line 3: expected correct, 0 or 1" in ended.err
    assert not (tmp_path / "log").exists()


def test_a_killed_run_goes_on_and_draws_nothing_twice(process: Process, tmp_path: Path) -> None:
    write(tmp_path / "rm.jsonl", data(20))
    slow = (*TINY, "--set", "engine.delay_s=0.05", "--set", "max_concurrent_groups=2")
    first = process(*SAMPLE, *slow)
    plain = tmp_path / "dir/plain.jsonl"
    until = time.monotonic() + 60
    while not plain.exists() or plain.read_bytes().count(b"\n") < 5:
        assert time.monotonic() < until
        time.sleep(0.01)
    first.kill()
    first.communicate()
    kept = {
        json.loads(line)["fingerprint"]
        for line in plain.read_bytes().splitlines(True)
        if line.endswith(b"\n")
    }
    (tmp_path / "log").unlink()
    second = process(*SAMPLE, *slow)
    assert b"verdicts in dir/plain.jsonl already: " in second.communicate()[1]
    assert second.returncode == 0
    drawn = Counter(line.split()[0] for line in (tmp_path / "log").read_text().splitlines())
    assert len(drawn) == 20  # each with a hint
    assert {drawn[one] for one in kept} == {1}
    assert {count for one, count in drawn.items() if one not in kept} == {4}
    whole = process("train", "sample", "rm.jsonl", "--out", "whole", *slow)
    whole.communicate()
    for name in ("plain.jsonl", "hinted.jsonl"):
        assert read(tmp_path / "dir" / name) == read(tmp_path / "whole" / name)


def test_a_budget_holds_for_all_files_together(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "rm.jsonl", data(4))
    priced = ("--set", "budget={money: 0.000071}", "--set", "prices={prompt: 0, output: 1}")
    ended = grm(
        *SAMPLE, *TINY, "--set", "max_tokens=5", "--set", "max_concurrent_groups=1", *priced
    )
    # 12 plain samples write 60 tokens; of the hinted ones only two can be paid for
    assert ended.code == 4, ended.err
    assert len(list(read_verdicts(tmp_path / "dir/plain.jsonl"))) == 4
    assert len(list(read_verdicts(tmp_path / "dir/hinted.jsonl"))) == 2
    more = ("--set", "budget={money: 1}", "--set", "prices={prompt: 0, output: 1}")
    ended = grm(*SAMPLE, *TINY, "--set", "max_tokens=5", "--set", "max_concurrent_groups=1", *more)
    assert ended.code == 0, ended.err
    assert len(list(read_verdicts(tmp_path / "dir/hinted.jsonl"))) == 4


def test_a_judge_that_nobody_can_read_is_told_early_with_an_example(
    grm: Grm, tmp_path: Path
) -> None:
    write(tmp_path / "rm.jsonl", data(12, prompt="CUT"))
    rows = [{**row, "prompt": f"CUT {n}"} for n, row in enumerate(data(12))]
    write(tmp_path / "rm.jsonl", rows)
    ended = grm(*SAMPLE, "--no-hinted", *TINY)
    assert ended.code == 0, ended.err
    assert ended.err.count("judgments can be read; the last is truncated") == 1
    assert "it ends" in ended.err


def test_one_lost_sample_of_a_scored_group_is_drawn_again(
    grm: Grm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "rm.jsonl", data(4))
    asked = (*SAMPLE, "--no-hinted", *TINY)
    draw = ScriptedEngine.sample

    async def flaky(self: Any, request: SampleRequest) -> Sequence[Draw | EngineError]:
        drawn = await draw(self, request)
        lost = TransportError("the line is down")
        return [lost if request.first + i == 2 else one for i, one in enumerate(drawn)]

    monkeypatch.setattr(ScriptedEngine, "sample", flaky)
    ended = grm(*asked)
    assert ended.code == 3, ended.err
    monkeypatch.setattr(ScriptedEngine, "sample", draw)
    ended = grm(*asked)
    assert ended.code == 0, ended.err
    verdicts = list(read_verdicts(tmp_path / "dir/plain.jsonl"))
    assert [len(one.judgments) for one in verdicts] == [3] * 4
    assert not any(one.failures for one in verdicts)


def test_out_of_memory_loses_nothing_and_the_same_command_goes_on(
    grm: Grm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch = pytest.importorskip("torch")
    from grm_plugin.local.generation import Generator

    write(tmp_path / "rm.jsonl", rm_rows(6))
    asked = (*SAMPLE, "-n", "1", "--no-hinted", *JUDGE, *SHORT, "--set", "max_concurrent_groups=2")
    batch, done = Generator._batch, 0

    def full(self: Any, rows: Any) -> Any:
        nonlocal done
        done += 1
        if done > 1:
            raise torch.OutOfMemoryError("the device is full")
        return batch(self, rows)

    monkeypatch.setattr(Generator, "_batch", full)
    ended = grm(*asked)
    assert ended.code == 3, ended.err
    assert "out of memory with 1 rows in a batch; lower batch_tokens" in ended.err
    assert "the same command judges them again" in ended.err
    monkeypatch.setattr(Generator, "_batch", batch)
    ended = grm(*asked)
    assert ended.code == 0, ended.err
    verdicts = list(read_verdicts(tmp_path / "dir/plain.jsonl"))
    assert len(verdicts) == 6
    assert not any(one.reason == "transport" for each in verdicts for one in each.failures)
