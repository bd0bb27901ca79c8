"""+1 for a judgment that is right, -1 for every other, read by the contract of the template."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm_plugin import GRMConfig
from grm_plugin.errors import ConfigError, InputError
from grm_plugin.spct.asking import Asking
from grm_plugin.spct.examples import correct
from grm_plugin.spct.outcome_metrics import by_subset, numbers
from grm_plugin.spct.rewarding import Outcome, outcome

ASKING = Asking.of(GRMConfig(template="grm"))
JUDGMENT = """Specific Criteria:
1. It is right (weight 5)
2. Weight: 3, it is short
Analysis:
Both are.
Scores: \\boxed{{{scores}}}"""


def judged(text: str, label: int = 0, responses: int = 2, **more: bool) -> Outcome:
    return outcome(text, label, responses, ASKING.form(responses).reader, **more)


def boxed(scores: Sequence[float]) -> str:
    return JUDGMENT.format(scores=", ".join(map(str, scores)))


@given(st.lists(st.integers(1, 10), min_size=2, max_size=6), st.data())
def test_the_reward_is_plus_one_exactly_where_the_judgment_is_right(
    scores: list[int], data: st.DataObject
) -> None:
    label = data.draw(st.integers(0, len(scores) - 1))
    found = judged(boxed(scores), label, len(scores))
    assert found.reward == (1.0 if correct(scores, label) else -1.0)
    assert found.readable
    assert found.tie == (scores.count(max(scores)) > 1)


@pytest.mark.parametrize(("score", "label", "reward"), [(1, 1, 1), (0, 0, 1), (1, 0, -1)])
def test_a_single_response_is_judged_right_or_wrong(score: int, label: int, reward: int) -> None:
    found = judged(f"Scores: \\boxed{{{score}}}", label, 1)
    assert found.reward == reward
    assert found.margin is None
    assert not found.tie


@pytest.mark.parametrize(
    ("text", "failure"),
    [
        ("no box", "unreadable"),
        (boxed([8]), "wrong_count"),
        (boxed([11, 5]), "out_of_range"),
        ("", "unreadable"),
        ("<think>\\boxed{8, 5}", "only_thinking"),
    ],
)
def test_what_can_not_be_read_is_wrong_and_says_why(text: str, failure: str) -> None:
    assert judged(text) == Outcome(-1.0, failure=failure)


def test_a_judgment_that_was_cut_is_wrong_even_when_its_box_is_right() -> None:
    assert judged(boxed([8, 5])).reward == 1
    assert judged(boxed([8, 5]), finished=False) == Outcome(-1.0, failure="truncated")


def test_a_box_inside_thinking_is_no_answer() -> None:
    assert judged("<think>\\boxed{5, 8}</think>" + boxed([8, 5])).reward == 1
    assert judged("\\boxed{5, 8}</think>" + boxed([8, 5]), opened=True).reward == 1


def test_criteria_and_the_share_of_the_heaviest_are_told() -> None:
    found = judged(boxed([8, 5]))
    assert (found.margin, found.criteria) == (3, 2)
    assert found.largest_weight == pytest.approx(5 / 8)
    percent = "Specific Criteria:\n- Truth. Weight: 40%\n- Tone. Weight: 60%\nScores: \\boxed{8, 5}"
    assert judged(percent).largest_weight == pytest.approx(0.6)
    bare = judged("\\boxed{8, 5}")
    assert (bare.criteria, bare.largest_weight) == (None, None)


@pytest.mark.parametrize(
    ("label", "responses", "telling"),
    [(2, 2, r"0\.\.1, got 2 for 2"), (-1, 3, r"0\.\.2, got -1"), (2, 1, "0 or 1 for one response")],
)
def test_a_label_that_is_none_of_the_responses_is_refused(
    label: int, responses: int, telling: str
) -> None:
    with pytest.raises(InputError, match=telling):
        judged(boxed([8, 5]), label, responses)


@pytest.mark.parametrize(
    ("settings", "telling"),
    [
        ({"contract": {"name": "boxed", "shows": "each"}}, "shows each; its judgments can not"),
        ({"contract": "expected"}, "reads probabilities, and a reward reads texts"),
    ],
)
def test_judges_whose_answers_can_not_be_rewarded_are_refused(
    settings: dict[str, object], telling: str
) -> None:
    with pytest.raises(ConfigError, match=telling):
        Asking.of(GRMConfig.load(None, template="grm", **settings))


def test_a_single_response_needs_a_template_that_scores_right_or_wrong() -> None:
    with pytest.raises(ConfigError, match=r"'grm': expected scores of 0 or 1 .* got 1\.\.10"):
        Asking.of(GRMConfig(template="grm"), single="grm")


def test_the_template_that_an_engine_prefers_is_the_one_that_is_rewarded() -> None:
    assert Asking.of(GRMConfig(engine="reference")).groups.template.name == "reference"


def test_numbers_are_over_the_judgments_that_have_them() -> None:
    found = numbers(
        [
            Outcome(1.0, margin=4.0, criteria=2, largest_weight=0.6),
            Outcome(-1.0, margin=0.0, criteria=4, largest_weight=0.4),
            Outcome(-1.0, failure="unreadable"),
        ]
    )
    assert found == {
        "readable": [1, 1, 0],
        "ties": [0, 1, 0],
        "margin": [4, 0],
        "criteria": [2, 4],
        "largest_weight": [0.6, 0.4],
    }
    assert numbers([Outcome(-1.0, failure="truncated")]) == {"readable": [0], "ties": [0]}


def test_a_subset_tells_its_reward_and_how_many_of_its_groups_teach_nothing() -> None:
    rewards = [1.0, -1.0, -1.0, -1.0, 1.0, 1.0]
    found = by_subset(rewards, ["a", "a", "a", "a", "b", "b"], [(0, 1), (2, 3), (4, 5)])
    assert found == {
        "a": {"reward": [1, -1, -1, -1], "no_spread": [0, 1]},
        "b": {"reward": [1, 1], "no_spread": [1]},
    }
