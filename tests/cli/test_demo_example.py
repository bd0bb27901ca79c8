"""The first judgment that people see is right; of the others no more is said than is so."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from grm_plugin import GRM, Group, Verdict
from grm_plugin.cli.demo import heldout
from grm_plugin.cli.demo_example import example, true_share
from grm_plugin.reference.tasks.data import TaskGroup
from grm_plugin.reference.tasks.teacher import all_criteria, write_judgment
from grm_plugin.reference.tasks.truth import is_true
from grm_plugin.testing import ScriptedEngine, scripted

ASKED = heldout(6, seed=3)


def truth(group: TaskGroup, responses: Sequence[str]) -> str:
    return write_judgment(all_criteria(random.Random(1), group.task), responses)


def verdict(group: TaskGroup, texts: Sequence[str]) -> Verdict:
    """Of a judge that says ``texts``; responses are shown as they are given."""
    with GRM(plugins=scripted(ScriptedEngine(texts)), engine="scripted", k=len(texts)) as grm:
        asked = Group.of(group.task.query, group.responses, metadata={"best": group.best})
        return grm.score(asked)


@pytest.mark.parametrize("group", ASKED, ids=lambda group: group.task.query[:20])
def test_what_the_checker_writes_is_true_and_one_other_word_makes_it_untrue(
    group: TaskGroup,
) -> None:
    text = truth(group, group.responses)
    assert is_true(text, group.task, group.responses)
    assert not is_true(text, group.task, group.responses[::-1])
    flip = text.replace(", ok", ", bad", 1) if ", ok" in text else text.replace(", bad", ", ok", 1)
    assert not is_true(flip, group.task, group.responses)
    assert not is_true(text + " Or not.", group.task, group.responses)
    assert not is_true("", group.task, group.responses)


def test_a_criterion_that_nobody_asked_for_is_untrue() -> None:
    group, other = next(
        (one, two) for one in ASKED for two in ASKED if not shared(one.task, two.task)
    )
    criteria = all_criteria(random.Random(1), other.task)
    assert not is_true(write_judgment(criteria, group.responses), group.task, group.responses)


def shared(one: object, two: object) -> bool:
    return bool(set(one.requirements) & set(two.requirements))  # type: ignore[attr-defined]


def test_the_example_is_a_right_vote_with_a_judgment_that_is_true_in_every_word() -> None:
    with GRM(engine="reference", k=4, max_tokens=384) as grm:
        asked = heldout(24, seed=0)
        groups = [Group.of(o.task.query, o.responses, metadata={"best": o.best}) for o in asked]
        verdicts = grm.score_batch(groups)
    shown = example(verdicts, asked)
    assert shown is not None
    group = asked[verdicts.index(shown.verdict)]
    rewards = shown.verdict.rewards or ()
    assert group.best == max(range(4), key=lambda n: rewards[n] or 0)
    order = [group.responses[n] for n in shown.judgment.order]
    assert is_true(shown.judgment.text, group.task, order)
    assert 0 < true_share(verdicts, asked) < 1


def test_without_a_right_verdict_there_is_no_example() -> None:
    wrong = [verdict(ASKED[0], [r"\boxed{5, 5, 5, 5}"] * 2)]
    assert example(wrong, ASKED[:1]) is None
    assert true_share(wrong, ASKED[:1]) == 0
    assert true_share([], []) == 0
