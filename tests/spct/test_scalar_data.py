"""Pairs of a scalar RM: from labels and from votes; what is left out, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm_plugin.errors import InputError, RecordError
from grm_plugin.evaluation.truth import Best, Correct, Ratings
from grm_plugin.hosts.recorded import when
from grm_plugin.spct.one_judge import OneJudge
from grm_plugin.spct.scalar_data import ScalarRow, ScalarTable, digest_of, scalar_rows
from grm_plugin.spct.scalar_pairs import Pair, judged_pairs, labelled_pairs
from grm_plugin.spct.splitting import Splitting
from grm_plugin.types import Group, Judgment, Scalar, Verdict
from tests.spct.scalar_data import by_another, group, judged, write, write_rows

scores = st.lists(st.one_of(st.none(), st.integers(1, 10).map(float)), min_size=3, max_size=3).map(
    tuple
)


def rows_of(*data: Path, table: ScalarTable | None = None, **split: object) -> list[ScalarRow]:
    return scalar_rows(list(map(str, data)), Splitting(**split), table or ScalarTable())


def test_a_best_response_is_better_than_every_other_and_of_ratings_the_higher() -> None:
    three = Group.of("q", ["a", "b", "c"])
    assert labelled_pairs(three, Best((1,))) == (Pair(1, 0, 1.0), Pair(1, 2, 1.0))
    assert labelled_pairs(three, Correct((1, 0, 1))) == (Pair(0, 1, 1.0), Pair(2, 1, 1.0))
    assert labelled_pairs(three, Ratings((0.5, 0.5, 0.1))) == (Pair(0, 2, 1.0), Pair(1, 2, 1.0))
    assert labelled_pairs(three, Correct((1, 1, 1))) == ()


def test_two_responses_of_one_text_are_no_pair() -> None:
    twice = Group.of("q", ["a", "a", "c"])
    assert labelled_pairs(twice, Ratings((3.0, 1.0, 2.0))) == (Pair(0, 2, 1.0), Pair(2, 1, 1.0))
    votes = (Judgment(0, (0, 2), 0, "", (9.0, None, 2.0)),)
    (pair,) = judged_pairs(Verdict(twice, None, votes))
    assert (pair.first, pair.second, pair.target, pair.order) == (0, 2, 1.0, 1.0)


@given(st.lists(scores, min_size=1, max_size=6), st.permutations(range(3)))
def test_the_target_of_a_pair_is_the_mean_of_wins_and_half_ties(votes, order) -> None:
    made = Group.of("q", ["a", "b", "c"])
    judgments = tuple(Judgment(k, (0, 1, 2), 0, "", one) for k, one in enumerate(votes))
    found = {
        (one.first, one.second): one.target for one in judged_pairs(Verdict(made, None, judgments))
    }
    for (i, j), target in found.items():
        both = [one for one in votes if None not in (one[i], one[j])]
        wins = sum((one[i] > one[j]) + (one[i] == one[j]) / 2 for one in both)
        assert target == pytest.approx(wins / len(both))
    turned = tuple(replace(one, scores=tuple(one.scores[n] for n in order)) for one in judgments)
    other = Group.of("q", ["abc"[n] for n in order])
    for one in judged_pairs(Verdict(other, None, turned)):
        i, j = order[one.first], order[one.second]
        same = found[i, j] if (i, j) in found else 1 - found[j, i]
        assert one.target == pytest.approx(same)


def test_only_judgments_that_voted_count_by_their_weight_and_never_rewards() -> None:
    pair = Group.of("q", ["a", "b"])
    votes = (
        Judgment(0, (0, 1), 0, "", (9.0, 2.0), weight=3.0),
        Judgment(1, (0, 1), 0, "", (2.0, 9.0)),
        Judgment(2, (0, 1), 0, "", (2.0, 9.0), voted=False),
    )
    (found,) = judged_pairs(Verdict(pair, (0.0, 1.0), votes))
    assert (found.first, found.second, found.target, found.order) == (0, 1, 0.75, 1.0)
    assert judged_pairs(Verdict(pair, (0.0, 1.0), votes[2:])) == ()


def test_groups_that_no_judge_compared_are_left_out_and_counted(tmp_path: Path) -> None:
    sure = replace(judged(1), judgments=(), scalar=Scalar((1.0, 2.0, 3.0), judged=False))
    looked_at = judged(2, **when(3, training=False))
    hinted = by_another(judged(3), evidence=["hint"])
    alone = Verdict(Group.of("q", ["a"]), None, (Judgment(0, (0,), 0, "", (3.0,)),))
    record = write(tmp_path / "v.jsonl", [sure, looked_at, hinted, judged(4)])
    write(record, [replace(alone, origin=judged(1).origin)], "ab")
    table = ScalarTable()
    (row,) = rows_of(record, table=table, validation=0.0)
    assert row.compared.group.id == "g4"
    assert table.left_out == {
        "not judged": 1, "of an evaluation": 1, "hinted": 1,
        "without two responses that differ": 1,
    }  # fmt: skip


def test_verdicts_of_another_judge_are_refused_by_line_with_both_named(tmp_path: Path) -> None:
    other = by_another(judged(3), model="two", k=32)
    record = write(tmp_path / "v.jsonl", [judged(1), judged(2), other])
    with pytest.raises(InputError) as refused:
        rows_of(record)
    assert str(refused.value) == (
        f"{record}, line 3: expected the judge of {record}, line 1 (model 'one'), got another one "
        "(model 'two'); give records of one judge, or --any-judge"
    )
    assert len(rows_of(record, table=ScalarTable(judge=OneJudge(any_judge=True)))) == 3


@pytest.mark.parametrize(
    "changed",
    [{"k": 32, "permutations": 32}, {"seed": 1}, {"scalar": {"use": "vote"}}, {"altered": {"a": 1}},
     {"scalar_version": "version-0001"}],
    ids=str,
)  # fmt: skip
def test_other_samples_and_another_scalar_rm_are_no_other_judge(tmp_path: Path, changed) -> None:
    other = by_another(judged(2), **changed)
    assert len(rows_of(write(tmp_path / "v.jsonl", [judged(1), other]))) == 2


@pytest.mark.parametrize(
    "changed",
    [{"principles": {"name": "given"}}, {"plan": "pairs"}, {"thinking": False}, {"top_p": 0.1},
     {"max_tokens": 16}, {"select": "meta_rm"}, {"added_by_a_plug_in": 1}],
    ids=str,
)  # fmt: skip
def test_a_judge_that_is_asked_in_another_way_is_another(tmp_path: Path, changed) -> None:
    record = write(tmp_path / "v.jsonl", [judged(1), by_another(judged(2), **changed)])
    with pytest.raises(InputError, match=f"got another one .{next(iter(changed))} "):
        rows_of(record)


def test_labels_and_records_may_come_together_and_bad_rows_are_told(tmp_path: Path) -> None:
    labels = write_rows(tmp_path / "rm.jsonl", map(group, range(4)))
    (tmp_path / "records").mkdir()
    write(tmp_path / "records" / "verdicts.jsonl.rank0", [judged(7)])
    write(tmp_path / "records" / "verdicts.jsonl.rank1", [judged(8)])
    assert len(rows_of(labels, tmp_path / "records" / "verdicts.jsonl")) == 6
    assert len(rows_of(labels, tmp_path / "records")) == 6
    labels.write_text(labels.read_text() + '{"prompt": "q", "responses": ["a", "b"]}\n' * 2)
    with pytest.raises(InputError, match=r"rm\.jsonl has 2 bad rows") as bad:
        rows_of(labels)
    assert "expected best, correct or ratings" in str(bad.value)
    with pytest.raises(InputError, match="nowhere"):
        rows_of(tmp_path / "nowhere.jsonl")
    broken = write(tmp_path / "v.jsonl", [judged(1)])
    broken.write_bytes(broken.read_bytes() + b'{"version": 2}\n')
    with pytest.raises(RecordError, match=r"v\.jsonl, line 2"):
        rows_of(broken)


def test_the_split_parts_no_prompt_and_another_split_is_another_training(tmp_path: Path) -> None:
    again = replace(judged(5), group=replace(group(5), responses=("x", "y", "z")))
    record = write(tmp_path / "v.jsonl", [*map(judged, range(20)), again])
    rows = rows_of(record, validation=0.3)
    held = {row.cluster for row in rows if row.split == "validation"}
    assert len(held) == 6 and not held & {row.cluster for row in rows if row.split == "train"}
    assert digest_of(rows) == digest_of(rows_of(record, validation=0.3))
    assert digest_of(rows) != digest_of(rows_of(record, validation=0.3, seed=1))
