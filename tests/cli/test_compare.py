"""``grm compare``: two runs of the same groups, and runs that do not compare."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grm_plugin import Group, Verdict
from grm_plugin.pipeline.building import find_template
from grm_plugin.plugins import installed
from grm_plugin.records import read_verdicts, to_line
from grm_plugin.types import Judgment
from tests.cli.conftest import Ended
from tests.cli.files import write
from tests.cli.test_eval import TINY, labelled

pytest.importorskip("numpy")
pytest.importorskip("scipy")

Grm = Callable[..., Ended]
RIGHT, WRONG, TIE = (0.9, 0.1), (0.1, 0.9), (0.5, 0.5)


def record(path: Path, rewards: list[tuple[float, float] | None], **more: Any) -> Path:
    """Verdicts of pairs whose first response is the better one."""
    origin = {"engine": path.stem, "vote": "mean", "k": 1}
    path.write_bytes(
        b"".join(
            to_line(
                Verdict(
                    Group.of(f"q{n}", ["a", "b"], id=str(n), metadata=_metadata(n, **more)),
                    each,
                    unscored="" if each else "refused: no",
                    origin=origin,
                )
            )
            for n, each in enumerate(rewards)
        )
    )
    return path


def _metadata(n: int, **more: Any) -> dict[str, Any]:
    named = {key: value(n) if callable(value) else value for key, value in more.items()}
    return {"best": 0, "subset": f"s{n % 2}", **named}


def test_a_clear_difference_is_told_with_its_interval_and_p(grm: Grm, tmp_path: Path) -> None:
    record(tmp_path / "a.jsonl", [RIGHT] * 10 + [WRONG] * 30)
    record(tmp_path / "b.jsonl", [RIGHT] * 32 + [TIE] * 4 + [None] * 4)
    ended = grm("compare", "a.jsonl", "b.jsonl", "--json", "c.json")
    assert ended.code == 0, ended.err
    assert "both right 10, only A 0, only B 22, neither 8" in ended.out
    assert "engine a -> b" in ended.out and "+55.0*" in ended.out
    (found,) = json.loads((tmp_path / "c.json").read_text())["benchmarks"].values()
    top, *subsets = found["figures"]
    assert (top["first"], top["second"]) == (0.25, 0.8)
    assert top["difference"]["low"] > 0.3 and top["p"] < 0.01 and top["p_holm"] is None
    assert {one["test"] for one in found["figures"]} == {"mcnemar"}
    assert all(one["p_holm"] >= one["p"] for one in subsets)
    assert found["outcomes"]["p"] == pytest.approx(2 / 2**22)
    assert len(found["differ"]) == 22
    assert found["differ"][0] | {"fingerprint": ""} == {
        **{"id": "10", "fingerprint": "", "subset": "s0", "first": "wrong", "second": "right"},
        "rewards": [list(WRONG), list(RIGHT)],
    }


def test_a_run_is_no_better_and_no_worse_than_itself(grm: Grm, tmp_path: Path) -> None:
    record(tmp_path / "a.jsonl", [RIGHT, WRONG, TIE] * 5)
    ended = grm("compare", "a.jsonl", "a.jsonl", "--fail-if-worse")
    assert ended.code == 0
    assert "settings that differ: none" in ended.out and "1.000" in ended.out


def test_the_order_of_a_record_does_not_matter(grm: Grm, tmp_path: Path) -> None:
    path = record(tmp_path / "a.jsonl", [RIGHT, WRONG, TIE] * 5)
    lines = path.read_bytes().splitlines(keepends=True)
    (tmp_path / "b.jsonl").write_bytes(b"".join(reversed(lines)))
    ended = grm("compare", "a.jsonl", "b.jsonl")
    assert ended.code == 0 and "only A 0, only B 0" in ended.out


def test_a_worse_run_can_fail_a_pipeline(grm: Grm, tmp_path: Path) -> None:
    record(tmp_path / "a.jsonl", [RIGHT] * 40)
    record(tmp_path / "b.jsonl", [RIGHT] * 20 + [WRONG] * 20)
    assert grm("compare", "a.jsonl", "b.jsonl", "--fail-if-worse").code == 3
    assert grm("compare", "a.jsonl", "b.jsonl").code == 0
    assert grm("compare", "b.jsonl", "a.jsonl", "--fail-if-worse").code == 0


def test_one_or_two_groups_fail_no_pipeline_and_bear_no_star(grm: Grm, tmp_path: Path) -> None:
    for name, each in (("a", RIGHT), ("b", WRONG)):
        record(tmp_path / f"{name}.jsonl", [each] * 2)
    ended = grm("compare", "a.jsonl", "b.jsonl", "--fail-if-worse")
    assert ended.code == 0 and "-100.0" in ended.out and "-100.0*" not in ended.out
    assert "of 6 sources or more" in ended.out


def test_runs_on_ratings_are_told_as_correlations(grm: Grm, tmp_path: Path) -> None:
    rewards = [((n * 7 % 20) / 20, (n * 3 % 20) / 20) for n in range(20)]
    more = {"best": None, "ratings": lambda n: list(rewards[n])}
    record(tmp_path / "a.jsonl", rewards, **more)
    record(tmp_path / "b.jsonl", [*(pair[::-1] for pair in rewards[:16]), *[None] * 4], **more)
    ended = grm("compare", "a.jsonl", "b.jsonl", "--fail-if-worse")
    assert ended.code == 3
    assert "1.000" in ended.out and "100.0" not in ended.out and "both right" not in ended.out
    assert "leave out what is unscored: 0 of A, 4 of B" in ended.out


def test_fewer_false_positives_are_no_worse(grm: Grm, tmp_path: Path) -> None:
    attack = {"benchmark": "injections", "subset": "attack"}
    named = {**attack, "family": lambda n: f"f{n % 10}", "source": lambda n: f"f{n % 10}"}
    record(tmp_path / "fooled.jsonl", [RIGHT] * 10 + [WRONG] * 30, **named)
    record(tmp_path / "sound.jsonl", [RIGHT] * 40, **named)
    ended = grm("compare", "fooled.jsonl", "sound.jsonl", "--fail-if-worse")
    assert ended.code == 0 and "Lower is better" in ended.out
    assert grm("compare", "sound.jsonl", "fooled.jsonl", "--fail-if-worse").code == 3


def test_groups_of_one_source_count_as_one_observation(grm: Grm, tmp_path: Path) -> None:
    judged = [RIGHT] * 40 + [WRONG] * 40
    for name, source in (("apart", None), ("together", lambda n: n // 10)):
        more = {"source": source} if source else {}
        record(tmp_path / f"{name}-a.jsonl", [RIGHT] * 80, **more)
        record(tmp_path / f"{name}-b.jsonl", judged, **more)
    found = {}
    for name in ("apart", "together"):
        files = (f"{name}-a.jsonl", f"{name}-b.jsonl")
        assert grm("compare", *files, "--json", "c.json").code == 0
        (one,) = json.loads((tmp_path / "c.json").read_text())["benchmarks"].values()
        found[name] = one["figures"]
    width = {name: rows[0]["difference"] for name, rows in found.items()}
    widths = {name: one["high"] - one["low"] for name, one in width.items()}
    assert widths["together"] > 2 * widths["apart"]
    assert {row["test"] for row in found["together"]} == {"bootstrap"}


@pytest.mark.parametrize("option", [(), ("--common",)])
def test_other_data_is_refused_by_name_unless_what_both_have_is_asked_for(
    grm: Grm, tmp_path: Path, option: tuple[str, ...]
) -> None:
    record(tmp_path / "a.jsonl", [RIGHT] * 10)
    record(tmp_path / "b.jsonl", [RIGHT] * 8)
    ended = grm("compare", "a.jsonl", "b.jsonl", *option)
    assert ended.code == (0 if option else 1)
    if not option:
        assert "a.jsonl has 2 groups that b.jsonl does not have, such as group 8" in ended.err
        assert "--common" in ended.err


def test_runs_with_nothing_in_common_are_refused_even_so(grm: Grm, tmp_path: Path) -> None:
    record(tmp_path / "a.jsonl", [RIGHT] * 3)
    path = record(tmp_path / "b.jsonl", [RIGHT] * 3)
    others = [replace(one, group=Group.of("x", ["c", "d"], metadata={"best": 0}))
              for one in read_verdicts(path)]  # fmt: skip
    path.write_bytes(b"".join(map(to_line, others)))
    assert grm("compare", "a.jsonl", "b.jsonl", "--common").code == 1


def test_other_labels_of_the_same_groups_are_refused_by_name(grm: Grm, tmp_path: Path) -> None:
    record(tmp_path / "a.jsonl", [RIGHT] * 5)
    record(tmp_path / "b.jsonl", [RIGHT] * 5, best=lambda n: int(n == 3))
    ended = grm("compare", "a.jsonl", "b.jsonl")
    assert ended.code == 1
    assert "group 3" in ended.err and "other labels and do not compare" in ended.err


def test_runs_that_count_ties_differently_are_refused(grm: Grm, tmp_path: Path) -> None:
    record(tmp_path / "a.jsonl", [RIGHT, TIE])
    for ties in ("strict", "half"):
        assert grm("eval", "a.jsonl", "--out", ties, "--ties", ties).code == 1  # no template
    write(tmp_path / "rm.jsonl", labelled(4))
    for ties in ("strict", "half"):
        command = ("eval", "labelled:rm.jsonl", "--out", ties, "--ties", ties, *TINY)
        assert grm(*command).code == 0
    ended = grm("compare", "strict", "half")
    assert ended.code == 1 and "strict counts ties strict, half half" in ended.err
    ended = grm("compare", "strict", "half", "--ties", "random")
    assert ended.code == 0 and "among the tied (random)" in ended.out


def test_folders_of_runs_are_compared_benchmark_for_benchmark(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "one.jsonl", labelled(4))
    write(tmp_path / "two.jsonl", labelled(4, prompt="other"))
    both = ("labelled:one.jsonl", "labelled:two.jsonl")
    assert grm("eval", *both, "--out", "a", *TINY).code == 0
    assert grm("eval", *both, "--out", "b", *TINY, "--set", "seed=3").code == 0
    ended = grm("compare", "a", "b", "--json", "c.json")
    assert ended.code == 0, ended.err
    found = json.loads((tmp_path / "c.json").read_text())["benchmarks"]
    assert found.keys() == {"labelled-one", "labelled-two"}
    assert all(one["settings"] == {"seed": ["0", "3"]} for one in found.values())
    assert grm("eval", both[0], "--out", "c", *TINY).code == 0
    assert "they have labelled-one, labelled-two and labelled" in grm("compare", "a", "c").err


def test_a_half_written_run_is_told_and_not_lost(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "rm.jsonl", labelled(6))
    for name in ("a", "b"):
        assert grm("eval", "labelled:rm.jsonl", "--out", name, *TINY).code == 0
    cut = tmp_path / "b" / "verdicts.jsonl"
    lines = cut.read_bytes().splitlines(keepends=True)
    cut.write_bytes(b"".join(lines[:4]) + lines[4][:80])
    ended = grm("compare", "a", "b")
    assert ended.code == 1 and "a has 2 groups that b does not have" in ended.err
    assert "a run that has not ended" in ended.err
    (tmp_path / "b" / "eval.json").write_text('{"version": 1, "fi')
    ended = grm("compare", "a", "b", "--common")
    assert ended.code == 1 and "b/eval.json can not be read" in ended.err
    assert "the same `grm eval` writes it anew" in ended.err
    (tmp_path / "b" / "eval.json").unlink()
    assert grm("compare", "a", "b", "--common").code == 0
    assert cut.read_bytes().startswith(b"".join(lines[:4]))


def test_figures_of_another_shape_are_refused_by_name(grm: Grm, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    record(run / "verdicts.jsonl", [RIGHT, WRONG])
    (run / "eval.json").write_text('{"version": 1, "benchmark": [1]}')
    ended = grm("compare", "run", "run")
    assert ended.code == 1 and "eval.json: benchmark: expected an object" in ended.err


def test_what_a_run_costs_beside_another_is_told(grm: Grm, tmp_path: Path) -> None:
    write(tmp_path / "rm.jsonl", labelled(4))
    assert grm("eval", "labelled:rm.jsonl", "--out", "many", *TINY).code == 0
    assert grm("eval", "many", "--out", "few", "-k", "2").code == 0
    ended = grm("compare", "many", "few")
    assert ended.code == 0 and "0.50x tokens" in ended.out
    assert "k 4 -> 2" in ended.out


def test_texts_of_a_record_can_not_control_the_terminal(grm: Grm, tmp_path: Path) -> None:
    evil = "\x1b[2J\x1b]0;title\x07x"
    for name, rewards in (("a", [RIGHT] * 3), ("b", [WRONG] * 3)):
        record(tmp_path / f"{name}.jsonl", rewards, subset=evil)
    ended = grm("compare", "a.jsonl", "b.jsonl")
    assert ended.code == 0 and "\x1b" not in ended.out and "\x07" not in ended.out


def test_judgebench_is_one_number_in_eval_and_compare(grm: Grm, tmp_path: Path) -> None:
    """One order is won and one lost, and the reward is right: its rule says no, in both."""
    scores, orders = [(9.0, 1.0), (4.0, 5.0)], [(0, 1), (1, 0)]
    judgments = tuple(
        Judgment(k, order, k, "", each)
        for k, (order, each) in enumerate(zip(orders, scores, strict=True))
    )
    template = find_template("grm", installed())
    origin = {"vote": "mean", "template": "grm", "template_hash": template.digest, "k": 2}
    metadata = {"benchmark": "judgebench", "best": 0}
    groups = [Group.of(f"q{n}", ["a", "b"], id=str(n), metadata=metadata) for n in range(6)]
    found = [Verdict(one, (0.61, 0.22), judgments, origin=origin) for one in groups]
    (tmp_path / "j.jsonl").write_bytes(b"".join(map(to_line, found)))
    assert grm("eval", "j.jsonl", "--out", "run").code == 0
    assert grm("compare", "j.jsonl", "run", "--json", "c.json").code == 0
    top = json.loads((tmp_path / "run" / "eval.json").read_text())["figures"]
    (told,) = json.loads((tmp_path / "c.json").read_text())["benchmarks"].values()
    assert (top["value"], top["counts"]["tie"]) == (0.0, 6)
    assert (told["figures"][0]["first"], told["figures"][0]["second"]) == (0.0, 0.0)
