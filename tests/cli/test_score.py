"""``grm score``, in this process: what it accepts, writes, counts and refuses."""

from __future__ import annotations

import json
import math
import weakref
from collections.abc import Callable
from pathlib import Path

import pytest

from grm_plugin.cli.progress import Bar
from grm_plugin.records import read_verdicts
from grm_plugin.types import Message, Verdict
from tests.cli.conftest import Ended
from tests.cli.files import read, rows, write

Grm = Callable[..., Ended]
TINY = ("--engine", "tiny", "--set", "engine.log=log", "-k", "2")
NO_SEARCH = ("--set", "find_culprits=0")  # a judge that is cut is asked again about each response


def test_every_group_gets_one_line_in_the_order_of_the_input(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "in.jsonl", rows(30))
    assert grm("score", "in.jsonl", "-o", "out.jsonl", *TINY).code == 0
    records = read(tmp_path / "out.jsonl")
    assert [record["id"] for record in records] == [str(i) for i in range(30)]
    assert records[0]["rewards"] == pytest.approx([1 / 9, 3 / 9, 2 / 9])


def test_a_row_carries_messages_reference_principles_evidence_and_metadata(
    grm: Grm, tmp_path: Path
) -> None:
    row = {
        "id": 7,
        "prompt": [{"role": "system", "content": "s"}, {"role": "user", "content": "u"}],
        "responses": ["a", "bb"],
        "reference": "r",
        "principles": ["p"],
        "evidence": ["e", ""],
        "metadata": {"x": [1, None]},
    }
    write(tmp_path / "in.jsonl", [row])
    assert grm("score", "in.jsonl", "-o", "out.jsonl", *TINY).code == 0
    group = read(tmp_path / "out.jsonl")[0]["group"]
    assert group["id"] == "7"
    assert group["conversation"] == row["prompt"]
    assert all(
        group[key] == row[key] for key in ("reference", "principles", "evidence", "metadata")
    )


def test_a_bad_line_17_of_1000_is_named_before_a_token_is_spent(grm: Grm, tmp_path: Path) -> None:
    lines = rows(1000)
    lines[16] = {"prompt": "x", "responses": []}
    write(tmp_path / "in.jsonl", lines)
    ended = grm("score", "in.jsonl", "-o", "out.jsonl", *TINY)
    assert ended.code == 1
    assert "error: in.jsonl, line 17: responses: " in ended.err
    assert not (tmp_path / "log").exists()
    assert not (tmp_path / "out.jsonl").exists()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"{broken", "expected a JSON object, got '{broken'"),
        (b'["a"]', "expected a JSON object with prompt and responses, got \"['a']\""),
        (b'{"prompt": "\xff", "responses": ["a"]}', "expected UTF-8, got b'\\xff'"),
        ({"prompt": "x"}, "expected a key 'responses' (or completions"),
        ({"prompt": "x", "response": ["a"]}, "expected a key 'responses'"),
        ({"prompt": "x", "responses": ["a"], "refrence": "r"}, "did you mean 'reference'?"),
        (
            {"prompt": "x", "responses": ["a", 7]},
            "responses.1: expected a text or a list",
        ),
        ({"prompt": "x", "responses": "a"}, "responses: expected a list of texts"),
        ({"prompt": 3, "responses": ["a"]}, "prompt: expected a text or a list of messages"),
        ({"prompt": [], "responses": ["a"]}, "prompt: "),
        ({"prompt": "x", "responses": ["a"], "evidence": ["e", "f"]}, "evidence for each of 1"),
        (b'{"prompt": "x", "responses": ["a"], "metadata": {"x": NaN}}', "NaN is no JSON number"),
        (b"[" * 100_000, "expected a JSON object"),
        ({"prompt": "x", "responses": ["a"] * 65}, "takes 1 to 64 responses, got 65"),
    ],
)
def test_a_bad_row_is_refused_by_line_with_what_was_expected_and_what_came(
    grm: Grm, tmp_path: Path, line: object, said: str
) -> None:
    write(tmp_path / "in.jsonl", [*rows(1), line])
    ended = grm("score", "in.jsonl", "-o", "out.jsonl", *TINY)
    assert ended.code == 1
    assert "in.jsonl, line 2: " in ended.err
    assert said in ended.err
    assert len(ended.err) < 500


def test_a_line_over_the_limit_is_refused(
    grm: Grm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grm_plugin.hosts.rows.MAX_LINE_BYTES", 1 << 20)
    write(tmp_path / "in.jsonl", [{"prompt": "x" * (1 << 20), "responses": ["a"]}])
    ended = grm("score", "in.jsonl", "-o", "out.jsonl", *TINY)
    assert "line 1: expected a line of at most 1 MB" in ended.err


@pytest.mark.parametrize("content", [b"", b"\n  \n"])
def test_an_empty_file_is_refused_with_an_example_row(
    grm: Grm, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "in.jsonl").write_bytes(content)
    ended = grm("score", "in.jsonl", "-o", "out.jsonl", *TINY)
    assert ended.code == 1
    assert (
        'in.jsonl holds no groups; expected one JSON object a line, such as {"prompt"' in ended.err
    )


def test_a_missing_file_is_one_clean_line(grm: Grm) -> None:
    ended = grm("score", "nope.jsonl", "-o", "out.jsonl", *TINY)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err == "error: nope.jsonl can not be read: No such file or directory"


def test_a_missing_input_is_told_also_where_there_is_an_output(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "out.jsonl", [])
    ended = grm("score", "nope.jsonl", "-o", "out.jsonl", *TINY)
    assert ended.err == "error: nope.jsonl can not be read: No such file or directory"


def test_a_restart_that_scores_nothing_leaves_the_output_as_it_is(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "in.jsonl", rows(2))
    grm("score", "in.jsonl", "-o", "out.jsonl", *TINY)
    before = (tmp_path / "out.jsonl").read_bytes()
    dead = ("--engine", "server", "--set", "engine.url=http://127.0.0.1:9")
    dead += ("--set", "engine.start_timeout_s=0")
    ended = grm("score", "in.jsonl", "-o", "out.jsonl", "--restart", *dead)
    assert ended.code == 1
    assert (tmp_path / "out.jsonl").read_bytes() == before
    assert sorted(one.name for one in tmp_path.glob("out*")) == ["out.jsonl"]


def test_a_restart_drops_no_verdict_of_a_group_that_is_not_asked_for(
    grm: Grm, tmp_path: Path
) -> None:
    write(tmp_path / "in.jsonl", rows(3))
    grm("score", "in.jsonl", "-o", "out.jsonl", *TINY)
    write(tmp_path / "in.jsonl", rows(2))
    (tmp_path / "log").unlink()
    again = ("score", "in.jsonl", "-o", "out.jsonl", "--restart", *TINY)
    ended = grm(*again)
    assert ended.code == 1
    assert "--restart would drop the verdicts of 1 groups that are not in in.jsonl" in ended.err
    assert not (tmp_path / "log").exists()
    assert grm(*again, "--append").code == 0
    assert len((tmp_path / "log").read_text().splitlines()) == 2 * 2
    assert [one["id"] for one in read(tmp_path / "out.jsonl")] == ["0", "1", "2"]
    assert sorted(one.name for one in tmp_path.glob("out*")) == ["out.jsonl"]


def test_the_input_is_never_overwritten(grm: Grm, tmp_path: Path) -> None:
    path = write(tmp_path / "in.jsonl", rows(1))
    before = path.read_bytes()
    ended = grm("score", "in.jsonl", "-o", "./in.jsonl", "--restart", *TINY)
    assert ended.code == 1
    assert "is the input" in ended.err
    assert path.read_bytes() == before


def test_equal_groups_each_get_a_line_and_are_judged_each_once(grm: Grm, tmp_path: Path) -> None:
    same = {"prompt": "same", "responses": ["a", "bb"]}
    write(tmp_path / "in.jsonl", [same] * 5)
    assert grm("score", "in.jsonl", "-o", "out.jsonl", "--limit", "2", *TINY).code == 0
    assert grm("score", "in.jsonl", "-o", "out.jsonl", *TINY).code == 0
    assert len(read(tmp_path / "out.jsonl")) == 5
    assert len((tmp_path / "log").read_text().splitlines()) == 5 * 2


def test_a_finished_output_needs_no_judge(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "in.jsonl", rows(3))
    grm("score", "in.jsonl", "-o", "out.jsonl", *TINY)
    before = (tmp_path / "out.jsonl").read_bytes()
    (tmp_path / "log").unlink()
    ended = grm("score", "in.jsonl", "-o", "out.jsonl", *TINY)
    assert ended.code == 0
    assert "verdicts in out.jsonl already: 3" in ended.err
    assert not (tmp_path / "log").exists()
    assert (tmp_path / "out.jsonl").read_bytes() == before


def test_other_settings_are_refused_by_name_until_restart(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "in.jsonl", rows(2))
    grm("score", "in.jsonl", "-o", "out.jsonl", *TINY)
    again = ("score", "in.jsonl", "-o", "out.jsonl", *TINY, "--vote", "median", "--retry-unscored")
    ended = grm(*again)
    assert ended.code == 1
    assert "made with other settings (vote was 'mean', is 'median')" in ended.err
    assert "choose another -o, or --restart" in ended.err
    assert grm(*again, "--restart").code == 0
    assert read(tmp_path / "out.jsonl")[0]["origin"]["vote"] == "median"


def test_a_file_of_something_else_is_not_appended_to(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "in.jsonl", rows(2))
    other = write(tmp_path / "notes.jsonl", [{"notes": 1}])
    ended = grm("score", "in.jsonl", "-o", "notes.jsonl", *TINY)
    assert ended.code == 1
    assert "notes.jsonl can not be opened: it holds something else than verdicts" in ended.err
    assert other.read_text() == '{"notes": 1}\n'


def test_verdicts_of_groups_outside_the_input_are_pointed_out(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "in.jsonl", rows(3))
    grm("score", "in.jsonl", "-o", "out.jsonl", *TINY)
    write(tmp_path / "in.jsonl", rows(2))
    ended = grm("score", "in.jsonl", "-o", "out.jsonl", *TINY)
    assert "verdicts in out.jsonl of groups that are not in the input: 1" in ended.err


def test_unscored_groups_are_counted_and_the_exit_code_is_3(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "in.jsonl", [*rows(3), {"prompt": "CUT", "responses": ["a", "b"]}])
    ended = grm("score", "in.jsonl", "-o", "out.jsonl", *TINY)
    assert ended.code == 3
    assert "unscored: 1 of 4 groups" in ended.err
    assert "next: grm show out.jsonl --unscored" in ended.err
    assert [record["rewards"] is None for record in read(tmp_path / "out.jsonl")] == [
        False, False, False, True,
    ]  # fmt: skip


def test_the_summary_has_the_right_numbers(grm: Grm, tmp_path: Path) -> None:
    lines = [
        {"prompt": "1", "responses": ["a", "bbb"]},  # 2 and 4 points: mean reward 2/9
        {"prompt": "2", "responses": ["a", "b"]},  # a tie of 2 points: mean reward 1/9
        {"prompt": "3 CUT", "responses": ["a", "bbb"]},
    ]
    write(tmp_path / "in.jsonl", lines)
    ended = grm("score", "in.jsonl", "-o", "out.jsonl", *TINY, *NO_SEARCH)
    assert "groups 3 scored 2 unscored 1 1 mostly truncated" in ended.err
    assert "samples valid 4 66.7% samples dropped 2 2 truncated" in ended.err
    assert "ties for the top 50.0%" in ended.err
    assert "mean reward 0.167" in ended.err
    assert "place gap 0.00 points; mean score by place: 2.50 2.50" in ended.err
    assert "judge tokens 30 written, 60 read" in ended.err
    assert "this run 3 groups in" in ended.err


def test_the_summary_shows_a_judge_that_goes_by_the_place(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "in.jsonl", [{"prompt": "1", "responses": ["a", "bb", "ccc"]}])
    ended = grm("score", "in.jsonl", "-o", "out.jsonl", *TINY, "--set", "engine.by_place=true")
    assert "place gap 7.00 points; mean score by place: 9.00 3.00 2.00" in ended.err


def test_retry_unscored_judges_them_again_in_their_places_and_keeps_the_rest(
    grm: Grm, tmp_path: Path
) -> None:
    write(tmp_path / "in.jsonl", [{"prompt": "CUT", "responses": ["a", "b"]}, *rows(2)])
    grm("score", "in.jsonl", "-o", "out.jsonl", *TINY, *NO_SEARCH)
    before = (tmp_path / "out.jsonl").read_bytes().splitlines()
    (tmp_path / "log").unlink()
    ended = grm("score", "in.jsonl", "-o", "out.jsonl", "--retry-unscored", *TINY, *NO_SEARCH)
    assert ended.code == 3
    assert "verdicts in out.jsonl already: 2, to judge again: 1" in ended.err
    after = (tmp_path / "out.jsonl").read_bytes().splitlines()
    assert after[1:] == before[1:]
    assert after[0] != before[0]  # it took another time
    assert len((tmp_path / "log").read_text().splitlines()) == 2
    assert sorted(one.name for one in tmp_path.glob("out*")) == ["out.jsonl"]


def test_a_setting_wins_in_the_order_option_set_file(grm: Grm, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("engine: {name: tiny, log: log}\nk: 5\nseed: 5\nvote: sum\n")
    write(tmp_path / "in.jsonl", rows(1))
    settings = ("--config", "c.yaml", "--set", "k=4", "--set", "seed=4", "-k", "3")
    ended = grm("score", "in.jsonl", "-o", "out.jsonl", *settings)
    assert ended.code == 0
    origin = read(tmp_path / "out.jsonl")[0]["origin"]
    assert (origin["k"], origin["seed"], origin["vote"]) == (3, 4, "sum")


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("k", "--set: expected KEY=VALUE, such as k=16, got 'k'"),
        ("kk=1", "unknown key 'kk'"),
        ("path=x", "unknown key 'path'"),
        ("k={", "--set k: expected a YAML value, got '{'"),
        ("engine=tinny", "unknown engine 'tinny'"),
    ],
)
def test_a_wrong_setting_is_one_clean_line(
    grm: Grm, tmp_path: Path, setting: str, said: str
) -> None:
    write(tmp_path / "in.jsonl", rows(1))
    engine = () if "engine" in setting else ("--engine", "tiny")
    ended = grm("score", "in.jsonl", "-o", "out.jsonl", *engine, "--set", setting)
    assert ended.code == 1
    assert ended.err.startswith("error: ")
    assert said in ended.err


def test_a_recorded_file_is_voted_again_offline(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "in.jsonl", rows(3))
    grm("score", "in.jsonl", "-o", "out.jsonl", *TINY)
    again = ("--engine", "replay", "--set", "engine.path=out.jsonl", "-k", "2", "--vote", "sum")
    assert grm("score", "in.jsonl", "-o", "sum.jsonl", *again).code == 0
    assert read(tmp_path / "sum.jsonl")[2]["rewards"] == [4.0, 8.0, 6.0]


def test_debug_shows_the_traceback(grm: Grm) -> None:
    ended = grm("--debug", "score", "nope.jsonl", "-o", "out.jsonl", *TINY)
    assert ended.code == 1
    assert "Traceback" in ended.err
    assert ended.err.endswith("error: nope.jsonl can not be read: No such file or directory")


def test_lines_are_json_that_any_reader_reads(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "in.jsonl", [{"prompt": "line\u2028end ü", "responses": ["\ud83d", "b"]}])
    assert grm("score", "in.jsonl", "-o", "out.jsonl", *TINY).code == 0
    text = (tmp_path / "out.jsonl").read_text(encoding="ascii")
    assert json.loads(text)["group"]["conversation"][0]["content"] == "line\u2028end ü"


def test_only_the_groups_in_flight_are_in_memory(
    grm: Grm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    verdicts: list[weakref.ref[Verdict]] = []
    alive: list[int] = []
    add = Bar.add

    def counting(self: Bar, verdict: Verdict) -> None:
        add(self, verdict)
        verdicts.append(weakref.ref(verdict))
        alive.append(sum(each() is not None for each in verdicts))

    monkeypatch.setattr(Bar, "add", counting)
    write(tmp_path / "in.jsonl", rows(120))
    few = ("--set", "max_concurrent_groups=4")
    assert grm("score", "in.jsonl", "-o", "out.jsonl", *TINY, *few).code == 0
    assert len(alive) == 120
    assert max(alive) < 20


def test_rows_may_hold_messages_thinking_and_a_reference_that_is_missing(
    grm: Grm, tmp_path: Path
) -> None:
    call = {"type": "function", "function": {"name": "search", "arguments": "{}"}}
    turns = [{"role": "assistant", "tool_calls": [call]}, {"role": "assistant", "content": "oak"}]
    prompt = [{"role": "user", "content": [{"type": "text", "text": "Name a tree."}]}]
    row = {"prompt": prompt, "responses": [turns, "<think>elm?</think>ash"], "reference": math.nan}
    write(tmp_path / "in.jsonl", [row])
    assert grm("score", "in.jsonl", "-o", "out.jsonl", *TINY).code in (0, 3)
    (verdict,) = read_verdicts(tmp_path / "out.jsonl")
    assert verdict.group.conversation == (Message("user", "Name a tree."),)
    assert verdict.group.responses == ("[call of search] {}\noak", "ash")
    assert verdict.group.reference is None


def test_an_image_in_a_row_is_refused_by_line_and_told_once_where_that_is_wanted(
    grm: Grm, tmp_path: Path
) -> None:
    prompt = [{"role": "user", "content": [{"type": "image", "image": "cat.png"}, "Which animal?"]}]
    write(tmp_path / "in.jsonl", [{"prompt": prompt, "responses": ["cat", "dog"]}])
    ended = grm("score", "in.jsonl", "-o", "out.jsonl", *TINY)
    assert (
        ended.code,
        "in.jsonl, line 1: prompt.0.content: expected texts, got a part 'image'" in ended.err,
    ) == (
        1,
        True,
    )
    assert grm("score", "in.jsonl", "-o", "out.jsonl", "--unseen", "tell", *TINY).code in (0, 3)


def test_a_known_judge_without_a_template_of_its_own_is_warned_of(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "in.jsonl", rows(2))
    known = (*TINY, "--set", "engine.model=BBQGOD/DeepSeek-GRM-27B")
    shown = grm("score", "in.jsonl", "-o", "out.jsonl", *known)
    assert shown.code == 0
    assert "warning: judge 'BBQGOD/DeepSeek-GRM-27B' is asked with template 'grm'" in shown.err


def test_a_pair_judge_takes_a_file_of_groups_of_three(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "in.jsonl", rows(2))
    (tmp_path / "two.txt").write_text(
        "---\ncontract: {name: boxed, shows: pair}\nresponses: [2, 2]\n---\n"
        "{{conversation}}\n{{responses}}"
    )
    shown = grm("score", "in.jsonl", "-o", "out.jsonl", *TINY, "--template", "./two.txt")
    assert shown.code == 0, shown.err
    assert all(len(record["rewards"]) == 3 for record in read(tmp_path / "out.jsonl"))
