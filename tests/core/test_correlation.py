"""A correlation is counted in one way, wherever it is told."""

from __future__ import annotations

import random

import pytest

from grm_plugin.correlation import Correlation
from grm_plugin.hosts.counting import Tally
from grm_plugin.watching.compared import Compared
from grm_plugin.watching.gap import correlation_of
from grm_plugin.watching.moments import Moments
from tests.watching.judges import controlled


def test_what_is_logged_of_the_control_judge_is_what_alarms_go_by() -> None:
    draw = random.Random(0)
    run = [controlled(0, [draw.random() for _ in range(3)], [0.5] * 3) for _ in range(5)]
    run += [controlled(0, [n + draw.random() for n in range(3)], range(3)) for _ in range(5)]
    groups = [group for group in map(Compared.of, run) if group]
    assert Tally.of(run).control.value == pytest.approx(correlation_of(groups).value)


def test_of_one_group_it_is_that_of_its_pairs() -> None:
    pairs, moments = [(0.1, 0.4), (0.5, 0.3), (0.2, 0.9)], Moments()
    for pair in pairs:
        moments.add(*pair)
    assert Correlation.of(pairs).value == pytest.approx(moments.correlation)
    assert Correlation.of(pairs[:1]) == Correlation.of([]) == Correlation()
