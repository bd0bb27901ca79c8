"""What a run did before it was stopped, from the records of its processes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from grm_plugin.errors import RecordError
from grm_plugin.hosts.earlier import Earlier
from grm_plugin.hosts.recorded import when
from grm_plugin.records import to_line
from grm_plugin.records.standing import standing
from grm_plugin.types import Cost, Group, Judgment, Verdict


def line(
    metadata: Mapping[str, Any], reward: float, *votes_K_N: tuple[float, float], prompt: str = "q"
) -> bytes:
    judgments = tuple(
        Judgment(k, (0, 1), k, "", votes_N, prompt_tokens=100)
        for k, votes_N in enumerate(votes_K_N)
    )
    group = Group.of(prompt, ["a", "b"], metadata=metadata)
    return to_line(Verdict(group, (reward, reward), judgments, cost=Cost.of(judgments, flops=1e9)))


def test_a_step_is_all_that_the_processes_recorded_of_it_and_not_its_evaluations(
    tmp_path: Path,
) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    train, later = when(0, training=True), when(2, training=True)
    first.write_bytes(line(train, 0.2, (9, 1), (9, 1)) + line(when(0, training=False), 1.0, (1, 1)))
    second.write_bytes(line(train, 0.6, (9, 1)) + line(later, 0.9) + line({}, 0.0, (2, 2)))
    found = Earlier.of([first, second])
    assert found.by_step("reward_mean", 3) == [pytest.approx(0.4), None, 0.9]
    assert found.by_step("reliability", 2) == [1.0, None]
    assert found.by_step("reward_mean", 0) == []


def test_steps_that_a_resumed_run_did_again_count_once_and_what_they_cost_twice(
    tmp_path: Path,
) -> None:
    record, other = tmp_path / "a", tmp_path / "b"
    first = [line(when(step, training=True), 0.1, (9, 1)) for step in range(4)]
    again = [line(when(step, training=True), 0.5, (9, 1)) for step in (2, 3)]
    record.write_bytes(b"".join([*first, *again, *again]))
    other.write_bytes(line(when(3, training=True), 0.7, (9, 1)))
    found = Earlier.of([record, other])
    assert found.by_step("reward_mean", 4) == [0.1, 0.1, 0.5, pytest.approx(0.6)]
    assert (found.steps[2].groups, found.groups, found.cost.flops) == (1, 9, 9e9)


def test_what_is_watched_again_of_a_run_that_went_back_is_each_step_once(tmp_path: Path) -> None:
    record = tmp_path / "a"
    done = [(0, 0.1), (1, 0.1), (2, 0.1), (1, 0.5), (2, 0.5), (2, 0.6), (3, 0.5), (1, 0.9)]
    record.write_bytes(b"".join(line(when(step, training=True), reward) for step, reward in done))
    found = [(one.group.metadata["step"], one.rewards) for one in standing(record)]
    assert found == [(0, (0.1, 0.1)), (1, (0.9, 0.9))]


def test_a_group_that_ends_late_undoes_nothing(tmp_path: Path) -> None:
    record = tmp_path / "a"
    steps = [(0, "q"), (1, "q"), (0, "other"), (1, "more")]
    record.write_bytes(b"".join(line(when(s, training=True), 0.5, prompt=p) for s, p in steps))
    found = Earlier.of([record])
    assert [found.steps[step].groups for step in (0, 1)] == [2, 2]


def test_what_was_spent_is_that_of_everything(tmp_path: Path) -> None:
    record = tmp_path / "a"
    lines = (line(when(step, training=step < 2), 0.5, (9, 1)) for step in range(3))
    record.write_bytes(b"".join(lines))
    found = Earlier.of([record])
    assert (found.groups, found.cost.prompt_tokens, found.cost.flops) == (3, 300, 3e9)


def test_a_record_that_is_none_is_an_error_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("no verdict\n")
    with pytest.raises(RecordError, match="notes, line 1"):
        Earlier.of([tmp_path / "notes"])
