"""Tasks as RM data: rows that the one reader takes, the same for the same seed."""

from __future__ import annotations

import json
from itertools import islice
from pathlib import Path

import pytest

from grm_plugin.hosts.inputs.opening import Input
from grm_plugin.reference.tasks.phrasings import phrasings
from grm_plugin.reference.tasks.rm_data import rm_rows
from grm_plugin.reference.tasks.task import Requirement, fulfilled
from grm_plugin.reference.tasks.words import SPLITS, Split


def test_a_longer_file_begins_with_a_shorter_one() -> None:
    shorter = list(rm_rows(9, seed=1, split="spct", responses=(2, 3, 4)))
    assert shorter == list(islice(rm_rows(30, seed=1, split="spct", responses=(2, 3, 4)), 9))
    assert shorter != list(rm_rows(9, seed=2, split="spct", responses=(2, 3, 4)))


def test_the_best_is_the_only_best_by_the_checker_and_no_response_is_there_twice() -> None:
    for row in rm_rows(60, seed=3, split="heldout", responses=(2, 4)):
        demands = [
            Requirement(one["kind"], tuple(one["words"]), tuple(one["numbers"]))
            for one in row["requirements"]
        ]
        met = [sum(fulfilled(one, text) for one in demands) for text in row["responses"]]
        assert [place for place, score in enumerate(met) if score == max(met)] == [row["best"]]
        assert row["qualities"] == [score / len(demands) for score in met]
        assert len(set(row["responses"])) == len(row["responses"])


@pytest.mark.parametrize("split", SPLITS)
def test_rows_say_what_they_can_be_clustered_by(split: Split) -> None:
    for row in rm_rows(30, seed=4, split=split, responses=(2, 3)):
        opener, *others = row["phrasings"]
        assert row["phrasing"] == others[0]
        assert len(others) == len(row["kinds"]) == len(row["requirements"])
        section, place = opener.split("/")
        assert row["prompt"].startswith(phrasings(section, split)[int(place)])
        assert row["subset"] == f"N={len(row['responses'])}"


def test_the_reader_of_every_door_takes_them(tmp_path: Path) -> None:
    made = list(rm_rows(6, seed=5, split="spct", responses=(2, 4)))
    path = tmp_path / "rm.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in made))
    read = list(Input(str(path)).groups())
    assert [group.metadata["best"] for group in read] == [row["best"] for row in made]
    assert [group.id for group in read] == [row["id"] for row in made]
    assert read[0].metadata["phrasings"] == made[0]["phrasings"]
