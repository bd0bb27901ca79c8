"""``grm eval``: benchmarks judged into a folder and measured; records that vote again."""

from __future__ import annotations

import json
import subprocess
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grm_plugin.records import read_verdicts, to_line
from grm_plugin.types import Group, Reason, Verdict
from tests.cli.conftest import Ended
from tests.cli.files import rows, write
from tests.report.pages import rows_in

pytest.importorskip("numpy")
pytest.importorskip("scipy")

Grm = Callable[..., Ended]
TINY = ("--engine", "tiny", "--set", "engine.log=log", "-k", "4")
PAIR = {"prompt": "q", "chosen": "bbb", "rejected": "a"}


def labelled(number: int, **more: Any) -> list[dict[str, Any]]:
    """The tiny judge finds the longest of three responses, which is response 1, in 3 of 4 rows."""
    return [
        {**row, "best": 1 if i % 4 else 0, "subset": f"s{i % 2}", **more}
        for i, row in enumerate(rows(number))
    ]


def figures(folder: Path) -> dict[str, Any]:
    found = json.loads((folder / "eval.json").read_text())
    found.pop("versions")
    return found


def test_a_benchmark_becomes_verdicts_figures_and_a_table(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "rm.jsonl", labelled(8))
    ended = grm("eval", "labelled:rm.jsonl", "--out", "out", "--greedy", *TINY)
    assert ended.code == 0
    assert "Accuracy 75.0" in ended.out and "s0 50.0" in ended.out and "s1 100.0" in ended.out
    assert "A tie at the top counts nothing (strict)" in ended.out
    assert "grm show out/verdicts.jsonl" in ended.err
    found = figures(tmp_path / "out")
    top = found["figures"]
    assert (top["value"], top["n"]) == (0.75, 8) and top["low"] < 0.75 < top["high"]
    assert top["counts"] == {"right": 6, "wrong": 2, "tie": 0, "unscored": 0}
    assert set(top["over"]) == {"one", "greedy"} and top["over"]["one"]["value"] == 0
    assert [one["k"] for one in found["curve"]] == [1, 2, 4]
    assert found["benchmark"]["name"] == "labelled" and found["benchmark"]["ties"] == "strict"
    assert found["data"]["groups"] == 8 and found["judge"]["engine"] == "tiny"
    assert len(list(read_verdicts(tmp_path / "out" / "greedy.jsonl"))) == 8


def test_what_k_samples_cost_is_their_share(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "rm.jsonl", labelled(8))
    assert grm("eval", "labelled:rm.jsonl", "--out", "out", *TINY).code == 0
    costs = {one["k"]: one["cost"] for one in figures(tmp_path / "out")["curve"]}
    assert {k: one["output_tokens"] for k, one in costs.items()} == {1: 40, 2: 80, 4: 160}
    assert costs[1]["prompt_tokens"] == 80


def test_seconds_are_those_of_verdicts_and_a_greedy_judgment_has_a_cost(
    grm: Grm, tmp_path: Path
) -> None:
    write(tmp_path / "rm.jsonl", labelled(8))
    slow = ("--set", "engine.delay_s=0.02")
    ended = grm("eval", "labelled:rm.jsonl", "--out", "out", "--greedy", *TINY, *slow)
    assert ended.code == 0 and "s from asking to verdict" in ended.out
    assert "greedy: 80 tokens read, 40 written (15 a group)" in ended.out
    cost = figures(tmp_path / "out")["cost"]
    for name, file in (("samples", "verdicts"), ("greedy", "greedy")):
        verdicts = list(read_verdicts(tmp_path / "out" / f"{file}.jsonl"))
        assert cost[name]["seconds"] == pytest.approx(sum(one.cost.seconds for one in verdicts))
        assert cost[name]["output_tokens"] == sum(one.cost.output_tokens for one in verdicts)
    assert grm("eval", "out", "--out", "half", "-k", "2").code == 0
    half = figures(tmp_path / "half")["cost"]["samples"]
    assert half["seconds"] == pytest.approx(cost["samples"]["seconds"] / 2)


def test_money_is_told_where_prices_are_known(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "rm.jsonl", labelled(8))
    prices = ("--set", "prices={prompt: 2, output: 8}")
    ended = grm("eval", "labelled:rm.jsonl", "--out", "out", *TINY, *prices)
    assert ended.code == 0 and "$0.0019" in ended.out and "money a point" in ended.out
    point = figures(tmp_path / "out")["curve"][-1]
    assert point["cost"]["money"] == pytest.approx(8 * 4 * (10 * 2 + 5 * 8) / 1e6)
    assert point["per_point"] == {}  # nothing is gained


def test_the_judges_texts_are_read_again_through_replay(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "rm.jsonl", labelled(4))
    assert grm("eval", "labelled:rm.jsonl", "--out", "out", *TINY).code == 0
    asked = (tmp_path / "log").read_text()
    replay = ("--engine", "replay", "--set", "engine.path=out/verdicts.jsonl", "-k", "4")
    ended = grm("eval", "labelled:rm.jsonl", "--out", "again", *replay, "--set", "contract=boxed")
    assert ended.code == 0, ended.err
    assert figures(tmp_path / "again")["judge"]["engine"] == "replay"
    assert figures(tmp_path / "again")["figures"] == figures(tmp_path / "out")["figures"]
    assert (tmp_path / "log").read_text() == asked


def test_a_run_that_was_killed_goes_on_and_measures_like_one_that_was_not(
    process: Callable[..., subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    write(tmp_path / "rm.jsonl", labelled(24))
    slow = ("--set", "engine.delay_s=0.05", "--set", "max_concurrent_groups=2")
    command = ("eval", "labelled:rm.jsonl", "--out", "out", *TINY)
    first, record = process(*command, *slow), tmp_path / "out" / "verdicts.jsonl"
    until = time.monotonic() + 120
    while not record.exists() or record.read_bytes().count(b"\n") < 5:
        assert time.monotonic() < until and first.poll() is None
        time.sleep(0.01)
    first.kill()
    first.communicate()
    (tmp_path / "out" / ".eval.json.part").write_text('{"version": 1, "fig')
    with record.open("ab") as torn:
        torn.write(b'{"version": 2, "id": "torn')
    kept = {one.group.fingerprint for one in read_verdicts(record)}
    (tmp_path / "log").unlink()

    second = process(*command)
    assert b"verdicts in out/verdicts.jsonl already: " in second.communicate()[1]
    assert second.returncode == 0
    drawn = {line.split()[0] for line in (tmp_path / "log").read_text().splitlines()}
    assert kept and not kept & drawn and len(kept | drawn) == 24
    assert process(*command[:3], "whole", *TINY).wait() == 0
    one, other = (figures(tmp_path / name) for name in ("out", "whole"))
    assert one["figures"] == other["figures"] and one["data"] == other["data"]
    assert not list((tmp_path / "out").glob(".*.part"))


def test_figures_that_were_cut_are_written_anew_from_the_verdicts(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "rm.jsonl", labelled(4))
    command = ("eval", "labelled:rm.jsonl", "--out", "out", *TINY)
    assert grm(*command).code == 0
    whole, asked = figures(tmp_path / "out"), (tmp_path / "log").read_text()
    (tmp_path / "out" / "eval.json").write_text('{"version": 1, "figures": {"na')
    assert grm(*command).code == 0
    assert figures(tmp_path / "out") == whole and (tmp_path / "log").read_text() == asked


def test_a_corrected_label_is_taken_without_a_token(grm: Grm, tmp_path: Path) -> None:
    rows = labelled(8)
    write(tmp_path / "rm.jsonl", rows)
    command = ("eval", "labelled:rm.jsonl", "--out", "out", "--greedy", *TINY)
    assert grm(*command).code == 0
    asked = (tmp_path / "log").read_text()
    write(tmp_path / "rm.jsonl", [{**rows[0], "best": 1}, *rows[1:7], {**rows[7], "subset": "new"}])
    ended = grm(*command)
    assert ended.code == 0, ended.err
    assert "verdicts.jsonl: labels or other metadata of 2 groups, such as " in ended.err
    assert figures(tmp_path / "out")["figures"]["value"] == 7 / 8
    assert "new 100.0" in ended.out and (tmp_path / "log").read_text() == asked
    kept = {one.group.id: one for one in read_verdicts(tmp_path / "out" / "verdicts.jsonl")}
    assert kept["0"].group.metadata["best"] == 1 and len(kept["0"].judgments) == 4
    again = grm(*command)
    assert "metadata" not in again.err and again.code == 0
    assert not list((tmp_path / "out").glob("*.anew"))


def test_a_folder_of_other_groups_is_refused_and_keeps_its_verdicts(
    grm: Grm, tmp_path: Path
) -> None:
    write(tmp_path / "rm.jsonl", labelled(4))
    write(tmp_path / "other.jsonl", labelled(4, prompt="another"))
    assert grm("eval", "labelled:rm.jsonl", "--out", "out", *TINY).code == 0
    before = (tmp_path / "out" / "verdicts.jsonl").read_bytes()
    ended = grm("eval", "labelled:other.jsonl", "--out", "out", *TINY)
    assert ended.code == 1 and "choose another --out" in ended.err and "--append" not in ended.err
    other = grm("eval", "labelled:rm.jsonl", "--out", "out", *TINY, "--set", "seed=9")
    assert other.code == 1 and "seed was 0, is 9" in other.err and "another --out" in other.err
    assert (tmp_path / "out" / "verdicts.jsonl").read_bytes() == before


def test_several_benchmarks_have_a_folder_each_and_an_overview(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "one.jsonl", labelled(4))
    write(tmp_path / "two.jsonl", labelled(4, prompt="other"))
    pairs = [{**PAIR, "subset": "mt-bench-easy", "id": n} for n in range(3)]
    write(tmp_path / "rb.jsonl", pairs)
    ended = grm(
        *("eval", "labelled:one.jsonl", "labelled:two.jsonl", "rewardbench:rb.jsonl"),
        *("--out", "out", *TINY),
    )
    assert ended.code == 0 and "3 benchmarks" in ended.out
    names = {"labelled-one", "labelled-two", "rewardbench"}
    assert {one.parent.name for one in (tmp_path / "out").glob("*/eval.json")} == names
    found = figures(tmp_path / "out")
    assert set(found["benchmarks"]) == names and found["overall"] is None
    again = grm("eval", "out", "--out", "again")
    assert again.code == 0, again.err
    assert figures(tmp_path / "again")["benchmarks"].keys() == names


def test_an_option_can_be_of_one_benchmark_or_of_all(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "rm.jsonl", [*labelled(3), {"prompt": "no responses"}])
    command = ("eval", "labelled:rm.jsonl", "--out", "out", *TINY)
    bad = grm(*command)
    assert bad.code == 1 and "rm.jsonl, line 4" in bad.err
    for option in ("bad_rows=skip", "labelled.bad_rows=skip"):
        ended = grm(*command, "--option", option)
        assert ended.code == 0 and "rows left out: 1" in ended.err and "line 4" in ended.err
    assert "bad_row" in grm(*command, "--option", "bad_row=skip").err


def test_only_groups_of_a_subset_are_judged(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "rm.jsonl", labelled(8))
    command = ("eval", "labelled:rm.jsonl", "--out", "out", *TINY)
    assert grm(*command, "--subset", "s1", "--limit", "3").code == 0
    assert figures(tmp_path / "out")["figures"]["n"] == 3
    ended = grm(*command, "--subset", "s2")
    assert ended.code == 1 and "'s2'; it has 's0', 's1'" in ended.err
    assert grm(*command).code == 0 and figures(tmp_path / "out")["figures"]["n"] == 8
    assert grm(*command, "--limit", "2").code == 0
    assert figures(tmp_path / "out")["figures"]["n"] == 2


def test_groups_whose_judgments_were_lost_are_drawn_again(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "rm.jsonl", labelled(4))
    command = ("eval", "labelled:rm.jsonl", "--out", "out", *TINY)
    assert grm(*command).code == 0
    whole, record = figures(tmp_path / "out"), tmp_path / "out" / "verdicts.jsonl"
    first, *others = read_verdicts(record)
    failures = tuple(one.failed(Reason.TRANSPORT, "reset") for one in first.judgments)
    lost = replace(first, rewards=None, judgments=(), failures=failures, unscored="none is valid")
    record.write_bytes(b"".join(map(to_line, (lost, *others))))
    ended = grm(*command)
    assert ended.code == 0 and "already: 3, to judge again: 1" in ended.err
    assert figures(tmp_path / "out")["figures"] == whole["figures"]


def test_unscored_groups_count_as_not_right_and_are_shown(grm: Grm, tmp_path: Path) -> None:
    cut = [{**row, "prompt": "CUT"} for row in labelled(8)[:2]]
    write(tmp_path / "rm.jsonl", [*labelled(8)[2:], *cut])
    ended = grm("eval", "labelled:rm.jsonl", "--out", "out", *TINY)
    assert ended.code == 0
    assert figures(tmp_path / "out")["figures"]["counts"]["unscored"] == 2
    assert figures(tmp_path / "out")["figures"]["value"] == 5 / 8


def test_groups_that_no_judge_can_be_shown_come_out_unscored(grm: Grm, tmp_path: Path) -> None:
    known = [{**row, "reference": "the answer"} for row in labelled(2)]
    write(tmp_path / "rm.jsonl", [*labelled(4)[2:], *known])
    ended = grm("eval", "labelled:rm.jsonl", "--out", "out", *TINY)
    assert ended.code == 0
    write(tmp_path / "all.jsonl", [{**row, "evidence": ["x", "y", "z"]} for row in labelled(3)])
    ended = grm("eval", "labelled:all.jsonl", "--out", "none", *TINY)
    if ended.code:
        assert "none of 3 groups can be judged" in ended.err


def test_recorded_judgments_vote_again_without_a_token(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "rm.jsonl", labelled(8))
    command = ("eval", "labelled:rm.jsonl", "--out", "out", "--greedy", *TINY)
    assert grm(*command, "--set", "engine.by_place=true").code == 0
    asked = (tmp_path / "log").read_text()
    ended = grm("eval", "out", "--out", "again", "-k", "3", "--vote", "median", "--ks", "1,3")
    assert ended.code == 0, ended.err
    found = figures(tmp_path / "again")
    assert [one["k"] for one in found["curve"]] == [1, 3] and found["k"] == 3
    assert found["judge"]["vote"] == "median" and found["judge"]["k"] == 3
    assert set(found["figures"]["over"]) == {"one", "greedy"}
    revoted = list(read_verdicts(tmp_path / "again" / "revoted.jsonl"))
    assert {len(one.judgments) for one in revoted} == {3}
    assert (tmp_path / "log").read_text() == asked
    assert figures(tmp_path / "out")["judge"]["vote"] == "mean"


def test_recorded_figures_are_those_of_the_run_itself(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "rm.jsonl", labelled(8))
    place = ("--set", "engine.by_place=true")
    assert grm("eval", "labelled:rm.jsonl", "--out", "out", *TINY, *place).code == 0
    assert grm("eval", "out/verdicts.jsonl", "--out", "again").code == 0
    one, other = (figures(tmp_path / name) for name in ("out", "again"))
    for name in ("figures", "curve", "data", "judge"):
        assert one[name] == other[name]


def test_the_page_of_a_training_record_shows_the_judges_rewards_and_not_the_trainers(
    grm: Grm, tmp_path: Path
) -> None:
    write(tmp_path / "rm.jsonl", labelled(4))
    assert grm("eval", "labelled:rm.jsonl", "--out", "out", *TINY).code == 0
    trained = {"phase": "train", "step": 1, "round_to": 0.5}
    made = [
        replace(one, group=replace(one.group, metadata={**one.group.metadata, **trained}))
        for one in read_verdicts(tmp_path / "out" / "verdicts.jsonl")
    ]
    (tmp_path / "run.jsonl").write_bytes(b"".join(map(to_line, made)))
    ended = grm("eval", "run.jsonl", "--out", "again")
    assert ended.code == 0, ended.err
    shown = [one["rewards"] for one in rows_in(tmp_path / "again" / "index.html")]
    assert shown == [pytest.approx(one.rewards, abs=1e-3) for one in made]
    assert any(one % 0.5 for rewards in shown for one in rewards)


def test_fewer_samples_are_what_a_judge_with_that_k_would_have_drawn(
    grm: Grm, tmp_path: Path
) -> None:
    write(tmp_path / "rm.jsonl", labelled(8))
    place = ("--set", "engine.by_place=true", "--set", "shuffle=independent")
    command = ("eval", "labelled:rm.jsonl", "--out")
    assert grm(*command, "many", *TINY, *place).code == 0
    assert grm(*command, "few", *TINY[:-1], "2", *place).code == 0
    assert grm("eval", "many", "--out", "again", "-k", "2").code == 0
    one, other = (figures(tmp_path / name) for name in ("few", "again"))
    assert one["figures"] == other["figures"]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("-k", "9"), "expected 1 to 4, the samples on record, got 9"),
        (("--ks", "1,9"), "expected at most 4"),
        (("--ks", "1,x"), "expected numbers such as 1,2,4"),
        (("--engine", "tiny"), "recorded verdicts are evaluated without a judge"),
        (("--set", "k_meta=2"), "judgments of labelled have none"),
        (("--vote", "nobody"), "unknown voter 'nobody'"),
        (("--set", "select=meta_rm"), "with k_meta"),
        (("--set", "k_meta=0"), "k_meta: input should be greater than or equal to 1, got '0'"),
        (("--set", "k=many"), "k: input should be a valid integer, got 'many'"),
        (("--set", "vote=[1]"), "vote: input should be a valid dictionary"),
        (("--set", "select={name: weights, coefficients: {meta: 1}}"), "meta-scores"),
        (("--set", "select.name=weights"), "expected one of file"),
        (("--set", "k_meta=1", "--weights", "w.json"), "each says who votes"),
    ],
)
def test_what_records_can_not_say_is_refused(
    grm: Grm, tmp_path: Path, more: tuple[str, ...], told: str
) -> None:
    write(tmp_path / "rm.jsonl", labelled(4))
    assert grm("eval", "labelled:rm.jsonl", "--out", "out", *TINY).code == 0
    ended = grm("eval", "out", "--out", "again", *more)
    assert ended.code in (1, 2) and told in ended.err.replace("│", "").replace("  ", " ")
    assert not (tmp_path / "again" / "eval.json").exists()


def test_the_meta_rms_choice_is_made_again_at_any_k_meta(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "rm.jsonl", labelled(4))
    meta = "select={name: meta_rm, classifier: {name: tiny_meta, log: rated}}"
    command = ("eval", "labelled:rm.jsonl", "--out", "out", *TINY, "--set", meta)
    assert grm(*command).code == 0
    rated = (tmp_path / "rated").read_text()
    ended = grm("eval", "out", "--out", "again", "--set", "k_meta=1")
    assert ended.code == 0, ended.err
    revoted = list(read_verdicts(tmp_path / "again" / "revoted.jsonl"))
    assert {sum(one.voted for one in verdict.judgments) for verdict in revoted} == {1}
    everyone = grm("eval", "out", "--out", "everyone", "--set", "select=all")
    assert everyone.code == 0
    revoted = list(read_verdicts(tmp_path / "everyone" / "revoted.jsonl"))
    assert {sum(one.voted for one in verdict.judgments) for verdict in revoted} == {4}
    assert (tmp_path / "rated").read_text() == rated


def test_soft_weights_of_a_file_weigh_recorded_judgments(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "rm.jsonl", labelled(4))
    (tmp_path / "weights.json").write_text('{"coefficients": {"margin": 0.5}}')
    assert grm("eval", "labelled:rm.jsonl", "--out", "out", *TINY).code == 0
    ended = grm("eval", "out", "--out", "again", "--weights", "weights.json")
    assert ended.code == 0, ended.err
    assert "for records" in grm("eval", "labelled:rm.jsonl", "--out", "o", "--weights", "w").err


def test_records_never_overwrite_a_judges_verdicts(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "rm.jsonl", labelled(4))
    assert grm("eval", "labelled:rm.jsonl", "--out", "out", *TINY).code == 0
    before = (tmp_path / "out" / "verdicts.jsonl").read_bytes()
    ended = grm("eval", "out", "--out", "out", "-k", "2")
    assert ended.code == 1 and "holds a judge's verdicts" in ended.err
    assert (tmp_path / "out" / "verdicts.jsonl").read_bytes() == before


def test_what_is_no_benchmark_and_no_record_is_told(grm: Grm, tmp_path: Path) -> None:
    ended = grm("eval", "rewardbanch", "--out", "out", *TINY)
    assert ended.code == 1 and "did you mean 'rewardbench'" in ended.err
    write(tmp_path / "rm.jsonl", labelled(2))
    mixed = grm("eval", "labelled:rm.jsonl", "rm.jsonl", "--out", "out", *TINY)
    assert mixed.code == 1 and "got rm.jsonl beside a benchmark" in mixed.err
    no_record = grm("eval", "rm.jsonl", "--out", "out")
    assert no_record.code == 1 and "labelled:rm.jsonl" in no_record.err


@pytest.mark.parametrize(
    ("metadata", "told"),
    [
        (
            {"benchmark": "judgebench", "ratings": [1, 2]},
            "best in judgebench, got ratings",
        ),
        ({"benchmark": "rewardbench2", "subset": "Ties", "ratings": [1, 2]}, "expected best in"),
        ({"benchmark": "rm_bench", "best": 0}, "styles: expected the styles of a pair"),
        (
            {"benchmark": "ppe_correctness", "correct": [0, 1], "conflicts": [[0, 7]]},
            "conflicts.0: expected places of a right and of a wrong response",
        ),
        (
            {"benchmark": "ppe_correctness", "correct": [0, 1], "conflicts": "xx"},
            "conflicts: expected a list of pairs, got 'xx'",
        ),
    ],
)
def test_a_record_that_lacks_what_its_figures_need_is_refused_by_file_and_group(
    grm: Grm, tmp_path: Path, metadata: dict[str, Any], told: str
) -> None:
    group = Group.of("q", ["a", "b"], id="g1", metadata=metadata)
    (tmp_path / "r.jsonl").write_bytes(to_line(Verdict(group, (0.1, 0.9))))
    for ended in (grm("eval", "r.jsonl", "--out", "out"), grm("compare", "r.jsonl", "r.jsonl")):
        assert ended.code == 1 and "r.jsonl: group g1: " in ended.err and told in ended.err


def test_a_folder_that_is_called_like_a_benchmark_is_written_with_its_path(
    grm: Grm, tmp_path: Path
) -> None:
    write(tmp_path / "rm.jsonl", labelled(4))
    assert grm("eval", "labelled:rm.jsonl", "--out", "rmb", *TINY).code == 0
    assert "write rmb:PATH" in grm("eval", "rmb", "--out", "out", *TINY).err
    assert grm("eval", "./rmb", "--out", "out").code == 0


def test_a_budget_stops_it_and_the_same_command_goes_on(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "rm.jsonl", labelled(8))
    command = ("eval", "labelled:rm.jsonl", "--out", "out", *TINY)
    ended = grm(*command, "--set", "budget={tokens: 200}")
    assert ended.code == 4 and "with a larger budget" in ended.err
    assert grm(*command, "--set", "budget={tokens: 100000}").code == 0
    assert figures(tmp_path / "out")["figures"]["n"] == 8


def test_the_embedded_judge_is_evaluated_as_a_newcomer_does(grm: Grm, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    tasks = ("train", "tasks", "--split", "heldout", "--groups", "6", "--out", "rm.jsonl")
    assert grm(*tasks).code == 0
    ended = grm("eval", "labelled:rm.jsonl", "--engine", "reference", "--out", "out", "-k", "2")
    assert ended.code == 0, ended.err
    top = figures(tmp_path / "out")["figures"]
    assert top["n"] == 6 and top["counts"]["unscored"] == 0 and top["value"] > 0.2
    assert [one["name"] for one in top["parts"]] == ["N=2", "N=3", "N=4"]


def test_a_password_is_in_no_file_of_a_run(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "rm.jsonl", labelled(2))
    with zipfile.ZipFile(tmp_path / "rm.zip", "w") as archive:
        archive.write(tmp_path / "rm.jsonl", "rm.jsonl")
    ended = grm(
        *("eval", "labelled:rm.zip", "--out", "out", *TINY, "--option", "password=open sesame")
    )
    assert ended.code == 0, ended.err
    files = [one for one in (tmp_path / "out").rglob("*") if one.is_file()]
    assert len(files) >= 2 and not [one for one in files if b"sesame" in one.read_bytes()]
    assert figures(tmp_path / "out")["benchmark"]["options"] == {"password": "***"}


def test_a_run_that_scored_nothing_says_so_and_ends_with_3(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "rm.jsonl", [{**row, "prompt": "CUT"} for row in labelled(3)])
    ended = grm("eval", "labelled:rm.jsonl", "--out", "out", *TINY)
    assert ended.code == 3 and "nothing was scored" in ended.out
    assert "no judgment could be read" in ended.out and "no bias beyond" not in ended.out
    again = grm("eval", "out", "--out", "again")
    assert again.code == 3 and "nothing was scored" in again.out


def test_a_benchmark_without_a_group_says_what_was_left_out(grm: Grm, tmp_path: Path) -> None:
    tie = {"prompt": "q", "response_1": "a", "response_2": "b", "winner": "tie"}
    write(tmp_path / "ppe.jsonl", [{**tie, "question_id": str(n)} for n in range(3)])
    ended = grm("eval", "ppe_preference:ppe.jsonl", "--out", "out", *TINY)
    assert ended.code == 1 and "holds no group to judge" in ended.err
    assert "by its own rules: 3, the people saw no winner" in ended.err


def test_an_id_that_comes_twice_is_told_with_an_option_that_is_there(
    grm: Grm, tmp_path: Path
) -> None:
    write(tmp_path / "rm.jsonl", [*labelled(2), labelled(1)[0]])
    command = ("eval", "labelled:rm.jsonl", "--out", "out", *TINY)
    ended = grm(*command)
    assert "line 3: id" in ended.err and "--columns" not in ended.err
    assert "bad_rows=skip" in ended.err and grm(*command, "--option", "bad_rows=skip").code == 0
