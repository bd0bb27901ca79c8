"""The error of the stopper is the largest that loses next to nothing on samples at hand."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from grm_plugin.errors import InputError
from grm_plugin.evaluation.resampling import Difference
from grm_plugin.spct.threshold import (
    ERRORS,
    Threshold,
    Trial,
    are_labelled,
    labelled_by_all,
    largest,
    tried,
)
from grm_plugin.types import Verdict
from tests.evaluation.verdicts import noisy, verdict


def judged(groups: int = 40, k: int = 32, skill: float = 1.5) -> list[Verdict]:
    rng = random.Random(1)
    return [noisy(rng, n=3, k=k, skill=skill, id=str(number)) for number in range(groups)]


def at(error: float, change: float) -> Threshold:
    return Threshold(error, 8.0, 0.5, Difference(change, change, change, 1.0), None)


def test_more_error_saves_more_samples_and_beats_as_many_of_every_group() -> None:
    found = tried(judged(), Trial(k=16, orders=16))
    assert [one.error for one in found] == list(ERRORS)
    saved = [one.saved for one in found]
    assert saved == sorted(saved) and 0 < saved[0] < saved[-1] < 1
    assert found[0].change.value == pytest.approx(0, abs=0.005)
    middle = next(one for one in found if one.error == 0.1)
    assert middle.samples == pytest.approx(16 * (1 - middle.saved))
    assert middle.over_uniform and middle.over_uniform.value > 0


def test_the_largest_error_before_the_first_that_loses_too_much_is_chosen() -> None:
    found = [at(0.01, 0.001), at(0.02, -0.001), at(0.03, -0.01), at(0.04, 0.0)]
    assert largest(found, 0.002) is found[1]
    assert largest(found, 0.02) is found[3]
    assert largest([at(0.01, -0.5)], 0.002) is None


def test_groups_without_labels_are_measured_by_what_all_their_samples_say() -> None:
    known = judged(10)
    without = [replace(one, group=replace(one.group, metadata={})) for one in known]
    assert are_labelled(known) and not are_labelled([*known, without[0]])
    tied = verdict((5, 5), (6, 6))
    found = labelled_by_all([*without, tied])
    assert len(found) <= 10 and are_labelled(found)
    sums = [sum(one.scores[found[0].group.metadata["best"]] for one in found[0].judgments)]
    assert sums[0] == max(sum(one.scores[n] for one in found[0].judgments) for n in range(3))
    assert tried(found, Trial(k=16, orders=8))[0].change.value <= 0


@pytest.mark.parametrize(
    ("verdicts", "problem"),
    [
        ([], "expected verdicts with at least 1 samples"),
        (judged(3, k=8), "k: expected at most 8, .* got 16; draw them with stop: fixed"),
    ],
)
def test_records_that_tell_nothing_are_refused(verdicts: list[Verdict], problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        tried(verdicts, Trial(k=16))
