"""New verdicts take the places of old ones, also when the process dies at any step of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest

from grm_plugin.cli.merging import finish_merge, merge
from grm_plugin.errors import RecordError
from grm_plugin.records import read_verdicts
from grm_plugin.running.recorder import Recorder
from grm_plugin.types import Group, Verdict


class Killed(BaseException):
    """What nothing catches, as a kill."""


def verdict(name: str, reward: float | None) -> Verdict:
    rewards = None if reward is None else (reward,)
    return Verdict(Group.of(f"question {name}", ["a"], id=name), rewards)


OLD = [("a", None), ("b", 0.2), ("c", None), ("c", None), ("d", None)]
NEW = [("c", 0.7), ("e", 0.9), ("a", 0.5)]
MERGED = [("a", 0.5), ("b", 0.2), ("c", 0.7), ("c", None), ("d", None), ("e", 0.9)]


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """A record, and the new verdicts beside it."""
    path, beside = tmp_path / "out.jsonl", tmp_path / "out.jsonl.retry"
    for file, content in ((path, OLD), (beside, NEW)):
        with Recorder(file) as recorder:
            for name, reward in content:
                recorder.write(verdict(name, reward))
    return path, beside


def held(path: Path) -> list[tuple[str, float | None]]:
    return [(one.group.id, one.rewards and one.rewards[0]) for one in read_verdicts(path)]


def nothing(verdict: Verdict) -> bool:
    return False


def unscored(verdict: Verdict) -> bool:
    return not verdict.scored


def test_each_new_verdict_stands_where_the_first_old_one_of_its_group_stood(
    files: tuple[Path, Path],
) -> None:
    path, beside = files
    path.chmod(0o640)
    merge(path, beside, unscored, nothing)
    assert held(path) == MERGED
    assert path.stat().st_mode & 0o777 == 0o640
    assert [one.name for one in path.parent.iterdir()] == ["out.jsonl"]


def killed_at(step: int) -> Iterator[mock._patch[object]]:
    """Patches under which the process dies before the file operation number ``step``."""
    left = iter(range(step))

    def dying(real: object) -> object:
        def call(*arguments: object, **more: object) -> object:
            if next(left, None) is None:
                raise Killed
            return real(*arguments, **more)  # type: ignore[operator]

        return call

    for owner, name in ((os, "fsync"), (Path, "unlink"), (Path, "replace"), (Path, "open")):
        yield mock.patch.object(owner, name, dying(getattr(owner, name)))


@pytest.mark.parametrize("step", range(9))
def test_a_kill_at_any_step_loses_and_doubles_nothing(files: tuple[Path, Path], step: int) -> None:
    path, beside = files
    patches = [*killed_at(step)]
    for one in patches:
        one.start()
    try:
        merge(path, beside, unscored, nothing)
    except Killed:
        pass
    finally:
        mock.patch.stopall()
    finish_merge(path, beside)
    if beside.exists():
        assert held(path) == OLD
        merge(path, beside, unscored, nothing)
    assert held(path) == MERGED
    assert [one.name for one in path.parent.iterdir()] == ["out.jsonl"]


def test_a_full_disk_leaves_both_files_as_they_were(files: tuple[Path, Path]) -> None:
    path, beside = files
    full = mock.patch.object(os, "fsync", side_effect=OSError(28, "No space left on device"))
    with full, pytest.raises(RecordError, match=r"out.jsonl can not be written anew: .*No space"):
        merge(path, beside, unscored, nothing)
    assert (held(path), held(beside)) == (OLD, NEW)
    assert sorted(one.name for one in path.parent.iterdir()) == [path.name, beside.name]
