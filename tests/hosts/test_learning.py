"""What processes of a run learn from what all of them judge."""

from __future__ import annotations

import pickle
from types import SimpleNamespace

import pytest

from grm_plugin.hosts.learning import learn, learns, what_teaches
from grm_plugin.watching.sources import sourced
from tests.pipeline.scalar_rm import grm, group

WATCH = {"control": {"share": 1.0, "judge": {"k": 2}}}


def test_what_others_judged_is_watched_and_the_own_groups_are_not_counted_twice() -> None:
    counted: list[list[str]] = []
    judge = SimpleNamespace(watch=SimpleNamespace(add=counted.append), audits=None)
    learn(judge, [["of rank 0"], ["own"], ["of rank 2"]], own={1})  # type: ignore
    assert counted == [["of rank 0"], ["of rank 2"]]


def test_audits_of_all_count_once_and_in_their_order() -> None:
    told: list[list[str]] = []
    judge = SimpleNamespace(watch=None, audits=SimpleNamespace(tell=told.append))
    learn(judge, [["of rank 0"], ["own"]], own={1})  # type: ignore
    assert told == [["of rank 0"], ["own"]]


@pytest.mark.parametrize(
    ("scalar", "more"),
    [({"use": "vote", "weight": 2}, {"vote": "sum"}), ({"use": "cascade", "audit": 1}, {})],
)
def test_what_teaches_says_the_same_without_what_the_judge_wrote(scalar: dict, more: dict) -> None:
    asked = [group((2, -1), (9, 0.5), prompt=f"q{n}") for n in range(4)]
    with grm(scalar, k=3, watch=WATCH, **more) as judge:
        assert learns(judge)
        found = judge.score_batch(asked)
    for verdict in found:
        light = what_teaches(verdict)
        assert list(sourced(light)) == list(sourced(verdict))
        assert (light.scalar, light.group, light.rewards) == (
            verdict.scalar, verdict.group, verdict.rewards,
        )  # fmt: skip
        assert b"Scores:" in pickle.dumps(verdict)
        assert b"Scores:" not in pickle.dumps(light)


def test_a_judge_that_is_not_watched_and_has_no_cascade_learns_nothing_of_others() -> None:
    with grm({"use": "vote"}) as judge:
        assert not learns(judge)
