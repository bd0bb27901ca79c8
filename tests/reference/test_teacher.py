"""The teacher errs as often as it says, where a reader can see it, and nowhere else."""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm_plugin.reference.making.evaluation import invented_criteria, read_scores
from grm_plugin.reference.tasks import teacher
from grm_plugin.reference.tasks.data import draw_check, draw_group
from grm_plugin.reference.tasks.judgment import title
from grm_plugin.reference.tasks.reading import Slips, find_slips, implied, read_judgment
from grm_plugin.reference.tasks.task import KINDS, Requirement
from grm_plugin.reference.tasks.teacher import (
    CARELESS,
    FLIPPED,
    INVENTED,
    MAX_CRITERIA,
    MISCOPIED,
    MISCOUNTED,
    draw_criteria,
    draw_judgment,
    write_judgment,
)

NUMBER = 3000


@pytest.fixture(scope="module")
def judged():
    """Groups of three and what the teacher draws for them."""
    rng = random.Random(5)
    groups = [draw_group(rng, "spct", responses=3) for _ in range(NUMBER)]
    return [(group, draw_judgment(rng, group.task, group.responses)) for group in groups]


def test_every_requirement_can_be_a_criterion_with_even_weights():
    rng = random.Random(1)
    group = draw_group(rng, "base", responses=1, requirements=4)
    drawn = {draw_criteria(rng, group.task) for _ in range(4000)}
    sizes = Counter(len(criteria) for criteria in drawn)
    assert set(sizes) == {1, 2, 3, MAX_CRITERIA}
    assert any(sorted(one.weight for one in criteria) == [2, 2, 3, 3] for criteria in drawn)


def test_any_number_of_criteria_is_drawn_alike():
    rng = random.Random(2)
    task = draw_group(rng, "base", responses=1, requirements=6).task
    sizes = Counter(len(draw_criteria(rng, task)) for _ in range(4000))
    assert all(900 < sizes[number] < 1100 for number in (1, 2, 3, 4))


def test_a_judgment_without_slips_has_none():
    rng = random.Random(3)
    for _ in range(300):
        group = draw_group(rng, "base", responses=4)
        text = write_judgment(draw_criteria(rng, group.task), group.responses)
        assert (find_slips(text).total, invented_criteria(text, group.task)) == (0, 0)


def test_exercises_have_no_slips():
    rng = random.Random(4)
    assert not any(
        find_slips(draw_check(rng, "base", responses=2).judgment).total for _ in range(200)
    )


def test_slips_are_as_frequent_as_they_are_declared(judged):
    seen = sum((find_slips(text) for _, text in judged), Slips())
    assert seen.flipped / seen.verdicts == pytest.approx(CARELESS * FLIPPED, abs=0.015)
    assert seen.miscounted / seen.scores == pytest.approx(CARELESS * MISCOUNTED, abs=0.015)
    assert seen.miscopied / seen.boxes == pytest.approx(CARELESS * MISCOPIED, abs=0.006)
    invented = sum(invented_criteria(text, group.task) for group, text in judged)
    assert invented / NUMBER == pytest.approx(CARELESS * INVENTED, abs=0.02)


def test_most_judgments_have_no_slip_at_all(judged):
    spotless = sum(not find_slips(text).total for _, text in judged)
    assert 1 - CARELESS <= spotless / NUMBER <= 1 - CARELESS + 0.15


def test_a_careless_judgment_still_has_the_form_of_a_judgment(judged):
    for group, text in judged:
        reading = read_judgment(text)
        assert sum(reading.weights) == 10
        assert len(reading.critiques) == len(group.responses)
        assert read_scores(text, 3) == reading.boxed
        assert all(1 <= one.score <= 10 for one in reading.critiques)


def test_a_score_follows_the_flipped_verdict(monkeypatch):
    monkeypatch.setattr(teacher, "FLIPPED", 1.0)
    monkeypatch.setattr(teacher, "INVENTED", 0.0)
    monkeypatch.setattr(teacher, "MISCOUNTED", 0.0)
    monkeypatch.setattr(teacher, "MISCOPIED", 0.0)
    group = draw_group(random.Random(6), "base", responses=3, requirements=1)
    text = draw_judgment(random.Random(6), group.task, group.responses, careless=1.0)
    slips = find_slips(text)
    assert (slips.flipped, slips.miscounted, slips.miscopied) == (3, 0, 0)


def test_evidence_of_every_kind_implies_its_verdict():
    rng = random.Random(7)
    seen = Counter()
    while len(seen) < len(KINDS) or min(seen.values()) < 20:
        group = draw_group(rng, "base", responses=1)
        criteria = draw_criteria(rng, group.task)
        (critique,) = read_judgment(write_judgment(criteria, group.responses)).critiques
        for one, evidence, verdict in zip(
            criteria, critique.evidence, critique.verdicts, strict=True
        ):
            assert implied(title(one.requirement), evidence) == verdict
            seen[one.requirement.kind] += 1


def test_evidence_about_something_else_implies_nothing():
    assert implied(title(Requirement("include", words=("teapot",))), "counts 3") is None


spoilings = st.text("0123456789, ;.:\n{}\\", max_size=3) | st.just("7" * 5000)


@given(st.integers(0, 2**32), spoilings)
def test_a_judgment_that_is_spoiled_anywhere_is_read_without_raising(seed, spoiling):
    rng = random.Random(seed)
    group = draw_group(rng, "base", responses=2)
    text = draw_judgment(rng, group.task, group.responses)
    place = rng.randrange(len(text))
    for spoiled in (text[:place] + spoiling + text[place + 1 :], text[:-2] + spoiling + "}"):
        assert find_slips(spoiled).total >= 0


@pytest.mark.parametrize("box", ["", ", ", "8, ", "8,, 3", "8 3"])
def test_a_box_that_is_no_list_of_numbers_has_no_scores(box):
    assert read_judgment(f"Scores: \\boxed{{{box}}}").boxed == ()
