"""Which judgments tell most about a verdict: one answer for terminal, page and trainers' tables."""

from __future__ import annotations

import pytest

from grm_plugin.hosts.telling import by_distance, nearest, said_of_each, telling
from grm_plugin.types import Group, Judgment, Verdict


def judgment(sample: int, *scores: float | None, **more: object) -> Judgment:
    return Judgment(sample, (0, 1), 0, "Response 1: a.\nResponse 2: b.", scores, **more)  # type: ignore[arg-type]


def verdict(*judgments: Judgment) -> Verdict:
    return Verdict(Group.of("why?", ["because", "dunno"]), (0.5, 0.5), judgments)


def samples(judgments: object) -> list[int]:
    return [one.sample for one in judgments]  # type: ignore[attr-defined]


def test_the_nearest_to_the_mean_comes_first_and_the_farthest_last() -> None:
    judged = verdict(judgment(0, 1, 9), judgment(1, 5, 5), judgment(2, 6, 5), judgment(3, 8, 2))
    assert samples(by_distance(judged)) == [1, 2, 3, 0]
    assert samples(telling(judged, None)) == [1, 0]
    assert samples(telling(judged, {2, 3})) == [2, 3]
    assert samples(telling(judged, set())) == [0, 1, 2, 3]


def test_votes_decide_the_mean_by_their_weights() -> None:
    judged = verdict(
        judgment(0, 2, 2, weight=0.1), judgment(1, 8, 8), judgment(2, 2, 2, voted=False, weight=1.0)
    )
    assert samples(by_distance(judged))[0] == 1
    mostly_low = verdict(judgment(0, 2, 2), judgment(1, 8, 8, weight=0.1))
    assert samples(by_distance(mostly_low)) == [0, 1]


def test_only_what_voted_is_nearest() -> None:
    judged = verdict(judgment(0, 5, 5, voted=False), judgment(1, 9, 9))
    found = nearest(judged)
    assert found is not None and found.sample == 1
    assert nearest(verdict(judgment(0, 5, 5, voted=False))) is None
    assert nearest(verdict()) is None


def test_a_judgment_of_some_responses_is_as_near_as_its_own_scores() -> None:
    judged = verdict(judgment(0, 6, None), judgment(1, 5, 5), judgment(2, 1, 9))
    assert samples(by_distance(judged))[-1] == 2


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_passages_stand_by_the_index_in_the_group(order: tuple[int, int]) -> None:
    said = said_of_each(Judgment(0, order, 0, "Response 1: a.\nResponse 2: b.", (5, 5)))
    assert said == {order[0]: ["Response 1: a."], order[1]: ["Response 2: b."]}
