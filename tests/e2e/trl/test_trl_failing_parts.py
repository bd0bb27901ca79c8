"""A part that fails on one of two ranks costs its group, and keeps no rank waiting."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.trl.test_trl_ranks import run_ranks
from tests.plugins.failing_parts import AWAITED, HANGS, HOW, PLAIN, WORD

pytest.importorskip("torch")

WORKER = Path(__file__).with_name("failing_worker.py")
GOOD, BAD = "something good?", f"something {WORD}?"
# both groups are split over the ranks, and each rank judges one of them
ROWS_BY_RANK = [[(GOOD, "a"), (BAD, "a")], [(GOOD, "b"), (BAD, "b")]]
CALLS = [
    *((kind, how, "call") for kind in PLAIN for how in HOW),
    *((kind, how, "call") for kind in AWAITED for how in (*HOW, HANGS)),
]
LIFE = [
    (kind, how, when)
    for kind in ("engine", "evidence source")
    for how in (*HOW[:-1], HANGS)
    for when in ("start", "close")
]
LIMIT_S = 10


@pytest.fixture(scope="module")
def seen(
    tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]
) -> dict[tuple[str, str, str], list[dict[str, Any]]]:
    """What both ranks saw, by case."""
    folder = tmp_path_factory.mktemp("ranks")
    work = {"cases": [*CALLS, *LIFE], "rows_by_rank": ROWS_BY_RANK}
    (folder / "cases.json").write_text(json.dumps(work))
    ranks = run_ranks(2, "score", folder, environment, WORKER)
    return {case: [rank[n] for rank in ranks] for n, case in enumerate([*CALLS, *LIFE])}


@pytest.mark.parametrize("case", CALLS, ids="-".join)
def test_the_group_is_unscored_on_both_ranks_and_the_other_is_not(case: Any, seen: Any) -> None:
    for rank in seen[case]:
        assert rank["seconds"] < LIMIT_S
        good, bad = rank["rewards"]
        assert (good, bad) != (None, None) and bad is None


@pytest.mark.parametrize("case", LIFE, ids="-".join)
def test_neither_rank_waits_for_a_part_that_does_not_start_or_close(case: Any, seen: Any) -> None:
    for rank in seen[case]:
        assert rank["seconds"] < LIMIT_S
        assert case[0] in rank.get("error", case[0])
