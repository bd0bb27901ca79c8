"""Ranks that were started with different settings stop together, and say what differs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.trl.test_trl_ranks import SHOWN, run_ranks

ROWS = [[["p", "a"], ["p", "b"]], [["p", "c"], ["p", "d"]]]
DIFFERENT: dict[str, list[dict[str, Any]]] = {
    "k": [{"k": 2}, {"k": 4}],
    "vote": [{"vote": "mean"}, {"vote": "sum"}],
    "groups": [{"groups": "gather"}, {"groups": "local"}],
    "local and check": [{"groups": "local"}, {"groups": "check"}],
    "template": [{"template": "grm"}, {"template": "OWN"}],
    "engine": [{}, {"engine": {"name": "shown", "delay_s": 0.1}}],
    "several": [{"k": 2, "round_to": 0.1}, {"k": 4}],
    "waiting": [{"record": "OWN.jsonl"}, {"group_timeout_s": 30, "max_concurrent_groups": 2}],
}


@pytest.fixture(scope="module")
def seen(
    tmp_path_factory: pytest.TempPathFactory, environment: Mapping[str, str]
) -> dict[str, list[Any]]:
    """What both ranks got, for every pair of settings."""
    import grm_plugin.prompts

    folder = tmp_path_factory.mktemp("agree")
    own = Path(grm_plugin.prompts.__file__).with_name("grm.txt").read_text() + "\n"
    (folder / "own.txt").write_text(own)
    text = json.dumps(
        [
            {"rows_by_rank": ROWS, "settings": SHOWN, "settings_by_rank": settings}
            for settings in DIFFERENT.values()
        ]
    )
    text = text.replace('"OWN"', json.dumps(str(folder / "own.txt")))
    (folder / "cases.json").write_text(text.replace("OWN.jsonl", str(folder / "record.jsonl")))
    outcomes = run_ranks(2, "score", folder, environment)
    return {name: [rank[i] for rank in outcomes] for i, name in enumerate(DIFFERENT)}


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("k", ["k is '2' on rank 0, '4' on rank 1"]),
        ("vote", ["vote is 'mean' on rank 0, 'sum' on rank 1"]),
        ("groups", ["groups is 'gather' on rank 0, 'local' on rank 1"]),
        ("local and check", ["groups is 'local' on rank 0, 'check' on rank 1"]),
        ("template", ["template is 'grm (", "own.txt"]),
        ("engine", ["engine.delay_s is 'nothing' on rank 0, '0.1' on rank 1"]),
        ("several", ["k is '2' on rank 0", "round_to is '0.1' on rank 0, 'None' on rank 1"]),
    ],
)
def test_a_difference_ends_every_rank_at_once_and_is_named(
    case: str, said: list[str], seen: dict[str, list[Any]]
) -> None:
    for rank in seen[case]:
        assert "RankError: the ranks of this run have different settings" in rank["error"]
        assert all(text in rank["error"] for text in said), rank["error"]
        assert rank["seconds"] < 60


def test_what_changes_no_reward_may_differ(seen: dict[str, list[Any]]) -> None:
    assert [len(rank["rewards"]) for rank in seen["waiting"]] == [2, 2]
