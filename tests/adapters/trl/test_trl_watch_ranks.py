"""Ranks that watch all groups know the same of a run that goes on, whoever recorded it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from grm_plugin.records import to_line
from grm_plugin.testing import ScriptedEngine
from grm_trl import GRMReward, reward
from grm_trl.ranks import Alone
from tests.watching.judges import run, two

WATCH = {"control": {"share": 0.25, "judge": {"engine": "second"}}, "alarm": "raise_k"}
CALL = {"prompts": ["a", "a"], "completions": ["1", "2"]}


def test_two_ranks_rebuild_the_alarms_of_the_whole_run_whatever_ranks_it_had_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    verdicts, record = run(60, onset=40), tmp_path / "r.jsonl"
    whole = GRMReward(plugins=judges(), engine="scripted", watch=WATCH)._grm.watch
    assert whole is not None
    whole.add(verdicts)
    assert whole.alarms
    for place in range(3):
        lines = [to_line(one) for one in verdicts[place::3]]
        (tmp_path / f"r.jsonl.rank{place}").write_bytes(b"".join(lines))
    for rank in (0, 1):
        monkeypatch.setattr(reward, "here", lambda rank=rank: (rank, 2))
        monkeypatch.setattr(reward, "Together", lambda _: Alone())  # the other has no rows
        judge = GRMReward(plugins=judges(), engine="scripted", k=1, watch=WATCH, record=record)
        judge(**CALL, trainer_state=SimpleNamespace(global_step=60))
        assert judge._grm.watch is not None
        assert [one.said for one in judge._grm.watch.alarms] == [one.said for one in whole.alarms]
        judge.close()


def judges() -> Any:
    return two(*(ScriptedEngine([r"\boxed{9, 3}"]) for _ in range(2)))
