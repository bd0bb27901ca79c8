"""A refresh: reads a record that grows, makes versions, and goes on after a kill."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from grm_plugin.errors import ConfigError, InputError, RecordError
from grm_plugin.records import to_line
from grm_plugin.spct.following import Following, Read
from grm_plugin.spct.refresh_pool import RefreshPool
from grm_plugin.spct.refresh_settings import Refreshing
from grm_plugin.spct.refreshing import LOG, pool_of, refresh
from grm_plugin.spct.scalar_data import ScalarTable
from grm_plugin.spct.versions import newest, point, publish
from tests.spct.scalar_data import by_another, judged, write


def ids(following: Following, **until: object) -> list[str]:
    return [verdict.group.id for _, verdict in following.new(**until)]


def test_a_record_that_grows_is_read_on_and_a_torn_line_waits(tmp_path: Path) -> None:
    record = tmp_path / "verdicts.jsonl"
    following = Following(record)
    assert ids(following) == []
    write(record, [judged(1), judged(2)])
    assert ids(following) == ["g1", "g2"] and ids(following) == []
    line = to_line(judged(3))
    with record.open("ab") as file:
        file.write(line[:40])
        file.flush()
        assert ids(following) == []
        file.write(line[40:])
    assert ids(following) == ["g3"]


def test_files_of_several_processes_are_followed_also_those_that_come_later(tmp_path: Path) -> None:
    following = Following(tmp_path / "verdicts.jsonl")
    write(tmp_path / "verdicts.jsonl.rank0", [judged(1)])
    assert ids(following) == ["g1"]
    write(tmp_path / "verdicts.jsonl.rank1", [judged(2)])
    write(tmp_path / "verdicts.jsonl.rank0", [judged(3)], "ab")
    assert sorted(ids(following)) == ["g2", "g3"]


def test_a_record_that_went_back_is_read_from_its_new_end(tmp_path: Path) -> None:
    record = write(tmp_path / "v.jsonl", map(judged, range(4)))
    following = Following(record)
    ids(following)
    write(record, [judged(0)])
    assert ids(following) == []
    write(record, [judged(9)], "ab")
    assert ids(following) == ["g9"]


@pytest.mark.parametrize("kept", [0, 10])
def test_a_record_that_went_back_and_grew_on_unseen_is_read_from_where_it_differs(
    tmp_path: Path, kept: int
) -> None:
    record = write(tmp_path / "v.jsonl", map(judged, range(20)))
    following = Following(record)
    ids(following)
    write(record, map(judged, range(kept)))
    write(record, (judged(100 + one, n=4) for one in range(25)), "ab")
    assert ids(following) == [f"g{100 + one}" for one in range(25)] and ids(following) == []


def test_a_line_that_is_no_verdict_ends_with_its_place(tmp_path: Path) -> None:
    record = write(tmp_path / "v.jsonl", [judged(1)])
    following = Following(record)
    ids(following)
    record.write_bytes(record.read_bytes() + b'{"version": 2}\n')
    with pytest.raises(RecordError, match=r"v\.jsonl, line 2: not a recorded verdict"):
        ids(following)


def pool(record: Path, **settings: object) -> RefreshPool:
    chosen = Refreshing("base", record.parent / "out", **{"validation": 0.2, **settings})
    return RefreshPool(Following(record), chosen, ScalarTable())


def names(groups: object) -> list[str]:
    return [one.group.id for one in groups]


def test_new_groups_come_with_a_share_of_old_ones_and_held_out_prompts_never_do(tmp_path) -> None:
    record = write(tmp_path / "v.jsonl", map(judged, range(60)))
    one = pool(record, replay=0.25)
    assert one.grow() and not one.grow()
    first, replayed = one.taken(1)
    assert not replayed and 5 < len(one.held_out) < 20
    write(record, map(judged, range(60, 90)), "ab")
    one.grow()
    new, old = one.taken(2)
    assert len(old) == round(len(new) / 3) and set(names(old)) <= set(names(first))
    assert not set(names(one.held_out)) & set(names([*first, *new]))
    write(record, map(judged, range(60)), "ab")  # the same prompts once more
    one.grow()
    assert names(one.taken(3)[0]) == names(first)


def test_what_a_version_knows_is_measured_on_what_came_for_the_last_two(tmp_path: Path) -> None:
    record = write(tmp_path / "v.jsonl", [])
    one, came = pool(record), [0]
    for version in range(1, 5):
        write(record, map(judged, range(version * 40, version * 40 + 40)), "ab")
        one.grow()
        one.taken(version)
        came.append(len(one.held_out) - sum(came))
        assert one.present == sum(came[-2:]) > 0
    resumed = pool(record)
    resumed.remember({name: Read(*read) for name, read in one.state["read"].items()})
    assert resumed.held_out and not resumed.present


def test_after_a_kill_the_same_groups_are_old_and_the_same_are_replayed(tmp_path: Path) -> None:
    record = write(tmp_path / "v.jsonl", map(judged, range(40)))
    whole = pool(record)
    whole.grow()
    whole.taken(1)
    state = json.loads(json.dumps(whole.state))
    write(record, map(judged, range(40, 80)), "ab")
    whole.grow()
    resumed = pool(record)
    resumed.remember({name: Read(*read) for name, read in state["read"].items()})
    assert names(resumed.old) == names(whole.old) and not resumed.new
    resumed.grow()
    assert [*map(names, resumed.taken(2))] == [*map(names, whole.taken(2))]


def test_verdicts_of_another_judge_end_the_refresh_by_their_line(tmp_path: Path) -> None:
    record = write(tmp_path / "v.jsonl", [judged(1)])
    one = pool(record)
    one.grow()
    write(record, [by_another(judged(2), template_hash="b2")], "ab")
    with pytest.raises(InputError, match=r"v\.jsonl, line 2: .*line 1 \(template_hash 'a1'\)"):
        one.grow()


def test_a_version_is_there_whole_before_it_is_current_and_old_ones_go(tmp_path: Path) -> None:
    seen: list[str] = []

    def write_version(folder: Path) -> None:
        (folder / "weights").write_text(str(len(seen)))
        current = tmp_path / "current"
        seen.append(current.resolve().name if current.exists() else "")

    for number in range(4):
        publish(tmp_path, number, write_version, keep=2)
    assert seen == ["", "version-0000", "version-0001", "version-0002"]
    assert (tmp_path / "current" / "weights").read_text() == "3"
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["current", "version-0002", "version-0003"] and newest(tmp_path) == 3


def test_what_a_kill_left_half_written_is_no_version(tmp_path: Path) -> None:
    def killed(folder: Path) -> None:
        (folder / "weights").write_text("half")
        raise KeyboardInterrupt

    publish(tmp_path, 0, lambda folder: None, keep=3)
    with pytest.raises(KeyboardInterrupt):
        publish(tmp_path, 1, killed, keep=3)
    assert newest(tmp_path) == 0 and (tmp_path / "current").resolve().name == "version-0000"
    version = publish(tmp_path, 1, lambda folder: None, keep=3)
    assert not list(version.iterdir())


def test_a_folder_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"version-0000 can not be written"):
        publish(tmp_path / "file", 0, lambda folder: None, keep=1)
    publish(tmp_path, 0, lambda folder: None, keep=1)
    point(tmp_path, 0)


class Still:
    """A model that learns nothing."""

    def train(self, groups: object, version: int) -> float:
        return 0.5

    def look(self, held_out: object, present: int) -> tuple[None, int]:
        return None, 0

    def save(self, folder: Path) -> None:
        (folder / "weights").write_text("")


def test_a_version_that_a_kill_kept_out_of_the_log_is_in_it_after_the_next_start(tmp_path) -> None:
    record, out, told = write(tmp_path / "v.jsonl", map(judged, range(8))), tmp_path / "out", []
    settings = Refreshing("base", out, every=5, validation=0.0, idle_s=0.02, poll_s=0.01)

    def run() -> list[int]:
        pool = pool_of(settings, record, ScalarTable())
        refresh(settings, pool, lambda at: Still(), told.append)
        return [json.loads(line)["number"] for line in (out / LOG).read_text().splitlines()]

    assert run() == [0, 1] and [one.new for one in told] == [0, 8]
    (out / LOG).write_text((out / LOG).read_text().splitlines()[0] + "\n")
    with (out / LOG).open("a") as file:
        file.write('{"number": 1, "ne')  # it came while this was written
    point(out, 0)  # and before this, too
    assert run() == [0, 1] and (out / "current").resolve().name == "version-0001"
    (out / "version-0001" / "refresh.json").write_text("{}")
    with pytest.raises(ConfigError, match=r"refresh\.json: expected how far the record was read"):
        run()
