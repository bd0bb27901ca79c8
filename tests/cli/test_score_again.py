"""``grm score`` over an output that is there: what is judged again, and what is never dropped."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grm_plugin.cli.earlier import lost
from grm_plugin.records import read_verdicts
from grm_plugin.running.recorder import Recorder
from grm_plugin.types import Failure, Group, Judgment, Reason, Verdict
from tests.cli.conftest import Ended
from tests.cli.files import read, write
from tests.engines.judge_server import JudgeServer, completion, status
from tests.serving.honest_judge import honest

Grm = Callable[..., Ended]
FEW = ("-k", "2", "--set", "find_culprits=0")
QUICK = ("--set", "tries=1", "--set", "request_timeout_s=5")


def quality(number: int) -> list[dict[str, Any]]:
    """Rows whose prompts name them; responses of 3 and 7 points."""
    return [
        {"id": str(n), "prompt": f"question {n}.", "responses": ["quality 3", "quality 7"]}
        for n in range(number)
    ]


def failing(*questions: int, act: Any) -> Any:
    """An act that fails for these questions as ``act`` does, and is honest else."""

    async def chosen(server: JudgeServer, request: Any, body: Any) -> Any:
        text = str(body.get("messages"))
        if any(f"question {n}." in text for n in questions):
            return await act(server, request, body)
        return await honest(server, request, body)

    return chosen


async def rambling(server: JudgeServer, request: Any, body: Any) -> Any:
    """A judge that answers, and is cut."""
    from aiohttp import web

    message = {"role": "assistant", "content": "Analysis: and so"}
    return web.json_response(completion(body, message=message, finish_reason="length"))


VALID = Judgment(0, (0, 1), 0, "", (5.0, 6.0))


def failures(**counts: int) -> tuple[Failure, ...]:
    reasons = [Reason(name) for name, count in counts.items() for _ in range(count)]
    return tuple(Failure(n + 1, (0, 1), 0, reason, "") for n, reason in enumerate(reasons))


@pytest.mark.parametrize(
    ("judgments", "failed", "is_lost"),
    [
        (0, {"transport": 8}, True),
        (0, {"timeout": 7, "truncated": 1}, True),
        (0, {"timeout": 4, "truncated": 4}, True),  # half of k would have been enough
        (0, {"timeout": 3, "truncated": 5}, False),
        (3, {"refused": 1, "unreadable": 4}, True),
        (3, {"unreadable": 5}, False),
        (0, {"declined": 8}, False),
        (0, {"meta": 8}, False),
    ],
)
def test_a_group_is_lost_when_what_was_lost_could_have_been_enough(
    judgments: int, failed: dict[str, int], is_lost: bool
) -> None:
    asked = Group.of("q", ["a", "b"])
    verdict = Verdict(asked, None, (VALID,) * judgments, failures(**failed), unscored="few")
    assert lost(verdict, enough=4) is is_lost
    assert not lost(replace(verdict, rewards=(0.5, 0.6)), enough=4)


@pytest.mark.parametrize(
    ("why", "is_lost"), [("engine 'x' failed", True), ("refused: group g is too long", False)]
)
def test_a_group_without_samples_is_lost_unless_it_was_refused(why: str, is_lost: bool) -> None:
    assert lost(Verdict(Group.of("q", ["a"]), None, unscored=why), enough=1) is is_lost


@pytest.fixture
def judge() -> Iterator[JudgeServer]:
    with JudgeServer(otherwise=honest).running() as server:
        yield server


@pytest.fixture
def score(grm: Grm, judge: JudgeServer) -> Callable[..., Ended]:
    def run(*more: str) -> Ended:
        address = ("--engine", "server", "--url", judge.url)
        return grm("score", "in.jsonl", "-o", "out.jsonl", *address, *FEW, *QUICK, *more)

    return run


def asked(judge: JudgeServer, number: int) -> list[int]:
    """How often each question was put to the judge, since the last look."""
    texts = [str(body.get("messages")) for body in judge.bodies if "n" in body]
    judge.bodies.clear()
    return [sum(f"question {n}." in text for text in texts) for n in range(number)]


def _kept(before: list[bytes], after: list[bytes]) -> list[bool]:
    return [old == new for old, new in zip(before, after, strict=True)]


def rewards(folder: Path) -> dict[str, bool]:
    """Which groups of the output are scored, in its order."""
    return {one["id"]: one["rewards"] is not None for one in read(folder / "out.jsonl")}


@pytest.mark.parametrize("act", [status(500), status(503), status(401)])
def test_the_same_command_judges_lost_groups_again_in_their_places(
    score: Grm, judge: JudgeServer, tmp_path: Path, act: Any
) -> None:
    write(tmp_path / "in.jsonl", quality(4))
    judge.otherwise = failing(1, 2, act=act)
    first = score("--set", "group_timeout_s=3")
    assert first.code in (1, 3), first.err
    asked(judge, 4)
    judge.otherwise = honest
    again = score("--set", "group_timeout_s=3")
    assert again.code == 0, again.err
    assert list(rewards(tmp_path).items()) == [(str(n), True) for n in range(4)]
    assert "groups 4 scored 4 unscored 0" in again.err
    if first.code == 3:
        assert "lost on the way (transport, timeout or a refusal): 2 groups" in first.err
        assert "the same command judges them again" in first.err
        assert asked(judge, 4)[::3] == [0, 0]
    assert sorted(one.name for one in tmp_path.glob("out*")) == ["out.jsonl"]


@pytest.mark.parametrize("code", [400, 401, 404])
def test_after_a_judge_that_refused_everything_the_same_command_judges_everything(
    score: Grm, judge: JudgeServer, tmp_path: Path, code: int
) -> None:
    write(tmp_path / "in.jsonl", quality(4))
    judge.otherwise = status(code)
    assert score().code in (1, 3)
    judge.otherwise = honest
    assert score().code == 0
    assert list(rewards(tmp_path).items()) == [(str(n), True) for n in range(4)]


def test_a_group_that_the_judge_answered_is_judged_again_only_when_asked(
    score: Grm, judge: JudgeServer, tmp_path: Path
) -> None:
    write(tmp_path / "in.jsonl", quality(3))
    judge.otherwise = failing(1, act=rambling)
    assert score().code == 3
    asked(judge, 3)
    assert score().code == 3
    assert asked(judge, 3) == [0, 0, 0]
    judge.otherwise = honest
    assert score("--retry-unscored").code == 0
    assert [bool(one) for one in asked(judge, 3)] == [False, True, False]
    assert list(rewards(tmp_path)) == ["0", "1", "2"]


def test_a_verdict_that_is_to_be_made_anew_stays_when_the_judge_is_away(
    score: Grm, judge: JudgeServer, tmp_path: Path
) -> None:
    write(tmp_path / "in.jsonl", quality(3))
    judge.otherwise = failing(1, act=rambling)
    score()
    before = (tmp_path / "out.jsonl").read_bytes()
    judge.otherwise = status(500)
    for option in ("--retry-unscored", "--restart"):
        ended = score(option, "--set", "group_timeout_s=2")
        assert ended.code in (1, 3)
        assert (tmp_path / "out.jsonl").read_bytes() == before
        assert sorted(one.name for one in tmp_path.glob("out*")) == ["out.jsonl"]


def test_what_a_retry_got_is_not_asked_for_again(
    score: Grm, judge: JudgeServer, tmp_path: Path
) -> None:
    write(tmp_path / "in.jsonl", quality(4))
    judge.otherwise = failing(0, 1, 2, act=rambling)
    score()
    (killed := (tmp_path / "out.jsonl.retry")).write_bytes(_recorded(score, judge, tmp_path, "1"))
    asked(judge, 4)
    ended = score("--retry-unscored")
    assert ended.code == 0
    assert "verdicts in out.jsonl and out.jsonl.retry already: 2, to judge again: 2" in ended.err
    assert [bool(one) for one in asked(judge, 4)] == [True, False, True, False]
    assert list(rewards(tmp_path).items()) == [(str(n), True) for n in range(4)]
    assert not killed.exists()


def test_another_command_takes_in_what_a_killed_retry_got(
    score: Grm, judge: JudgeServer, tmp_path: Path
) -> None:
    write(tmp_path / "in.jsonl", quality(4))
    judge.otherwise = failing(0, 1, 2, act=rambling)
    score()
    (tmp_path / "out.jsonl.retry").write_bytes(_recorded(score, judge, tmp_path, "1"))
    asked(judge, 4)
    assert score().code == 3
    assert asked(judge, 4) == [0, 0, 0, 0]
    expected = [("0", False), ("1", True), ("2", False), ("3", True)]
    assert list(rewards(tmp_path).items()) == expected
    assert len(read(tmp_path / "out.jsonl")) == 4


def _recorded(score: Grm, judge: JudgeServer, folder: Path, name: str) -> bytes:
    """The line of a group as an honest judge has it, with a torn one behind."""
    judge.otherwise = honest
    kept = (folder / "out.jsonl").read_bytes()
    score("--restart")
    lines = (folder / "out.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "out.jsonl").write_bytes(kept)
    return next(line for line in lines if json.loads(line)["id"] == name) + b'{"version": 2, "i'


def test_a_limit_keeps_what_is_behind_it(score: Grm, judge: JudgeServer, tmp_path: Path) -> None:
    write(tmp_path / "in.jsonl", quality(4))
    judge.otherwise = failing(0, 3, act=rambling)
    score()
    before = (tmp_path / "out.jsonl").read_bytes().splitlines()
    judge.otherwise = honest
    asked(judge, 4)
    ended = score("--retry-unscored", "--limit", "2")
    assert "groups 4 scored 3 unscored 1" in ended.err
    after = (tmp_path / "out.jsonl").read_bytes().splitlines()
    assert _kept(before, after) == [False, True, True, True]
    assert [bool(one) for one in asked(judge, 4)] == [True, False, False, False]
    before = after
    ended = score("--restart", "--limit", "2")
    assert "groups 4 scored 3 unscored 1" in ended.err
    after = (tmp_path / "out.jsonl").read_bytes().splitlines()
    assert [old == new for old, new in zip(before, after, strict=True)] == [
        False,
        False,
        True,
        True,
    ]


def test_a_restart_with_a_limit_can_not_mix_settings(score: Grm, tmp_path: Path) -> None:
    write(tmp_path / "in.jsonl", quality(3))
    score()
    before = (tmp_path / "out.jsonl").read_bytes()
    ended = score("--restart", "--limit", "2", "--vote", "median")
    assert ended.code == 1
    assert "made with other settings (vote was 'mean', is 'median')" in ended.err
    assert (tmp_path / "out.jsonl").read_bytes() == before
    assert score("--restart", "--vote", "median").code == 0


def test_a_restart_replaces_nothing_until_every_group_has_its_new_verdict(
    score: Grm, judge: JudgeServer, tmp_path: Path
) -> None:
    write(tmp_path / "in.jsonl", quality(3))
    score()
    before = (tmp_path / "out.jsonl").read_bytes()
    judge.otherwise = failing(1, act=status(500))
    again = ("--restart", "--vote", "median", "--set", "group_timeout_s=2")
    ended = score(*again)
    assert ended.code == 3
    assert "until then the new verdicts are in out.jsonl.restart, and nothing" in ended.err
    assert (tmp_path / "out.jsonl").read_bytes() == before
    assert [one.group.id for one in read_verdicts(tmp_path / "out.jsonl.restart")] == ["0", "2"]
    other = score("--restart", "--vote", "sum")
    assert "out.jsonl.restart was made with other settings (vote was 'median'" in other.err
    judge.otherwise = honest
    asked(judge, 3)
    assert score(*again).code == 0
    assert [bool(one) for one in asked(judge, 3)] == [False, True, False]
    assert {one["origin"]["vote"] for one in read(tmp_path / "out.jsonl")} == {"median"}
    assert sorted(one.name for one in tmp_path.glob("out*")) == ["out.jsonl"]


def leave_waiting(folder: Path, groups: int) -> None:
    """As a retry leaves them that was killed: the verdicts of ``out.jsonl`` wait beside it."""
    waiting = [one for one in read_verdicts(folder / "out.jsonl") if one.scored][:groups]
    with Recorder(folder / "out.jsonl.retry") as beside:
        for verdict in waiting:
            beside.write(verdict)


def test_what_waits_beside_never_stands_twice(
    score: Grm, judge: JudgeServer, tmp_path: Path
) -> None:
    write(tmp_path / "in.jsonl", quality(3))
    judge.otherwise = failing(0, act=rambling)
    score()
    unscored = (tmp_path / "out.jsonl").read_bytes()
    judge.otherwise = honest
    score("--retry-unscored")
    leave_waiting(tmp_path, 1)
    (tmp_path / "out.jsonl").write_bytes(unscored)
    assert score("--restart", "--limit", "1").code == 0
    assert score().code == 0
    assert rewards(tmp_path) == {"0": True, "1": True, "2": True}
    assert len(read(tmp_path / "out.jsonl")) == 3
    leave_waiting(tmp_path, 2)  # whose groups stand already
    assert "groups 3 scored 3" in score().err
    assert len(read(tmp_path / "out.jsonl")) == 3
    assert sorted(one.name for one in tmp_path.glob("out*")) == ["out.jsonl"]


def test_a_restart_with_other_settings_replaces_also_what_only_waits(
    score: Grm, tmp_path: Path
) -> None:
    write(tmp_path / "in.jsonl", quality(2))
    score()
    leave_waiting(tmp_path, 2)
    (tmp_path / "out.jsonl").unlink()
    assert "or --restart to replace it" in score("--vote", "median").err
    ended = score("--vote", "median", "--restart")
    assert ended.code == 0, ended.err
    assert {one["origin"]["vote"] for one in read(tmp_path / "out.jsonl")} == {"median"}
    assert len(read(tmp_path / "out.jsonl")) == 2


def test_every_file_beside_is_as_private_as_the_output(
    score: Grm, judge: JudgeServer, tmp_path: Path
) -> None:
    write(tmp_path / "in.jsonl", quality(2))
    judge.otherwise = failing(0, act=rambling)
    score()
    (tmp_path / "out.jsonl").chmod(0o600)
    modes = set()

    def look() -> None:
        modes.update(one.stat().st_mode & 0o777 for one in tmp_path.glob("out*"))

    async def looking(server: JudgeServer, request: Any, body: Any) -> Any:
        look()
        return await honest(server, request, body)

    judge.otherwise = looking
    for option in ("--retry-unscored", "--restart"):
        assert score(option).code == 0
        assert (tmp_path / "out.jsonl").stat().st_mode & 0o777 == 0o600
    assert modes == {0o600}


def test_settings_may_change_where_nothing_stands_that_was_made_with_others(
    score: Grm, judge: JudgeServer, tmp_path: Path
) -> None:
    write(tmp_path / "in.jsonl", quality(2))
    judge.otherwise = rambling
    assert score().code == 3
    judge.otherwise = honest
    refused = score("--set", "max_tokens=64")
    assert "made with other settings (max_tokens was 2048, is 64)" in refused.err
    assert score("--set", "max_tokens=64", "--retry-unscored").code == 0


def test_equal_groups_are_each_judged_again_once(
    score: Grm, judge: JudgeServer, tmp_path: Path
) -> None:
    same = {"prompt": "question 7.", "responses": ["quality 1", "quality 2"]}
    write(tmp_path / "in.jsonl", [same] * 3)
    judge.otherwise = rambling
    score("--limit", "2")
    judge.otherwise = honest
    assert score("--retry-unscored").code == 0
    assert len(read(tmp_path / "out.jsonl")) == 3
    assert all(one["rewards"] for one in read(tmp_path / "out.jsonl"))


def test_the_rows_of_another_input_never_mix_into_an_output(
    score: Grm, judge: JudgeServer, tmp_path: Path
) -> None:
    write(tmp_path / "in.jsonl", quality(3))
    score()
    before = (tmp_path / "out.jsonl").read_bytes()
    asked(judge, 3)
    write(tmp_path / "in.jsonl", quality(5)[2:])
    ended = score()
    assert ended.code == 1
    said = "out.jsonl holds verdicts of 2 groups that are not in in.jsonl, such as '0'; choose"
    assert said in ended.err
    assert (tmp_path / "out.jsonl").read_bytes() == before
    assert asked(judge, 3) == [0, 0, 0]
    assert score("--append").code == 0
    assert list(rewards(tmp_path)) == ["0", "1", "2", "3", "4"]


def test_verdicts_behind_the_limit_are_of_the_same_input(score: Grm, tmp_path: Path) -> None:
    write(tmp_path / "in.jsonl", quality(4))
    score("--limit", "3")
    assert score("--limit", "1").code == 0
    assert score("--limit", "4").code == 0
    write(tmp_path / "in.jsonl", quality(6)[4:])
    assert "groups that are not in in.jsonl" in score("--limit", "1").err


@pytest.mark.parametrize("output", ["out.jsonl", "link.jsonl"])
def test_an_output_may_be_a_link(grm: Grm, judge: JudgeServer, tmp_path: Path, output: str) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / output).symlink_to(tmp_path / "there" / "real.jsonl")
    write(tmp_path / "in.jsonl", quality(2))
    command = ("score", "in.jsonl", "-o", output, "--url", judge.url, "--engine", "server", *FEW)
    judge.otherwise = failing(1, act=rambling)
    assert grm(*command, *QUICK).code == 3
    judge.otherwise = honest
    assert grm(*command, *QUICK, "--retry-unscored").code == 0
    assert grm(*command, *QUICK, "--restart").code == 0
    assert (tmp_path / output).is_symlink()
    assert [one.name for one in (tmp_path / "there").iterdir()] == ["real.jsonl"]
    assert len(read(tmp_path / output)) == 2


def test_a_place_that_can_not_be_written_is_said_before_a_token_is_spent(
    score: Grm, judge: JudgeServer, tmp_path: Path
) -> None:
    write(tmp_path / "in.jsonl", quality(2))
    judge.otherwise = rambling
    score()
    asked(judge, 2)
    (tmp_path / "out.jsonl.retry").mkdir()  # stops root, too, whom a read-only folder does not
    assert "out.jsonl.retry can not be opened: " in score("--retry-unscored").err
    assert asked(judge, 2) == [0, 0]


@pytest.mark.parametrize(
    "content",
    ['{"notes": 1}', '{"notes": 1}\n{"no', "notes\nmore notes", '{"version":"1.0","scripts":{}}'],
)
def test_a_file_of_something_else_is_left_as_it_is(
    score: Grm, tmp_path: Path, content: str
) -> None:
    write(tmp_path / "in.jsonl", quality(1))
    (tmp_path / "out.jsonl").write_text(content)
    for option in ((), ("--restart",)):
        ended = score(*option)
        assert ended.code == 1
        assert "out.jsonl" in ended.err
        assert (tmp_path / "out.jsonl").read_text() == content


def test_verdicts_of_an_earlier_version_are_named_and_a_restart_replaces_them(
    score: Grm, tmp_path: Path
) -> None:
    write(tmp_path / "in.jsonl", quality(1))
    (tmp_path / "out.jsonl").write_text('{"version": 1, "id": "0", "fingerprint": "f"}\n')
    assert "out.jsonl, line 1: a record of version '1'" in score().err
    assert score("--restart").code == 0
    assert len(read(tmp_path / "out.jsonl")) == 1


def test_a_record_that_is_the_output_or_the_input_is_refused(score: Grm, tmp_path: Path) -> None:
    write(tmp_path / "in.jsonl", quality(1))
    before = (tmp_path / "in.jsonl").read_bytes()
    (tmp_path / "sub").mkdir()
    for record in ("out.jsonl", "sub/../out.jsonl"):
        ended = score("--set", f"record={record}")
        assert (ended.code, "-o out.jsonl is the record, too" in ended.err) == (1, True)
    ended = score("--set", "record=sub/../in.jsonl")
    assert (ended.code, "in.jsonl is the input; choose another file" in ended.err) == (1, True)
    assert (tmp_path / "in.jsonl").read_bytes() == before


def test_an_output_that_can_not_be_opened_is_said_before_a_token_is_spent(
    grm: Grm, judge: JudgeServer, tmp_path: Path
) -> None:
    write(tmp_path / "in.jsonl", quality(1))
    (tmp_path / "folder").mkdir()
    for output in ("folder", "in.jsonl/out.jsonl"):
        ended = grm("score", "in.jsonl", "-o", output, "--url", judge.url, "--engine", "server")
        assert ended.code == 1
        assert "can not be opened" in ended.err
    assert asked(judge, 1) == [0]
