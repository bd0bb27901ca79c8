"""Training data of a meta RM: each judgment once, with its label, split by what hangs together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from grm_plugin.engine import Limits
from grm_plugin.errors import ConfigError, InputError
from grm_plugin.pipeline.rating import load_meta_template
from grm_plugin.pipeline.selectors import MetaRM
from grm_plugin.size import Size
from grm_plugin.spct.meta_balance import row_weights
from grm_plugin.spct.meta_data import MetaRow, MetaTable, as_line, meta_rows, read_rows
from grm_plugin.spct.splitting import Splitting
from grm_plugin.types import Group, Judgment, Verdict
from tests.spct.judged import failed, verdict, write


def rows_of(path: Path, splitting: Splitting | None = None) -> tuple[list[MetaRow], MetaTable]:
    table = MetaTable()
    found = meta_rows([path], load_meta_template(), splitting or Splitting(), table)
    return list(found), table


def test_a_tie_at_the_top_is_wrong_and_the_order_of_the_others_does_not_count(tmp_path) -> None:
    group = Group.of("q", ["a", "b", "c"], metadata={"best": 0})
    votes = [
        Judgment(k, (0, 1, 2), 0, f"text {k}", scores)
        for k, scores in enumerate([(8.0, 5.0, 7.0), (8.0, 7.0, 5.0), (8.0, 8.0, 1.0)])
    ]
    rows, table = rows_of(write(tmp_path / "r.jsonl", [Verdict(group, None, tuple(votes))]))
    assert [(row.label, row.margin) for row in rows] == [(1, 1), (1, 1), (0, 0)]
    assert table.ties == pytest.approx(1 / 3)
    assert table.rates("margin") == {0.0: (1, 0.0), 1.0: (2, 1.0)}


def test_a_single_response_is_right_where_its_score_is_its_label(tmp_path) -> None:
    group = Group.of("q", ["a"], metadata={"correct": 0})
    votes = [Judgment(k, (0,), 0, f"t{k}", (float(k),)) for k in (0, 1)]
    rows, _ = rows_of(write(tmp_path / "r.jsonl", [Verdict(group, None, tuple(votes))]))
    assert [row.label for row in rows] == [1, 0]


async def test_a_row_is_what_the_selector_shows_the_meta_rm(tmp_path) -> None:
    one = verdict(3, n=3)
    rows, _ = rows_of(write(tmp_path / "r.jsonl", [one]))
    texts: list[str] = []

    class Seen:
        async def start(self) -> None: ...

        async def logits(self, asked):
            texts.extend(asked)
            return [0.0] * len(asked)

        async def close(self) -> None: ...

    await MetaRM({"classifier": Seen()}, Limits()).select(one.group, one.judgments, Size(k=4))
    assert [row.text for row in rows] == texts


def test_the_split_parts_no_prompt_and_is_the_same_every_time(tmp_path) -> None:
    alike = [replace(verdict(number), group=_again(verdict(number).group)) for number in range(40)]
    path = write(tmp_path / "r.jsonl", [*map(verdict, range(40)), *alike])
    rows, table = rows_of(path, Splitting(validation=0.25))
    prompts = {split: set() for split in ("train", "validation")}
    for row in rows:
        prompts[row.split].add(row.id)
    assert not prompts["train"] & prompts["validation"]
    assert len(prompts["validation"]) == 10 and table.groups["validation"]
    assert rows_of(path, Splitting(validation=0.25))[0] == rows
    assert rows_of(path, Splitting(validation=0.25, seed=1))[0] != rows


def _again(group: Group) -> Group:
    """The same prompt with other responses."""
    return replace(group, responses=tuple(f"{text} too" for text in group.responses))


def test_the_split_keeps_together_what_the_metadata_name(tmp_path) -> None:
    path = write(tmp_path / "r.jsonl", [verdict(n, phrasing=n % 5) for n in range(40)])
    rows, _ = rows_of(path, Splitting("phrasing", 0.2))
    held_out = {row.cluster for row in rows if row.split == "validation"}
    assert len(held_out) == 1 and len({row.id for row in rows if row.cluster in held_out}) == 8
    with pytest.raises(InputError, match=r"expected 'source' in its metadata, got best, phrasing"):
        rows_of(path, Splitting("source"))


def test_training_shows_none_of_several_values_that_are_held_out(tmp_path) -> None:
    shown = {f"g{n}": [f"p{n % 7}", f"p{n % 5}"] for n in range(70)}
    groups = [verdict(n, phrasings=shown[f"g{n}"]) for n in range(70)]
    path = write(tmp_path / "r.jsonl", groups)
    rows, _ = rows_of(path, Splitting("phrasings", 0.3))
    held_out = {row.cluster for row in rows if row.split == "validation"}
    assert len(held_out) == 2
    for row in rows:
        assert (row.split == "validation") == bool(held_out & set(shown[row.id]))
    empty = write(tmp_path / "e.jsonl", [verdict(1, phrasings=[])])
    with pytest.raises(InputError, match="group g1: expected a value in 'phrasings', got none"):
        rows_of(empty, Splitting("phrasings"))


def test_what_is_there_twice_counts_once_and_dropped_samples_are_told(tmp_path) -> None:
    one = replace(verdict(1), failures=(failed(9),))
    _, table = rows_of(write(tmp_path / "r.jsonl", [one, one]))
    assert table.as_json()["judgments"] == 4
    assert table.left_out == {
        "dropped by the judge": 2, "shown a part of the group": 0, "there twice": 4
    }  # fmt: skip


def test_a_judgment_of_a_part_of_the_group_is_left_out(tmp_path) -> None:
    one = verdict(1, k=1, n=3)
    half = replace(one.judgments[0], order=(0, 1), scores=(5.0, 6.0, None))
    rows, table = rows_of(write(tmp_path / "r.jsonl", [replace(one, judgments=(half,))]))
    assert not rows and table.left_out["shown a part of the group"] == 1


def test_hinted_judgments_teach_nothing_and_are_left_out(tmp_path) -> None:
    hinted = replace(verdict(1), origin={"evidence": ["hint"]})
    rows, table = rows_of(write(tmp_path / "r.jsonl", [hinted, verdict(2)]))
    assert {row.id for row in rows} == {"g2"} and table.left_out["hinted"] == 4


def test_a_template_may_be_named_and_one_that_nobody_offers_is_refused() -> None:
    assert load_meta_template("reference-meta").layout.responses == (1, 8)
    with pytest.raises(ConfigError, match="unknown template 'reference-mate'"):
        load_meta_template("reference-mate")


def test_rows_are_read_as_they_were_written_and_bad_lines_are_named(tmp_path) -> None:
    rows, _ = rows_of(write(tmp_path / "r.jsonl", [verdict(1), verdict(2)]))
    path = tmp_path / "meta.jsonl"
    path.write_text("".join(map(as_line, rows)), encoding="utf-8")
    assert read_rows(path) == rows
    path.write_text(as_line(rows[0]) + '{"text": 3}\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"meta\.jsonl, line 2: text: expected a text, got '3'"):
        read_rows(path)


@pytest.mark.parametrize(
    ("name", "value", "telling"),
    [
        ("label", 5, "label: .* at most 1, got '5'"),
        ("label", -1, "label: .* at least 0, got '-1'"),
        ("label", True, "label: expected a whole number, got 'True'"),
        ("margin", -2.0, "margin: .* at least 0, got '-2.0'"),
        ("margin", float("nan"), "margin: .* finite number"),
        ("responses", 0, "responses: .* at least 1, got '0'"),
        ("sample", -1, "sample: .* at least 0"),
        ("text", "", "text: .* at least 1 character"),
        ("group", "", "group: .* at least 1 character"),
    ],
)
def test_values_that_no_judgment_has_are_refused(tmp_path, name, value, telling) -> None:
    path = tmp_path / "meta.jsonl"
    path.write_text(as_line(row(1, 3.0)) + as_line(replace(row(0, 1.0), **{name: value})))
    with pytest.raises(InputError, match=rf"meta\.jsonl, line 2: {telling}"):
        read_rows(path)


def row(label: int, margin: float) -> MetaRow:
    return MetaRow("t", label, margin, "g", 2, "c", "train")


def test_labels_weigh_alike_within_each_margin() -> None:
    rows = [row(1, 3.0)] * 6 + [row(0, 3.0)] * 2 + [row(0, 0.0)] * 5 + [row(1, 1.0), row(0, 1.0)]
    weights = row_weights(rows, "margin")
    assert sum(weights[:6]) == pytest.approx(sum(weights[6:8]))
    assert set(weights[8:13]) == {0.0} and weights[13] == weights[14] > 0
    assert sum(weights) / 10 == pytest.approx(1)
    assert row_weights(rows, "none") == [1.0] * 15
    alike = row_weights(rows, "label")
    assert sum(alike[:6] + alike[13:14]) == pytest.approx(sum(alike[6:13] + alike[14:]))
